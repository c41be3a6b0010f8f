//! How the keys are called.
//!
//! | key | holds |
//! | --- | --- |
//! | `‹prefix›{sessions}:session:‹session id›` | a hash: the session; expires by itself |
//! | `‹prefix›{sessions}:user:‹user id›` | a sorted set: ids of the user's sessions, by when they expire |
//! | `‹prefix›{sessions}:epoch:‹user id›` | a number: how often all sessions of the user were ended |
//! | `‹prefix›{sessions}:limit:‹hash›` | a text: how often something was tried; expires by itself |
//! | `‹prefix›{sessions}:log` | a stream: the sessions that ended before their time |
//!
//! One hash tag for all of them: on a Redis Cluster they live in one slot, so each script stays whole
//! there, and nothing has to be re-keyed on the way to one. What it gives up is spreading the load:
//! sessions are touched at sign-in, at sign-out and once in the life of an access token, which for a
//! million sessions and 15 minutes is some 1,100 scripts a second, of which one server does forty times
//! as many. Several gateways on one Cluster are spread by a prefix with a tag of its own, which
//! then is the one that counts: `shop{shop}:`.

use crate::id::{SessionId, UserId};

/// The keys of one gateway.
pub(super) struct Keys {
    /// What the keys of sessions start with.
    pub(super) session_prefix: String,
    /// What the keys of users' sessions start with.
    pub(super) user_prefix: String,
    epoch_prefix: String,
    /// What the keys of counted attempts start with.
    pub(super) limit_prefix: String,
    /// The log.
    pub(super) log: String,
}

impl Keys {
    /// Keys that all start with `prefix`.
    pub(super) fn new(prefix: &str) -> Self {
        let key = |name: &str| format!("{prefix}{{sessions}}:{name}");
        Self {
            session_prefix: key("session:"),
            user_prefix: key("user:"),
            epoch_prefix: key("epoch:"),
            limit_prefix: key("limit:"),
            log: key("log"),
        }
    }

    /// The key of a session.
    pub(super) fn session(&self, id: SessionId) -> String {
        format!("{}{id}", self.session_prefix)
    }

    /// The key of a user's sessions.
    pub(super) fn user(&self, id: UserId) -> String {
        format!("{}{id}", self.user_prefix)
    }

    /// The pattern of the keys of users' sessions, as `SCAN` reads it. A prefix may hold what is special
    /// in one.
    pub(super) fn user_pattern(&self) -> String {
        let spelt = |character: char| match character {
            '*' | '?' | '[' | ']' | '\\' => format!("\\{character}"),
            plain => plain.to_string(),
        };
        let mut pattern: String = self.user_prefix.chars().map(spelt).collect();
        pattern.push('*');
        pattern
    }

    /// The key of a user's epoch.
    pub(super) fn epoch(&self, id: UserId) -> String {
        format!("{}{id}", self.epoch_prefix)
    }
}
