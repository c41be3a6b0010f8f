//! The audit log: who tried what, from where, and what came of it. Never a secret.

use std::net::IpAddr;

use serde::Serialize;

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
    /// The end of all sessions of a user, asked for by that user.
    SignOutAll,
    /// The end of a session by an administrator or by its user from another session.
    EndSession,
    /// A new account.
    AddUser,
    /// A changed account.
    ChangeUser,
    /// A removed account.
    RemoveUser,
    /// A new signing key.
    RotateKeys,
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
    pub actor: Option<&'a str>,
    /// The user that it was about.
    pub user: Option<String>,
    /// The session that it was about.
    pub session: Option<String>,
    /// From where.
    pub address: Option<IpAddr>,
    /// The request that asked for it.
    pub request_id: Option<String>,
}
