//! The one place through which everything passes that somebody might try too often.

use super::super::{Auth, Caller};
use super::AccountError;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// Making an account.
    SignUp,
    /// Asking for a mail.
    RequestCode,
    /// Showing a code.
    ShowCode,
    /// Showing the present password.
    ShowPassword,
}

impl Auth {
    /// Whether `caller` may try this now. `account` is the address or user id that it is about, in its
    /// one spelling; whether there is such an account must not matter.
    ///
    /// Limits over time are not kept here yet; what a code stands, it counts itself, and the outbox and
    /// the pool of hashes have their bounds.
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "limits over time are put in here"
    )]
    pub(super) const fn guard(
        &self,
        _attempt: Attempt,
        _caller: &Caller,
        _account: &str,
    ) -> Result<(), AccountError> {
        Ok(())
    }
}
