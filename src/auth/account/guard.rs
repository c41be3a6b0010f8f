//! The one place through which everything passes that somebody might try too often.

use super::super::limit::Pass;
use super::super::{Auth, Caller, LimitError};
use super::AccountError;
use crate::limit::{Account, Purpose};
use crate::user::Email;

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
    /// Whether `caller` may try this now; it is counted. By the address alone: whether there is such an
    /// account does not matter.
    pub(super) async fn guard(
        &self,
        attempt: Attempt,
        caller: &Caller,
        email: Option<&Email>,
    ) -> Result<Pass, AccountError> {
        let account = email.map(|email| Account::new(email.as_str(), None));
        self.guard_account(attempt, caller, account.as_ref()).await
    }

    /// The same for an account that was looked for: one that somebody has is counted by its id, by which it
    /// knows the networks from which it was signed in to.
    pub(super) async fn guard_account(
        &self,
        attempt: Attempt,
        caller: &Caller,
        account: Option<&Account>,
    ) -> Result<Pass, AccountError> {
        let purpose = match attempt {
            Attempt::SignUp => Purpose::SignUp,
            Attempt::RequestCode => Purpose::Reset,
            Attempt::ShowCode => Purpose::Code,
            Attempt::ShowPassword => Purpose::SignIn,
        };
        let pass = self.limit(purpose, caller, account).await;
        pass.map_err(|error| match error {
            LimitError::Limited(limited) => limited.into(),
            LimitError::Unavailable(error) => error.into(),
        })
    }
}
