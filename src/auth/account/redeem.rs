//! Showing a code: what comes in, and whether it holds.

use std::time::Duration;

use tokio::time::Instant;

use super::super::{Auth, Caller, IssueError};
use super::AccountError;
use super::guard::Attempt;
use crate::clock::Timestamp;
use crate::code::{self, DigitsHash, Purpose, Subject, TokenHash};
use crate::codes::{Exchange, Redeemed, Shown};
use crate::secret::SecretText;
use crate::user::Email;

/// No wrong code is told, and no masked sign-up answered, before this time has passed: a wrong guess at
/// a code that is there writes to the store, one at a code that is not there does not, and a write may
/// take some milliseconds.
pub(super) const QUIET: Duration = Duration::from_millis(250);

/// A code, as somebody shows it. Whether it holds is not known yet.
#[derive(Clone, Debug)]
pub enum ShownCode {
    /// Six digits, and the address that they should have been sent to.
    Digits {
        /// The address.
        email: Email,
        /// The digits, as typed.
        digits: SecretText,
    },
    /// The token of a link.
    Token(SecretText),
}

impl ShownCode {
    /// What limits and the audit log name it by; a token names nobody.
    pub(super) fn account(&self) -> Option<&str> {
        self.email().map(Email::as_str)
    }

    /// The address that it names, if it names one.
    pub(super) const fn email(&self) -> Option<&Email> {
        match self {
            Self::Digits { email, .. } => Some(email),
            Self::Token(_) => None,
        }
    }
}

impl Auth {
    /// Uses up a code. What is done with it comes after, so that it is done once.
    pub(super) async fn redeem(
        &self,
        purpose: Purpose,
        code: &ShownCode,
        caller: &Caller,
    ) -> Result<Redeemed, AccountError> {
        let redeemed = self.redeem_first(&[purpose], code, caller).await;
        redeemed.map(|(_, redeemed)| redeemed)
    }

    /// The same for whichever of these purposes it was sent; counted once, and wrong after one wait.
    pub(super) async fn redeem_first(
        &self,
        purposes: &[Purpose],
        code: &ShownCode,
        caller: &Caller,
    ) -> Result<(Purpose, Redeemed), AccountError> {
        self.guard(Attempt::ShowCode, caller, code.email()).await?;
        let began = Instant::now();
        let mut found = None;
        for purpose in purposes {
            let redeemed = self.redeem_for(*purpose, code).await?;
            found = redeemed.map(|redeemed| (*purpose, redeemed));
            if found.is_some() {
                break;
            }
        }
        right_or_later(found, began).await
    }

    async fn redeem_for(
        &self,
        purpose: Purpose,
        code: &ShownCode,
    ) -> Result<Option<Redeemed>, AccountError> {
        Ok(match code {
            ShownCode::Digits { email, digits } => {
                let shown = self.shown(purpose, (email, digits))?;
                self.codes().redeem_digits(shown).await?
            }
            ShownCode::Token(token) => {
                let hash = TokenHash::of(token);
                self.codes()
                    .redeem_token(purpose, &hash, self.now())
                    .await?
            }
        })
    }

    /// Uses up digits for a token, with which the caller goes on.
    pub(super) async fn exchange(
        &self,
        purpose: Purpose,
        digits: (&Email, &SecretText),
        caller: &Caller,
    ) -> Result<(Redeemed, SecretText, Timestamp), AccountError> {
        self.guard(Attempt::ShowCode, caller, Some(digits.0))
            .await?;
        let began = Instant::now();
        let shown = self.shown(purpose, digits)?;
        let token = code::new_token();
        let ends_at = self.now().plus(self.rules().codes.digits_lifetime);
        let exchange = Exchange {
            token: TokenHash::of(&token),
            ends_at,
        };
        let exchanged = self.codes().exchange_digits(shown, exchange).await?;
        let redeemed = right_or_later(exchanged, began).await?;
        Ok((redeemed, token, ends_at))
    }

    fn shown(
        &self,
        purpose: Purpose,
        (email, digits): (&Email, &SecretText),
    ) -> Result<Shown, AccountError> {
        let subject = Subject {
            email: email.clone(),
            purpose,
        };
        let signer = self.parts.tokens.session_signer();
        let hashes = DigitsHash::candidates(&subject, &code::typed_digits(digits), &signer);
        Ok(Shown {
            digits: hashes.ok_or(IssueError::NoSessionKey)?,
            subject,
            now: self.now(),
        })
    }
}

async fn right_or_later<T>(redeemed: Option<T>, began: Instant) -> Result<T, AccountError> {
    if let Some(redeemed) = redeemed {
        return Ok(redeemed);
    }
    tokio::time::sleep_until(began + QUIET).await;
    Err(AccountError::InvalidCode)
}
