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
        let purpose = match attempt {
            Attempt::SignUp => Purpose::SignUp,
            Attempt::RequestCode => Purpose::Reset,
            Attempt::ShowCode => Purpose::Code,
            Attempt::ShowPassword => Purpose::SignIn,
        };
        let account = email.map(|email| Account::new(email.as_str(), None));
        let pass = self.limit(purpose, caller, account.as_ref()).await;
        pass.map_err(|error| match error {
            LimitError::Limited(limited) => limited.into(),
            LimitError::Unavailable(error) => error.into(),
        })
    }
}
