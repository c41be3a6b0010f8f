//! Proving an address.

use super::super::{Auth, Caller, SignedIn};
use super::AccountError;
pub use super::errand::{CodeRequest, ResetToken};
use super::prove::Password;
use super::record::About;
use super::redeem::ShownCode;
use super::sign_in_code::Opening;
use crate::audit::Action;
use crate::code::Purpose;
use crate::user::{EmailStatus, User};

/// An address that was proved.
#[derive(Debug)]
pub struct Verified {
    /// Its account.
    pub user: User,
    /// The session that was asked for.
    pub signed_in: Option<SignedIn>,
    /// Where the account has no password (any more): with this, its owner chooses one.
    pub choose_password: Option<ResetToken>,
}

impl Auth {
    /// Sends a code that proves the address, if there is an account whose address is not proved.
    pub async fn request_verification(&self, request: CodeRequest) -> Result<(), AccountError> {
        let asked = self.asked_for(&request).await;
        let about = About {
            actor: Some(request.email.as_str()),
            user: asked
                .as_ref()
                .ok()
                .and_then(|(_, user)| Some(user.as_ref()?.id)),
            caller: &request.caller,
        };
        self.record_account((Action::VerifyEmail, "requested"), &asked, &about);
        let (place, user) = asked?;
        let user = user.filter(|user| user.email_status == EmailStatus::Unverified);
        if let Some(user) = user {
            let post = self.verification(&user, request.delivery);
            let auth = self.clone();
            self.after_answer(async move { auth.send_code(place, post).await });
        }
        Ok(())
    }

    /// Proves an address, and opens a session if asked to. Sessions that were opened before end.
    pub async fn verify_email(
        &self,
        code: &ShownCode,
        opening: Option<&Opening>,
        caller: &Caller,
    ) -> Result<Verified, AccountError> {
        let result = self.try_verify(code, opening, caller).await;
        let about = About {
            actor: code.account(),
            user: result.as_ref().ok().map(|verified| verified.user.id),
            caller,
        };
        self.record_account((Action::VerifyEmail, "verified"), &result, &about);
        result
    }

    async fn try_verify(
        &self,
        code: &ShownCode,
        opening: Option<&Opening>,
        caller: &Caller,
    ) -> Result<Verified, AccountError> {
        let redeemed = self.redeem(Purpose::VerifyEmail, code, caller).await?;
        let proved = self.prove(&redeemed, &Password::Stays).await?;
        let choose_password = if proved.has_password {
            None
        } else {
            Some(self.reset_token(&proved.user).await?)
        };
        let signed_in = match opening {
            None => None,
            Some(opening) => Some(self.open_session_of(&proved.user, opening).await?),
        };
        Ok(Verified {
            user: proved.user,
            signed_in,
            choose_password,
        })
    }
}
