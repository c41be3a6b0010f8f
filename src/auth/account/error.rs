//! Why something in the life of an account was not done.

use super::super::IssueError;
use crate::limit::Limited;
use crate::mail::outbox::Full;
use crate::password::Unverifiable;
use crate::password::pool::Busy;
use crate::password::rules::{Refused, Weak};
use crate::unavailable::Unavailable;

/// Why something in the life of an account was not done.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Accounts are made by administrators alone.
    #[error("nobody may sign up")]
    SignUpClosed,
    /// It needs mail, and there is none.
    #[error("no mail is configured")]
    NoMail,
    /// Addresses of this domain may not sign up.
    #[error("addresses of this domain may not sign up")]
    DomainNotAllowed,
    /// The address belongs to another account. Told only where the rules say so, and to those who
    /// have proved that it is theirs.
    #[error("the address is taken")]
    EmailTaken,
    /// The user name belongs to another account.
    #[error("the user name is taken")]
    UsernameTaken,
    /// The new password is no good.
    #[error(transparent)]
    Weak(#[from] Weak),
    /// The hash that was given in the place of a password could never be checked.
    #[error(transparent)]
    Unverifiable(#[from] Unverifiable),
    /// Wrong, used, run out, tried too often, or never sent: one answer.
    #[error("the code does not hold")]
    InvalidCode,
    /// The code was right, but the account is closed.
    #[error("the account is disabled")]
    Disabled,
    /// The present password is wrong.
    #[error("the password is wrong")]
    WrongPassword,
    /// The sign-in was too long ago; with the present password it would be done.
    #[error("the session is not fresh")]
    NotFresh,
    /// The account is gone, and its session with it.
    #[error("the account is gone")]
    Gone,
    /// Somebody else changes the account at the same time.
    #[error("the account was changed meanwhile")]
    Outdated,
    /// It comes too soon.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// The outbox is full, or too many passwords are being hashed.
    #[error("too much at once")]
    Busy,
    /// A store is away.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// No token could be made.
    #[error(transparent)]
    Issue(#[from] IssueError),
}

impl From<Busy> for AccountError {
    fn from(Busy: Busy) -> Self {
        Self::Busy
    }
}

impl From<Full> for AccountError {
    fn from(Full: Full) -> Self {
        Self::Busy
    }
}

impl From<Refused> for AccountError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Weak(weak) => Self::Weak(weak),
            Refused::Unavailable(error) => Self::Unavailable(error),
        }
    }
}
