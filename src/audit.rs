//! The audit log: who tried what, from where, and what came of it. Never a secret.

use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use crate::clock::SharedClock;
use crate::id::ApiKeyId;
use crate::logs::LineLog;

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A sign-in, at any entrance.
    SignIn,
    /// A sign-in at an admin's entrance.
    AdminSignIn,
    /// A refresh.
    Refresh,
    /// The end of one session, asked for by its user.
    SignOut,
    /// The end of all sessions of a user, asked for by that user or at the command line.
    SignOutAll,
    /// The end of a session by an administrator or by its user from another session.
    EndSession,
    /// A new account.
    AddUser,
    /// A changed account.
    ChangeUser,
    /// A removed account.
    RemoveUser,
    /// Somebody makes an account of their own.
    SignUp,
    /// An address is to be proved, or was.
    VerifyEmail,
    /// A new password by mail.
    ResetPassword,
    /// A new password by one who is signed in, or by an administrator.
    ChangePassword,
    /// A code to sign in with is asked for.
    RequestSignInCode,
    /// Another address.
    ChangeEmail,
    /// A new signing key.
    RotateKeys,
    /// A new API key.
    CreateApiKey,
    /// Another name for an API key.
    RenameApiKey,
    /// A new API key in the place of another, which is the one that is named.
    RotateApiKey,
    /// The end of an API key.
    RevokeApiKey,
    /// A request with an API key that holds no longer; told once a minute for each key.
    UseApiKey,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was refused.
    Refused,
    /// It could not be done: a store was away, the pool was full.
    Failed,
}

/// One line of the audit log.
#[derive(Clone, Debug, Serialize)]
pub struct Event<'a> {
    /// What was tried.
    pub action: Action,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, as a fixed word: `wrong-password`, `unknown-user`, `reused-token`, …
    pub reason: &'static str,
    /// Who tried: a user id, or the login as typed in its one spelling, or `cli`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<&'a str>,
    /// The user that it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The session that it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The request that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// The audit log.
#[derive(Clone, Debug)]
pub struct Audit {
    log: LineLog,
    clock: SharedClock,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    #[serde(flatten)]
    event: &'a Event<'a>,
    /// The API key that it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
}

impl Audit {
    /// Writes to `log`, with the time that `clock` shows.
    pub const fn new(log: LineLog, clock: SharedClock) -> Self {
        Self { log, clock }
    }

    /// An audit log that keeps nothing.
    pub fn off(clock: SharedClock) -> Self {
        Self::new(LineLog::off(), clock)
    }

    /// Waits until what was recorded is written: for the end of a process.
    pub fn flush(&self) {
        self.log.flush(Duration::from_secs(5));
    }

    /// Writes `event` as one line of JSON, never waiting for it.
    pub fn record(&self, event: &Event<'_>) {
        self.write(event, None);
    }

    /// The same of an event that is about an API key.
    pub fn record_of_key(&self, event: &Event<'_>, key: ApiKeyId) {
        self.write(event, Some(key));
    }

    fn write(&self, event: &Event<'_>, key: Option<ApiKeyId>) {
        self.log.write(&Line {
            time: self.clock.now().to_string(),
            event,
            api_key: key.map(|key| key.to_string()),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prometheus_client::metrics::counter::Counter;
    use serde_json::{Value, json};

    use super::*;
    use crate::clock::{ManualClock, Timestamp};
    use crate::logs::LogTarget;

    #[test]
    fn an_event_is_one_line_with_its_time() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("audit.log");
        let clock = ManualClock::at(Timestamp::from_seconds(1_763_696_385));
        let target = LogTarget::File(path.clone());
        let log = LineLog::open(target, clock.clone(), Counter::default()).unwrap();
        let audit = Audit::new(log.clone(), clock);
        audit.record(&Event {
            action: Action::AdminSignIn,
            outcome: Outcome::Refused,
            reason: "wrong-password",
            actor: Some("a@b.c\r\n{}"),
            user: None,
            session: None,
            address: Some("192.0.2.1".parse().unwrap()),
            request_id: None,
        });
        log.flush(Duration::from_secs(20));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: Value = serde_json::from_str(&text).unwrap();
        let expected = json!({
            "time": "2025-11-21T03:39:45.000Z",
            "action": "admin-sign-in",
            "outcome": "refused",
            "reason": "wrong-password",
            "actor": "a@b.c\r\n{}",
            "address": "192.0.2.1",
        });
        assert_eq!(line, expected);
    }
}
