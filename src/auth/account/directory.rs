//! The directory of users, for callers whom a face has judged as its administrators.

use super::super::Auth;
use super::record::About;
use super::{AccountError, Agent};
use crate::audit::Action;
use crate::id::UserId;
use crate::password::rules::Owner;
use crate::password::{self, PasswordHash};
use crate::secret::SecretText;
use crate::unavailable::Unavailable;
use crate::user::{AccountStatus, Email, EmailStatus, JsonObject, Revision, Roles, User, Username};
use crate::users::{NewUser, UserPage, UserQuery, UserUpdate};

/// A password that an account is given.
#[derive(Clone, Debug)]
pub enum NewPassword {
    /// As it is typed: the rules for passwords judge it.
    Plain(SecretText),
    /// As another system hashed it, where it was judged; taken if it can be checked here.
    Hash(PasswordHash),
}

/// A new account.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id; none: a new one.
    pub id: Option<UserId>,
    /// Its address.
    pub email: Email,
    /// Its name for people.
    pub username: Option<Username>,
    /// What it may do.
    pub roles: Roles,
    /// Its password; none: it cannot be signed in to with one.
    pub password: Option<NewPassword>,
    /// Open or closed.
    pub status: AccountStatus,
    /// Whether the address is proved.
    pub email_status: EmailStatus,
    /// What the user says of themselves.
    pub profile: JsonObject,
    /// What the system keeps about the user.
    pub metadata: JsonObject,
}

/// A change of an account; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Amendment {
    /// The revision that the change builds on; `None`: whichever it is.
    pub expected: Option<Revision>,
    /// Another address.
    pub email: Option<Email>,
    /// Another name, or none any more.
    pub username: Option<Option<Username>>,
    /// Other roles, all of them.
    pub roles: Option<Roles>,
    /// Another password.
    pub password: Option<NewPassword>,
    /// The address was proved, or is no longer.
    pub email_status: Option<EmailStatus>,
    /// Opened or closed.
    pub status: Option<AccountStatus>,
    /// Another profile, whole.
    pub profile: Option<JsonObject>,
    /// Other metadata, whole.
    pub metadata: Option<JsonObject>,
}

impl Auth {
    /// A page of users.
    pub async fn list_users(&self, query: &UserQuery) -> Result<UserPage, Unavailable> {
        self.parts.users.list(query).await
    }

    /// Makes an account.
    pub async fn enter_user(&self, entry: Entry, agent: &Agent<'_>) -> Result<User, AccountError> {
        let id = entry.id.unwrap_or_else(|| UserId::new(self.now()));
        let result = self.try_enter(id, entry).await;
        let about = of(id, agent);
        self.told((Action::AddUser, "added"), result, &about).await
    }

    pub(in crate::auth) async fn try_enter(
        &self,
        id: UserId,
        entry: Entry,
    ) -> Result<User, AccountError> {
        let owner = Owner {
            email: Some(&entry.email),
            username: entry.username.as_ref(),
        };
        let password = match &entry.password {
            Some(password) => Some(self.accept_new(password, owner).await?),
            None => None,
        };
        let new = NewUser {
            id,
            email: entry.email,
            username: entry.username,
            password,
            roles: entry.roles,
            status: entry.status,
            email_status: entry.email_status,
            profile: entry.profile,
            metadata: entry.metadata,
        };
        Ok(self.parts.users.insert(new).await?)
    }

    /// Changes an account. Where the change says who may sign in to it, or how, its sessions end.
    pub async fn amend_user(
        &self,
        id: UserId,
        amendment: Amendment,
        agent: &Agent<'_>,
    ) -> Result<User, AccountError> {
        let result = self.try_amend(id, amendment).await;
        let about = of(id, agent);
        self.told((Action::ChangeUser, "amended"), result, &about)
            .await
    }

    pub(in crate::auth) async fn try_amend(
        &self,
        id: UserId,
        amendment: Amendment,
    ) -> Result<User, AccountError> {
        // Asked for even where the account already was as wanted: it may be the second try of a change
        // whose first could not end the sessions.
        let ends_sessions = amendment.password.is_some()
            || amendment.email.is_some()
            || amendment.roles.is_some()
            || amendment.status == Some(AccountStatus::Disabled);
        // What was mailed before is no way around the change.
        let bounds_keys =
            amendment.email.is_some() || amendment.roles.is_some() || amendment.status.is_some();
        let forgets_codes = amendment.password.is_some() || amendment.email.is_some();
        if ends_sessions {
            self.can_end_sessions_of(id).await?;
        }
        let password = match &amendment.password {
            Some(password) => {
                let user = self
                    .parts
                    .users
                    .by_id(id)
                    .await?
                    .ok_or(AccountError::Gone)?;
                let owner = Owner {
                    email: amendment.email.as_ref().or(Some(&user.email)),
                    username: match &amendment.username {
                        Some(username) => username.as_ref(),
                        None => user.username.as_ref(),
                    },
                };
                Some(self.accept_new(password, owner).await?)
            }
            None => None,
        };
        let update = UserUpdate {
            expected: amendment.expected,
            email: amendment.email,
            username: amendment.username,
            password: password.map(Some),
            roles: amendment.roles,
            status: amendment.status,
            email_status: amendment.email_status,
            profile: amendment.profile,
            metadata: amendment.metadata,
        };
        let user = self.parts.users.update(id, update).await?;
        if bounds_keys {
            self.parts.api_keys.owner_changed().await;
        }
        if ends_sessions {
            self.end_sessions_of(id, None).await?;
        }
        if forgets_codes {
            self.codes().forget(id).await?;
        }
        Ok(user)
    }

    async fn accept_new(
        &self,
        password: &NewPassword,
        owner: Owner<'_>,
    ) -> Result<PasswordHash, AccountError> {
        match password {
            NewPassword::Plain(password) => self.accept_password(password, owner).await,
            NewPassword::Hash(hash) => {
                password::supported(self.parts.passwords.config(), hash)?;
                Ok(hash.clone())
            }
        }
    }
}

pub(super) const fn of<'a>(user: UserId, agent: &Agent<'a>) -> About<'a> {
    About {
        actor: Some(agent.name),
        user: Some(user),
        caller: agent.caller,
    }
}
