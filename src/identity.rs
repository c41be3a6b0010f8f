//! Who a verified credential speaks for: all that a policy or an upstream may learn of the caller.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::id::{ApiKeyId, SessionId};
use crate::user::JsonObject;

/// On whose word a caller is who they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Issuer {
    /// This gateway signed their token, which belongs to a session.
    Own,
    /// One of the `[[issuers]]`, by its `iss`, signed it.
    Foreign(Box<str>),
    /// They showed this API key of the gateway. Its subject may be a user, but a key is no session: it
    /// neither refreshes nor signs out, nor sees what only a person should.
    ApiKey(ApiKeyId),
}

/// The caller, as a verified credential tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Who says so.
    pub issuer: Issuer,
    /// Whom it is about; for our own tokens a user id.
    pub subject: Box<str>,
    /// The session that it belongs to; tokens of other issuers have none here.
    pub session: Option<SessionId>,
    /// The caller's address, where the token has one.
    pub email: Option<Box<str>>,
    /// The caller's roles; a foreign token that meets its issuer's admin rule has `admin` among them.
    pub roles: Vec<Box<str>>,
    /// The scopes of the key, or of the token (`scope`, RFC 8693 §4.2, or `scp`).
    pub scopes: Vec<Box<str>>,
    /// From when it holds.
    pub not_before: Option<Timestamp>,
    /// Until when it holds.
    pub expires_at: Timestamp,
    /// Every claim of the token, or what would be a token's of the key: for rules by claim.
    pub claims: JsonObject,
}

impl Identity {
    /// Whether `role` is among the caller's roles.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|held| **held == *role)
    }

    /// Whether it holds at `now`, give or take `leeway`: a verdict of yesterday says nothing of today.
    pub fn validity(&self, now: Timestamp, leeway: Duration) -> Validity {
        if self.expires_at.plus(leeway) <= now {
            return Validity::Expired;
        }
        match self.not_before {
            Some(start) if now.plus(leeway) < start => Validity::NotYet,
            _ => Validity::Holds,
        }
    }
}

/// Whether an identity holds at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// It does.
    Holds,
    /// Its time has passed.
    Expired,
    /// Its time has not come.
    NotYet,
}
