//! A row of the table of API keys, joined with the account of its user, and what it says.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use crate::api_key::{
    ApiKey, Description, KeyHash, KeyName, KeySubject, Kind, Owner, Scope, ServiceName,
};
use crate::api_keys::StoredKey;
use crate::clock::Timestamp;
use crate::id::{ApiKeyId, UserId};
use crate::user::{AccountStatus, Email, Role};

/// A row that does not hold what we would have written.
#[derive(Debug, thiserror::Error)]
#[error("a row of the table of API keys has a bad {column}")]
pub(super) struct BadRow {
    column: &'static str,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// A row as the database gives it.
pub(super) struct Row {
    id: Vec<u8>,
    hash: Vec<u8>,
    kind: String,
    name: String,
    number: i64,
    description: String,
    hint: String,
    user_id: Option<Vec<u8>>,
    service: Option<String>,
    roles: String,
    scopes: String,
    created_at: i64,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
    retires_at: Option<i64>,
    revoked_at: Option<i64>,
    rotated_from: Option<Vec<u8>>,
    changed: i64,
    owner_email: Option<String>,
    owner_roles: Option<String>,
    owner_disabled: Option<i64>,
}

impl FromRow<'_, AnyRow> for Row {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            hash: row.try_get("hash")?,
            kind: row.try_get("kind")?,
            name: row.try_get("name")?,
            number: row.try_get("number")?,
            description: row.try_get("description")?,
            hint: row.try_get("hint")?,
            user_id: row.try_get("user_id")?,
            service: row.try_get("service")?,
            roles: row.try_get("roles")?,
            scopes: row.try_get("scopes")?,
            created_at: row.try_get("created_at")?,
            expires_at: row.try_get("expires_at")?,
            last_used_at: row.try_get("last_used_at")?,
            retires_at: row.try_get("retires_at")?,
            revoked_at: row.try_get("revoked_at")?,
            rotated_from: row.try_get("rotated_from")?,
            changed: row.try_get("changed")?,
            owner_email: row.try_get("owner_email")?,
            owner_roles: row.try_get("owner_roles")?,
            owner_disabled: row.try_get("owner_disabled")?,
        })
    }
}

impl Row {
    pub(super) fn key(self) -> Result<StoredKey, BadRow> {
        let hash: [u8; 32] = self.hash.as_slice().try_into().map_err(bad("hash"))?;
        let owner = match (self.owner_email, self.owner_roles, self.owner_disabled) {
            (Some(email), Some(roles), Some(disabled)) => Some(Owner {
                email: Email::parse(&email).map_err(bad("owner's email"))?,
                roles: words(&roles, Role::parse).map_err(bad("owner's roles"))?,
                status: if disabled == 0 {
                    AccountStatus::Enabled
                } else {
                    AccountStatus::Disabled
                },
            }),
            _no_such_user => None,
        };
        let kind = Kind::with_prefix(&self.kind).ok_or("not a known one");
        let rotated_from = self.rotated_from.as_deref().map(key_id).transpose()?;
        let key = ApiKey {
            id: key_id(&self.id)?,
            kind: kind.map_err(bad("kind"))?,
            name: KeyName::parse(&self.name).map_err(bad("name"))?,
            number: self.number,
            description: Description::parse(&self.description).map_err(bad("description"))?,
            hint: self.hint.into(),
            subject: subject(self.user_id.as_deref(), self.service.as_deref())?,
            roles: words(&self.roles, Role::parse).map_err(bad("roles"))?,
            scopes: words(&self.scopes, Scope::parse).map_err(bad("scopes"))?,
            created_at: Timestamp::from_millis(self.created_at),
            expires_at: self.expires_at.map(Timestamp::from_millis),
            last_used_at: self.last_used_at.map(Timestamp::from_millis),
            retires_at: self.retires_at.map(Timestamp::from_millis),
            revoked_at: self.revoked_at.map(Timestamp::from_millis),
            rotated_from,
        };
        Ok(StoredKey {
            key,
            hash: KeyHash::from_bytes(hash),
            owner,
            changed: self.changed,
        })
    }
}

fn key_id(bytes: &[u8]) -> Result<ApiKeyId, BadRow> {
    let bytes = bytes.try_into().map_err(bad("id"))?;
    Ok(ApiKeyId::from_bytes(bytes))
}

fn subject(user: Option<&[u8]>, service: Option<&str>) -> Result<KeySubject, BadRow> {
    match (user, service) {
        (Some(user), None) => {
            let user = user.try_into().map_err(bad("user_id"))?;
            Ok(KeySubject::User(UserId::from_bytes(user)))
        }
        (None, Some(service)) => ServiceName::parse(service)
            .map(KeySubject::Service)
            .map_err(bad("service")),
        (Some(_), Some(_)) | (None, None) => Err(bad("subject")("neither user nor service")),
    }
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What a JSON array of words holds.
fn words<T, E, C>(text: &str, parse: impl Fn(&str) -> Result<T, E>) -> Result<C, Source>
where
    E: Into<Source>,
    C: FromIterator<T>,
{
    let words: Vec<String> = serde_json::from_str(text)?;
    words
        .iter()
        .map(|word| parse(word).map_err(E::into))
        .collect()
}

/// Words as the table keeps them: a JSON array.
pub(super) fn words_text<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<serde_json::Value>().to_string()
}

fn bad<E: Into<Source>>(column: &'static str) -> impl FnOnce(E) -> BadRow {
    move |source| BadRow {
        column,
        source: source.into(),
    }
}
