//! Setting a password: by one who is signed in, or for somebody by one who may.

use super::super::{Auth, Caller};
use super::guard::Attempt;
use super::record::About;
use super::redeem::ShownCode;
use super::{AccountError, Member};
use crate::audit::Action;
use crate::code::Purpose;
use crate::id::UserId;
use crate::password::pool::Checked;
use crate::password::rules::Owner;
use crate::secret::SecretText;
use crate::session::Session;
use crate::user::{AccountStatus, Login};
use crate::users::{PasswordHash, StoredUser, UpdateError, UserUpdate};

/// What shows that it is the owner who sits before the open session.
#[derive(Clone, Debug)]
pub enum Proof {
    /// The present password.
    Password(SecretText),
    /// A sign-in not long ago.
    FreshSession,
    /// Six digits that were mailed to their address to set a password.
    MailedDigits(SecretText),
}

impl Auth {
    /// Sets the password of the member; the session that asks goes on, all others end.
    pub async fn change_password(
        &self,
        member: &Member,
        proof: &Proof,
        new: &SecretText,
    ) -> Result<(), AccountError> {
        let result = self.try_change_password(member, proof, new).await;
        self.record_member((Action::ChangePassword, "changed"), &result, member);
        result
    }

    async fn try_change_password(
        &self,
        member: &Member,
        proof: &Proof,
        new: &SecretText,
    ) -> Result<(), AccountError> {
        let (session, stored) = self.at_home(member).await?;
        let passwords = &self.parts.passwords;
        // Before the proof: a password that is no good costs nobody their code.
        let accepted = passwords.accept(new.clone(), Owner::of(&stored.user));
        let accepted = accepted.await?;
        self.show(member, proof, (&session, &stored)).await?;
        let hash = passwords.hash(accepted).await?;
        let update = UserUpdate {
            expected: Some(stored.user.revision),
            password: Some(Some(hash)),
            ..UserUpdate::default()
        };
        self.parts.users.update(member.user, update).await?;
        self.end_sessions_of(member.user, Some(member.session))
            .await?;
        Ok(())
    }

    /// Sets somebody's password, and ends all their sessions. For callers whom the face has judged.
    pub async fn set_password(
        &self,
        user: UserId,
        new: &SecretText,
        caller: &Caller,
    ) -> Result<(), AccountError> {
        let result = self.try_set_password(user, new).await;
        let about = About {
            actor: None,
            user: Some(user),
            caller,
        };
        self.record_account((Action::ChangePassword, "set"), &result, &about);
        result
    }

    async fn try_set_password(&self, user: UserId, new: &SecretText) -> Result<(), AccountError> {
        let known = self.parts.users.by_id(user).await?;
        let known = known.ok_or(AccountError::Gone)?;
        let hash = self.accept_password(new, Owner::of(&known)).await?;
        let update = UserUpdate {
            password: Some(Some(hash)),
            ..UserUpdate::default()
        };
        self.can_end_sessions_of(user).await?;
        self.parts.users.update(user, update).await?;
        self.end_sessions_of(user, None).await?;
        Ok(())
    }

    /// Judges a new password, and hashes it. The one place that knows the rules for it.
    pub(super) async fn accept_password(
        &self,
        new: &SecretText,
        owner: Owner<'_>,
    ) -> Result<PasswordHash, AccountError> {
        let passwords = &self.parts.passwords;
        let accepted = passwords.accept(new.clone(), owner).await?;
        Ok(passwords.hash(accepted).await?)
    }

    /// The account of a member who has shown that they are its owner.
    pub(super) async fn confirm(
        &self,
        member: &Member,
        proof: &Proof,
    ) -> Result<StoredUser, AccountError> {
        let (session, stored) = self.at_home(member).await?;
        self.show(member, proof, (&session, &stored)).await?;
        Ok(stored)
    }

    /// The session and the account of a member. The session store is asked, so that what follows can
    /// end sessions.
    async fn at_home(&self, member: &Member) -> Result<(Session, StoredUser), AccountError> {
        let session = self.parts.sessions.find(member.session, self.now()).await?;
        let session = session.filter(|session| session.subject.user == member.user);
        let session = session.ok_or(AccountError::Gone)?;
        Ok((session, self.account_of(member.user).await?))
    }

    /// Judges the proof. Digits that were mailed are used up by it.
    async fn show(
        &self,
        member: &Member,
        proof: &Proof,
        (session, stored): (&Session, &StoredUser),
    ) -> Result<(), AccountError> {
        match proof {
            Proof::FreshSession => {
                let age = self.now().since(session.created_at);
                if age > self.rules().fresh_for {
                    return Err(AccountError::NotFresh);
                }
            }
            Proof::MailedDigits(digits) => {
                let code = ShownCode::Digits {
                    email: stored.user.email.clone(),
                    digits: digits.clone(),
                };
                let redeemed = self.redeem(Purpose::ResetPassword, &code, &member.caller);
                if redeemed.await?.user != member.user {
                    return Err(AccountError::InvalidCode);
                }
            }
            Proof::Password(password) => {
                let email = Some(&stored.user.email);
                let pass = self.guard(Attempt::ShowPassword, &member.caller, email);
                let pass = pass.await?;
                self.check_own_password(stored, password).await?;
                self.forgive(pass).await;
            }
        }
        Ok(())
    }

    pub(super) async fn check_own_password(
        &self,
        stored: &StoredUser,
        password: &SecretText,
    ) -> Result<(), AccountError> {
        let hash = stored.password.clone();
        match self.parts.passwords.check(hash, password.clone()).await? {
            Checked::Right | Checked::RightButOutdated { .. } => Ok(()),
            Checked::Wrong | Checked::Unverifiable(_) => Err(AccountError::WrongPassword),
        }
    }

    async fn account_of(&self, user: UserId) -> Result<StoredUser, AccountError> {
        let known = self.parts.users.by_id(user).await?;
        let known = known.ok_or(AccountError::Gone)?;
        let stored = self
            .parts
            .users
            .by_login(&Login::Email(known.email))
            .await?;
        let stored = stored.filter(|stored| stored.user.id == user);
        let stored = stored.ok_or(AccountError::Outdated)?;
        match stored.user.status {
            AccountStatus::Enabled => Ok(stored),
            AccountStatus::Disabled => Err(AccountError::Disabled),
        }
    }

    pub(super) fn record_member<T>(
        &self,
        action: (Action, &'static str),
        result: &Result<T, AccountError>,
        member: &Member,
    ) {
        let actor = member.user.to_string();
        let about = About {
            actor: Some(&actor),
            user: Some(member.user),
            caller: &member.caller,
        };
        self.record_account(action, result, &about);
    }
}

impl From<UpdateError> for AccountError {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::NoSuchUser => Self::Gone,
            UpdateError::Outdated => Self::Outdated,
            UpdateError::EmailTaken => Self::EmailTaken,
            UpdateError::UsernameTaken => Self::UsernameTaken,
            UpdateError::Unavailable(error) => error.into(),
        }
    }
}
