//! Statements that are made of values, and the values as the table keeps them.

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, query};

use super::row::words_text;
use crate::api_key::{ApiKey, KeySubject, Scope};
use crate::api_keys::Rotation;
use crate::clock::Timestamp;
use crate::id::ApiKeyId;
use crate::user::Role;

pub(super) type Statement = Query<'static, Any, AnyArguments>;

/// Everything of a new key but its hash ($17) and the number of the change ($18).
pub(super) fn insertion(key: &ApiKey) -> Statement {
    let millis = |time: Option<Timestamp>| time.map(Timestamp::as_millis);
    let (user, service) = subject_columns(Some(&key.subject));
    query(
        "INSERT INTO api_keys (id, kind, name, hint, user_id, service, roles, scopes, created_at,
                               expires_at, last_used_at, retires_at, revoked_at, rotated_from,
                               number, description, hash, changed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                 $17, $18)",
    )
    .bind(bytes(key.id))
    .bind(key.kind.prefix())
    .bind(key.name.as_str().to_owned())
    .bind(key.hint.to_string())
    .bind(user)
    .bind(service)
    .bind(words_text(key.roles.iter().map(Role::as_str)))
    .bind(words_text(key.scopes.iter().map(Scope::as_str)))
    .bind(key.created_at.as_millis())
    .bind(millis(key.expires_at))
    .bind(millis(key.last_used_at))
    .bind(millis(key.retires_at))
    .bind(millis(key.revoked_at))
    .bind(key.rotated_from.map(bytes))
    .bind(key.number)
    .bind(key.description.as_str().to_owned())
}

/// The end of a key that is replaced.
pub(super) fn retirement(rotation: &Rotation, seq: i64) -> Statement {
    let sql = if rotation.retires_at <= rotation.now {
        "UPDATE api_keys SET revoked_at = $3, changed = $2 WHERE id = $1"
    } else {
        "UPDATE api_keys SET retires_at = $3, changed = $2 WHERE id = $1"
    };
    query(sql)
        .bind(bytes(rotation.old))
        .bind(seq)
        .bind(rotation.retires_at.max(rotation.now).as_millis())
}

pub(super) fn subject_columns(subject: Option<&KeySubject>) -> (Option<Vec<u8>>, Option<String>) {
    match subject {
        None => (None, None),
        Some(KeySubject::User(user)) => (Some(user.as_bytes().to_vec()), None),
        Some(KeySubject::Service(name)) => (None, Some(name.as_str().to_owned())),
    }
}

pub(super) fn bytes(id: ApiKeyId) -> Vec<u8> {
    id.as_bytes().to_vec()
}
