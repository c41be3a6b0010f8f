//! Closing an account, opening it again, and its end.

use super::super::{Auth, Caller};
use super::change_password::Proof;
use super::directory::of;
use super::record::About;
use super::{AccountError, Agent, Member};
use crate::audit::Action;
use crate::id::UserId;
use crate::user::AccountStatus;
use crate::users::UserChange;

impl Auth {
    /// Closes somebody's account; their sessions end. For callers whom the face has judged.
    pub async fn disable_account(&self, user: UserId, caller: &Caller) -> Result<(), AccountError> {
        let result = self.close(user).await;
        self.record_status(user, ("disabled", &result), caller);
        result
    }

    /// Opens somebody's account again. For callers whom the face has judged.
    pub async fn enable_account(&self, user: UserId, caller: &Caller) -> Result<(), AccountError> {
        let result = self.set_status(user, AccountStatus::Enabled).await;
        self.record_status(user, ("enabled", &result), caller);
        result
    }

    /// Removes the account of the member, with its sessions and codes.
    pub async fn delete_account(&self, member: &Member, proof: &Proof) -> Result<(), AccountError> {
        let result = self.try_delete(member, proof).await;
        self.record_member((Action::RemoveUser, "removed-by-owner"), &result, member);
        result
    }

    /// Removes somebody's account. For callers whom the face has judged.
    pub async fn remove_account(
        &self,
        user: UserId,
        agent: &Agent<'_>,
    ) -> Result<(), AccountError> {
        let result = self.remove(user).await;
        let about = of(user, agent);
        self.told((Action::RemoveUser, "removed"), result, &about)
            .await
    }

    async fn try_delete(&self, member: &Member, proof: &Proof) -> Result<(), AccountError> {
        self.confirm(member, proof).await?;
        self.remove(member.user).await
    }

    /// Closed first: were it removed before its sessions are ended and they could not be, nobody could
    /// try again, for want of an account.
    pub(in crate::auth) async fn remove(&self, user: UserId) -> Result<(), AccountError> {
        self.close(user).await?;
        self.codes().forget(user).await?;
        self.parts.users.remove(user).await?;
        Ok(())
    }

    async fn close(&self, user: UserId) -> Result<(), AccountError> {
        self.can_end_sessions_of(user).await?;
        self.set_status(user, AccountStatus::Disabled).await?;
        self.end_sessions_of(user, None).await?;
        Ok(())
    }

    async fn set_status(&self, user: UserId, status: AccountStatus) -> Result<(), AccountError> {
        let changed = self
            .parts
            .users
            .change(user, UserChange::Status(status))
            .await?;
        changed.ok_or(AccountError::Gone)?;
        self.parts.api_keys.owner_changed().await;
        Ok(())
    }

    fn record_status(
        &self,
        user: UserId,
        (done, result): (&'static str, &Result<(), AccountError>),
        caller: &Caller,
    ) {
        let about = About {
            actor: None,
            user: Some(user),
            caller,
        };
        self.record_account((Action::ChangeUser, done), result, &about);
    }
}
