//! What is remembered of a key: enough to judge it, in as few bytes as that takes. Of a million keys most
//! are used by nobody for days, so what a request gets is made at the first use.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::json;

use super::judge::KeyRefusal;
use crate::api_key::{ApiKey, KeyHash, KeySubject, Owner};
use crate::api_keys::StoredKey;
use crate::clock::Timestamp;
use crate::id::ApiKeyId;
use crate::identity::{Identity, Issuer};
use crate::user::{AccountStatus, JsonObject, Role};

/// How exact the time of the last use is, and how often the refusal of one key is told.
const MINUTE: Duration = Duration::from_mins(1);

/// A key as a request finds it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) id: ApiKeyId,
    pub(super) hash: KeyHash,
    /// The change in which it got this state.
    pub(super) changed: i64,
    subject: Box<str>,
    name: Box<str>,
    email: Option<Box<str>>,
    /// Those that count: its own, as far as its owner has them.
    roles: Box<[Box<str>]>,
    scopes: Box<[Box<str>]>,
    /// What keeps it from holding now, whatever the time.
    flaw: Option<KeyRefusal>,
    /// When it ends or has ended, and how.
    end: Option<(Timestamp, KeyRefusal)>,
    identity: OnceLock<Arc<Identity>>,
    /// Milliseconds since the Unix epoch.
    used_at: AtomicI64,
    /// Milliseconds since the Unix epoch.
    refused_at: AtomicI64,
}

impl Known {
    pub(super) fn of(stored: &StoredKey) -> Self {
        let key = &stored.key;
        let owner = stored.owner.as_ref();
        let roles = key.roles.iter().map(Role::as_str);
        let counts = |role: &&str| match key.subject {
            KeySubject::Service(_) => true,
            KeySubject::User(_) => owner.is_some_and(|owner| owner.roles.contains(role)),
        };
        let never = i64::MIN;
        Self {
            id: key.id,
            hash: stored.hash,
            changed: stored.changed,
            subject: key.subject.to_string().into(),
            name: key.name.as_str().into(),
            email: owner.map(|owner| owner.email.as_str().into()),
            roles: roles.filter(counts).map(Into::into).collect(),
            scopes: key
                .scopes
                .iter()
                .map(|scope| scope.as_str().into())
                .collect(),
            flaw: flaw(key, owner),
            end: end(key),
            identity: OnceLock::new(),
            used_at: AtomicI64::new(key.last_used_at.map_or(never, Timestamp::as_millis)),
            refused_at: AtomicI64::new(never),
        }
    }

    /// Takes over what the one before it has seen and no store knows.
    pub(super) fn succeed(&self, before: &Self) {
        let used_at = before.used_at.load(Ordering::Relaxed);
        self.used_at.fetch_max(used_at, Ordering::Relaxed);
        let refused_at = before.refused_at.load(Ordering::Relaxed);
        self.refused_at.fetch_max(refused_at, Ordering::Relaxed);
    }

    /// Whether it holds.
    pub(super) fn standing(&self, now: Timestamp) -> Result<(), KeyRefusal> {
        match (self.flaw, self.end) {
            (Some(flaw), _) => Err(flaw),
            (None, Some((at, how))) if at <= now => Err(how),
            (None, _) => Ok(()),
        }
    }

    /// When it ends or has ended.
    pub(super) fn ends_at(&self) -> Option<Timestamp> {
        self.end.map(|(at, _)| at)
    }

    /// Whether it still bounds its bearer as `identity` says.
    pub(super) fn bounds_as(&self, identity: &Identity) -> bool {
        *self.roles == *identity.roles && *self.scopes == *identity.scopes
    }

    /// Who its bearer is.
    pub(super) fn identity(&self) -> Arc<Identity> {
        let made = self.identity.get_or_init(|| Arc::new(self.make_identity()));
        Arc::clone(made)
    }

    /// Whether this use is news.
    pub(super) fn is_use_news(&self, now: Timestamp) -> bool {
        is_news(&self.used_at, now)
    }

    /// Whether this refusal is news.
    pub(super) fn is_refusal_news(&self, now: Timestamp) -> bool {
        is_news(&self.refused_at, now)
    }

    fn make_identity(&self) -> Identity {
        Identity {
            issuer: Issuer::ApiKey(self.id),
            subject: self.subject.clone(),
            session: None,
            email: self.email.clone(),
            roles: self.roles.to_vec(),
            scopes: self.scopes.to_vec(),
            not_before: None,
            expires_at: self.ends_at().unwrap_or(Timestamp::from_millis(i64::MAX)),
            claims: self.claims(),
        }
    }

    /// What a token would say. `amr` has no registered word for a key (RFC 8176 §2), so it is ours.
    fn claims(&self) -> JsonObject {
        let mut claims = JsonObject::new();
        let mut set = |name: &str, value| claims.insert(name.to_owned(), value);
        set("sub", json!(self.subject));
        set("roles", json!(self.roles));
        set("scope", json!(self.scopes.join(" ")));
        set("amr", json!(["api-key"]));
        set("key_id", json!(self.id.to_string()));
        set("key_name", json!(self.name));
        if let Some(email) = &self.email {
            set("email", json!(email));
        }
        claims
    }
}

/// Once a minute for each key, however many ask at once.
fn is_news(last: &AtomicI64, now: Timestamp) -> bool {
    let before = last.load(Ordering::Relaxed);
    let is_due = now.since(Timestamp::from_millis(before)) >= MINUTE;
    is_due
        && last
            .compare_exchange(
                before,
                now.as_millis(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            )
            .is_ok()
}

/// A user's key is as good as their account.
fn flaw(key: &ApiKey, owner: Option<&Owner>) -> Option<KeyRefusal> {
    if key.revoked_at.is_some() {
        return Some(KeyRefusal::Revoked);
    }
    match (&key.subject, owner.map(|owner| owner.status)) {
        (KeySubject::Service(_), _) | (KeySubject::User(_), Some(AccountStatus::Enabled)) => None,
        (KeySubject::User(_), Some(AccountStatus::Disabled)) => Some(KeyRefusal::OwnerDisabled),
        (KeySubject::User(_), None) => Some(KeyRefusal::OwnerGone),
    }
}

fn end(key: &ApiKey) -> Option<(Timestamp, KeyRefusal)> {
    let ends = [
        (key.revoked_at, KeyRefusal::Revoked),
        (key.retires_at, KeyRefusal::Retired),
        (key.expires_at, KeyRefusal::Expired),
    ];
    let ends = ends.into_iter().filter_map(|(at, how)| Some((at?, how)));
    ends.min_by_key(|(at, _)| *at)
}
