//! The end of an account.

use super::super::Auth;
use super::change_password::Proof;
use super::directory::of;
use super::{AccountError, Agent, Member};
use crate::audit::Action;
use crate::id::UserId;
use crate::user::AccountStatus;
use crate::users::UserChange;

impl Auth {
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
        let closed = UserChange::Status(AccountStatus::Disabled);
        let changed = self.parts.users.change(user, closed).await?;
        changed.ok_or(AccountError::Gone)?;
        self.parts.api_keys.owner_changed().await;
        self.end_sessions_of(user, None).await?;
        Ok(())
    }
}
