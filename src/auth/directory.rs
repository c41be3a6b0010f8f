//! The directory of users, for callers whom a face has judged as its administrators.

use super::{Auth, Caller};
use crate::audit::{Action, Event, Outcome};
use crate::id::UserId;
use crate::password::pool::Busy;
use crate::password::rules::{self, Weak};
use crate::secret::SecretText;
use crate::unavailable::Unavailable;
use crate::user::{AccountStatus, Email, EmailStatus, JsonObject, Revision, Roles, User};
use crate::users::{
    InsertError, NewUser, PasswordHash, UpdateError, UserPage, UserQuery, UserUpdate,
};

/// A new account.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id; none: a new one.
    pub id: Option<UserId>,
    /// Its address.
    pub email: Email,
    /// Its password; none: it cannot be signed in to with one.
    pub password: Option<SecretText>,
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
    /// Another password.
    pub password: Option<SecretText>,
    /// The address was proved, or is no longer.
    pub email_status: Option<EmailStatus>,
    /// Opened or closed.
    pub status: Option<AccountStatus>,
    /// Another profile, whole.
    pub profile: Option<JsonObject>,
    /// Other metadata, whole.
    pub metadata: Option<JsonObject>,
}

/// Why the directory was not changed.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The password is none that is taken.
    #[error(transparent)]
    Weak(#[from] Weak),
    /// The address belongs to another account.
    #[error("a user with this email exists")]
    EmailTaken,
    /// The id belongs to another account.
    #[error("a user with this id exists")]
    IdTaken,
    /// There is no such account.
    #[error("there is no such user")]
    NoSuchUser,
    /// Somebody else has changed the account since it was read.
    #[error("the user has changed meanwhile")]
    Outdated,
    /// Too many passwords are being hashed already.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// A store is away.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<InsertError> for DirectoryError {
    fn from(error: InsertError) -> Self {
        match error {
            // Nobody is given a user name here.
            InsertError::EmailTaken | InsertError::UsernameTaken => Self::EmailTaken,
            InsertError::IdTaken => Self::IdTaken,
            InsertError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

impl From<UpdateError> for DirectoryError {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::NoSuchUser => Self::NoSuchUser,
            UpdateError::Outdated => Self::Outdated,
            UpdateError::EmailTaken | UpdateError::UsernameTaken => Self::EmailTaken,
            UpdateError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

impl Auth {
    /// A page of users.
    pub async fn list_users(&self, query: &UserQuery) -> Result<UserPage, Unavailable> {
        self.parts.users.list(query).await
    }

    /// Makes an account.
    pub async fn enter_user(&self, entry: Entry, caller: &Caller) -> Result<User, DirectoryError> {
        let id = entry.id.unwrap_or_else(|| UserId::new(self.now()));
        let result = self.try_enter(id, entry).await;
        self.record_directory((Action::AddUser, id), &result, caller);
        result
    }

    async fn try_enter(&self, id: UserId, entry: Entry) -> Result<User, DirectoryError> {
        let password = self.hash_if_any(entry.password).await?;
        let new = NewUser {
            id,
            email: entry.email,
            username: None,
            password,
            roles: Roles::default(),
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
        caller: &Caller,
    ) -> Result<User, DirectoryError> {
        let ends_sessions = amendment.password.is_some()
            || amendment.email.is_some()
            || amendment.status == Some(AccountStatus::Disabled);
        let result = self.try_amend(id, amendment).await;
        self.record_directory((Action::ChangeUser, id), &result, caller);
        if ends_sessions && result.is_ok() {
            // After the account was written: a sign-in that read the old one makes no session then.
            self.sign_out_all(id, caller).await?;
        }
        result
    }

    async fn try_amend(&self, id: UserId, amendment: Amendment) -> Result<User, DirectoryError> {
        let update = UserUpdate {
            expected: amendment.expected,
            email: amendment.email,
            password: self.hash_if_any(amendment.password).await?,
            status: amendment.status,
            email_status: amendment.email_status,
            profile: amendment.profile,
            metadata: amendment.metadata,
            ..UserUpdate::default()
        };
        Ok(self.parts.users.update(id, update).await?)
    }

    /// Removes an account. It is closed first: were it removed and its sessions could not be ended,
    /// nobody could try again.
    pub async fn strike_user(&self, id: UserId, caller: &Caller) -> Result<(), DirectoryError> {
        let closed = Amendment {
            status: Some(AccountStatus::Disabled),
            ..Amendment::default()
        };
        self.amend_user(id, closed, caller).await?;
        let removed = self.parts.users.remove(id).await;
        let result = removed.map(drop).map_err(DirectoryError::from);
        self.record_directory((Action::RemoveUser, id), &result, caller);
        result
    }

    async fn hash_if_any(
        &self,
        password: Option<SecretText>,
    ) -> Result<Option<PasswordHash>, DirectoryError> {
        let Some(password) = password else {
            return Ok(None);
        };
        rules::check_new(self.parts.passwords.config(), &password)?;
        Ok(Some(self.parts.passwords.hash(password).await?))
    }

    fn record_directory<T>(
        &self,
        (action, user): (Action, UserId),
        result: &Result<T, DirectoryError>,
        caller: &Caller,
    ) {
        let (outcome, reason) = verdict(result);
        self.parts.audit.record(&Event {
            action,
            outcome,
            reason,
            actor: None,
            user: Some(user.to_string()),
            session: None,
            address: Some(caller.address),
            request_id: Some(caller.request_id.to_string()),
        });
    }
}

const fn verdict<T>(result: &Result<T, DirectoryError>) -> (Outcome, &'static str) {
    match result {
        Ok(_) => (Outcome::Success, "done"),
        Err(DirectoryError::Weak(_)) => (Outcome::Refused, "weak-password"),
        Err(DirectoryError::EmailTaken) => (Outcome::Refused, "email-taken"),
        Err(DirectoryError::IdTaken) => (Outcome::Refused, "id-taken"),
        Err(DirectoryError::NoSuchUser) => (Outcome::Refused, "unknown-user"),
        Err(DirectoryError::Outdated) => (Outcome::Refused, "outdated"),
        Err(DirectoryError::Busy(_)) => (Outcome::Failed, "hashing-pool-full"),
        Err(DirectoryError::Unavailable(_)) => (Outcome::Failed, "store-unavailable"),
    }
}
