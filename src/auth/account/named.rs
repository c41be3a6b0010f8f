//! Accounts by the name that they sign in with, for faces that know one by name and nobody's id.

use super::super::{Auth, Caller};
use super::AccountError;
use super::guard::Attempt;
use super::record::About;
use crate::audit::Action;
use crate::password::rules::Owner;
use crate::secret::SecretText;
use crate::unavailable::Unavailable;
use crate::user::{AccountStatus, Login, User};
use crate::users::directory::Kept;
use crate::users::{StoredUser, UserUpdate};

/// A password that takes the place of another.
#[derive(Clone, Copy, Debug)]
pub struct Replacement<'a> {
    /// The present one.
    pub old: &'a SecretText,
    /// The one that takes its place.
    pub new: &'a SecretText,
}

impl Auth {
    /// The account that signs in by this name. A directory elsewhere tells of nobody.
    pub async fn account_named(&self, login: &Login) -> Result<Option<User>, Unavailable> {
        match self.parts.users.kept() {
            Kept::Elsewhere(_) => Ok(None),
            Kept::Here => {
                let stored = self.parts.users.by_login(login).await?;
                Ok(stored.map(|stored| stored.user))
            }
        }
    }

    /// Sets the password of an account for one who knows the present one, and ends all its sessions.
    pub async fn replace_password(
        &self,
        login: &Login,
        passwords: Replacement<'_>,
        caller: &Caller,
    ) -> Result<(), AccountError> {
        let stored = self.parts.users.by_login(login).await?;
        let result = match &stored {
            Some(stored) => self.try_replace(stored, passwords, caller).await,
            None => Err(AccountError::Gone),
        };
        let about = About {
            actor: Some(login.as_str()),
            user: stored.map(|stored| stored.user.id),
            caller,
        };
        self.record_account((Action::ChangePassword, "replaced"), &result, &about);
        result
    }

    async fn try_replace(
        &self,
        stored: &StoredUser,
        passwords: Replacement<'_>,
        caller: &Caller,
    ) -> Result<(), AccountError> {
        let user = &stored.user;
        let pass = self.guard(Attempt::ShowPassword, caller, Some(&user.email));
        let pass = pass.await?;
        self.check_own_password(stored, passwords.old).await?;
        self.forgive(pass).await;
        match user.status {
            AccountStatus::Enabled => {}
            AccountStatus::Disabled => return Err(AccountError::Disabled),
        }
        let hash = self.accept_password(passwords.new, Owner::of(user)).await?;
        self.can_end_sessions_of(user.id).await?;
        let update = UserUpdate {
            expected: Some(user.revision),
            password: Some(Some(hash)),
            ..UserUpdate::default()
        };
        self.parts.users.update(user.id, update).await?;
        self.end_sessions_of(user.id, None).await?;
        Ok(())
    }
}
