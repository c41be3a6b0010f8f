//! Moving an account to another address.

use super::super::{Auth, Caller, SignedIn};
use super::change_password::Proof;
use super::errand::Post;
use super::guard::Attempt;
use super::letter::Occasion;
use super::record::About;
use super::redeem::ShownCode;
use super::rules::Delivery;
use super::sign_in_code::Opening;
use super::{AccountError, Member};
use crate::audit::Action;
use crate::code::Purpose;
use crate::user::{AccountStatus, Email, EmailStatus, Login, User};
use crate::users::UserUpdate;

/// An address that an account is to be moved to.
#[derive(Clone, Debug)]
pub struct NewAddress {
    /// The address. Whether it has an account, the answer does not tell.
    pub email: Email,
    /// How the code reaches it; none: as the rules say.
    pub delivery: Option<Delivery>,
}

/// An account at its new address.
#[derive(Debug)]
pub struct Moved {
    /// The account.
    pub user: User,
    /// The session that was asked for.
    pub signed_in: Option<SignedIn>,
}

impl Auth {
    /// Sends a code to the new address, if no account has it. Until the code is shown, nothing changes.
    pub async fn request_email_change(
        &self,
        member: &Member,
        proof: &Proof,
        new: NewAddress,
    ) -> Result<(), AccountError> {
        let result = self.try_request_email_change(member, proof, new).await;
        self.record_member((Action::ChangeEmail, "requested"), &result, member);
        result
    }

    async fn try_request_email_change(
        &self,
        member: &Member,
        proof: &Proof,
        new: NewAddress,
    ) -> Result<(), AccountError> {
        self.guard(Attempt::RequestCode, &member.caller, Some(&new.email))
            .await?;
        let place = self.place()?;
        self.confirm(member, proof).await?;
        let login = Login::Email(new.email.clone());
        let taken = self.parts.users.by_login(&login).await?.is_some();
        if taken {
            return Ok(());
        }
        let usual = || self.rules().deliveries.change_email.clone();
        let post = Post {
            user: member.user,
            to: new.email,
            purpose: Purpose::ChangeEmail,
            occasion: Occasion::ChangeEmail,
            delivery: new.delivery.unwrap_or_else(usual),
        };
        let auth = self.clone();
        self.after_answer(async move { auth.send_code(place, post).await });
        Ok(())
    }

    /// Moves the account to the address that the code was sent to, tells the old one, and opens a
    /// session if asked to.
    pub async fn confirm_email_change(
        &self,
        code: &ShownCode,
        opening: Option<&Opening>,
        caller: &Caller,
    ) -> Result<Moved, AccountError> {
        let result = self.try_confirm_email_change(code, caller).await;
        let about = About {
            actor: code.account(),
            user: result.as_ref().ok().map(|user| user.id),
            caller,
        };
        self.record_account((Action::ChangeEmail, "changed"), &result, &about);
        let user = result?;
        let signed_in = match opening {
            None => None,
            Some(opening) => Some(self.open_session_of(&user, opening).await?),
        };
        Ok(Moved { user, signed_in })
    }

    async fn try_confirm_email_change(
        &self,
        code: &ShownCode,
        caller: &Caller,
    ) -> Result<User, AccountError> {
        let redeemed = self.redeem(Purpose::ChangeEmail, code, caller).await?;
        let before = self.parts.users.by_id(redeemed.user).await?;
        let before = before.ok_or(AccountError::InvalidCode)?;
        match before.status {
            AccountStatus::Enabled => {}
            AccountStatus::Disabled => return Err(AccountError::Disabled),
        }
        let update = UserUpdate {
            email: Some(redeemed.email),
            email_status: Some(EmailStatus::Verified),
            ..UserUpdate::default()
        };
        let user = self.parts.users.update(before.id, update).await?;
        self.parts.api_keys.owner_changed().await;
        // Codes of the old address hold no more in any case: they name another one.
        if let Err(error) = self.codes().forget(user.id).await {
            tracing::warn!(%error, "codes of an old address could not be cleared away");
        }
        let moved = Occasion::EmailChanged(user.email.clone());
        self.send_notice(before.email, moved);
        Ok(user)
    }
}
