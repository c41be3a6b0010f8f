//! A new password by mail.

use super::super::{Auth, Caller};
use super::AccountError;
use super::errand::{CodeRequest, Post, ResetToken};
use super::letter::Occasion;
use super::prove::Password;
use super::record::About;
use super::redeem::ShownCode;
use super::rules::Delivery;
use crate::audit::Action;
use crate::code::Purpose;
use crate::password::rules::Owner;
use crate::secret::SecretText;
use crate::user::{Email, User};

impl Auth {
    /// Sends a code that sets a password, if there is such an account.
    pub async fn request_reset(&self, request: CodeRequest) -> Result<(), AccountError> {
        let asked = self.asked_for(&request).await;
        let about = About {
            actor: Some(request.email.as_str()),
            user: asked
                .as_ref()
                .ok()
                .and_then(|(_, user)| Some(user.as_ref()?.id)),
            caller: &request.caller,
        };
        self.record_account((Action::ResetPassword, "requested"), &asked, &about);
        let (place, user) = asked?;
        if let Some(user) = user {
            let post = self.reset(&user, request.delivery);
            let auth = self.clone();
            self.after_answer(async move { auth.send_code(place, post).await });
        }
        Ok(())
    }

    /// Takes six digits for a token that lives a little longer: for clients that ask for the code on
    /// one page and for the password on the next.
    pub async fn exchange_reset_code(
        &self,
        email: &Email,
        digits: &SecretText,
        caller: &Caller,
    ) -> Result<ResetToken, AccountError> {
        let result = self
            .exchange(Purpose::ResetPassword, (email, digits), caller)
            .await;
        let about = About {
            actor: Some(email.as_str()),
            user: result.as_ref().ok().map(|(redeemed, ..)| redeemed.user),
            caller,
        };
        self.record_account((Action::ResetPassword, "exchanged"), &result, &about);
        result.map(|(_, text, ends_at)| ResetToken { text, ends_at })
    }

    /// Sets a password; all sessions end, and the address is proved.
    pub async fn reset_password(
        &self,
        code: &ShownCode,
        new: &SecretText,
        caller: &Caller,
    ) -> Result<User, AccountError> {
        let result = self.try_reset(code, new, caller).await;
        let about = About {
            actor: code.account(),
            user: result.as_ref().ok().map(|user| user.id),
            caller,
        };
        self.record_account((Action::ResetPassword, "reset"), &result, &about);
        result
    }

    /// The code is used up last of all that can fail for other reasons: a password that is too short,
    /// or a full pool, costs nobody their code.
    async fn try_reset(
        &self,
        code: &ShownCode,
        new: &SecretText,
        caller: &Caller,
    ) -> Result<User, AccountError> {
        // Whose token it is shows only when it is used up.
        let owner = Owner {
            email: code.email(),
            username: None,
        };
        let hash = self.accept_password(new, owner).await?;
        let redeemed = self.redeem(Purpose::ResetPassword, code, caller).await?;
        let proved = self.prove(&redeemed, &Password::Becomes(hash)).await?;
        Ok(proved.user)
    }

    pub(super) fn reset(&self, user: &User, delivery: Option<Delivery>) -> Post {
        let usual = || self.rules().deliveries.reset_password.clone();
        Post {
            user: user.id,
            to: user.email.clone(),
            purpose: Purpose::ResetPassword,
            occasion: Occasion::Reset,
            delivery: delivery.unwrap_or_else(usual),
        }
    }
}
