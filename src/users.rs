//! Where users are kept: what the core asks of a user store.
//!
//! Knows nothing of how a password is checked; it only keeps the hash.

use std::fmt;

use async_trait::async_trait;

use self::directory::Kept;
use crate::id::UserId;
pub use crate::password::PasswordHash;
use crate::unavailable::Unavailable;
use crate::user::{
    AccountStatus, Email, EmailStatus, JsonObject, Login, Revision, Role, Roles, User, Username,
};

pub mod directory;
pub mod import;
pub mod sql;
pub mod supabase;

/// A user with what a sign-in needs to know.
#[derive(Clone, Debug)]
pub struct StoredUser {
    /// The account.
    pub user: User,
    /// Its password; accounts without one cannot sign in with a password.
    pub password: Option<PasswordHash>,
}

/// What an account is made of.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Its id; imports bring their own.
    pub id: UserId,
    /// Its address.
    pub email: Email,
    /// Its name for people.
    pub username: Option<Username>,
    /// Its password.
    pub password: Option<PasswordHash>,
    /// What it may do.
    pub roles: Roles,
    /// Whether anybody may sign in to it.
    pub status: AccountStatus,
    /// Whether the address is proved.
    pub email_status: EmailStatus,
    /// What the user says of themselves.
    pub profile: JsonObject,
    /// What the system keeps about the user.
    pub metadata: JsonObject,
}

/// A change of one thing of an account.
#[derive(Clone, Debug)]
pub enum UserChange {
    /// A new password.
    Password(PasswordHash),
    /// The same password under other parameters: the account itself does not change, and the store
    /// writes it only where `from` is still the stored hash.
    Rehash {
        /// The hash that was checked.
        from: PasswordHash,
        /// The hash that takes its place.
        to: PasswordHash,
    },
    /// Other roles, all of them.
    Roles(Roles),
    /// Opened or closed.
    Status(AccountStatus),
    /// The address was proved, or is no longer.
    EmailStatus(EmailStatus),
    /// Another profile, whole.
    Profile(JsonObject),
}

/// A change of several things of an account at once: all of them or none. What is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct UserUpdate {
    /// The revision that the change builds on; `None`: whichever it is.
    pub expected: Option<Revision>,
    /// Another address.
    pub email: Option<Email>,
    /// Another name, or none any more.
    pub username: Option<Option<Username>>,
    /// Another password, or none any more.
    pub password: Option<Option<PasswordHash>>,
    /// Other roles, all of them.
    pub roles: Option<Roles>,
    /// Opened or closed.
    pub status: Option<AccountStatus>,
    /// The address was proved, or is no longer.
    pub email_status: Option<EmailStatus>,
    /// Another profile, whole.
    pub profile: Option<JsonObject>,
    /// Other metadata, whole.
    pub metadata: Option<JsonObject>,
}

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// There is no such account.
    #[error("there is no such user")]
    NoSuchUser,
    /// Somebody else has changed the account since it was read.
    #[error("the user has changed meanwhile")]
    Outdated,
    /// The address belongs to another account.
    #[error("a user with this email exists")]
    EmailTaken,
    /// The user name belongs to another account.
    #[error("a user with this user name exists")]
    UsernameTaken,
    /// The store could not be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Which users to list; what is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct UserQuery {
    /// Part of an address or user name, or the start of an id (8 digits or more); empty for all.
    pub search: String,
    /// Those who have this role.
    pub role: Option<Role>,
    /// Those whose account is so.
    pub status: Option<AccountStatus>,
    /// How many at the most.
    pub limit: u32,
    /// How many to pass over.
    pub offset: u32,
}

/// A page of users, oldest account first.
#[derive(Clone, Debug)]
pub struct UserPage {
    /// The users of this page.
    pub users: Vec<User>,
    /// How many there are on all pages together.
    pub total: u64,
}

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
pub enum InsertError {
    /// The address belongs to an account already.
    #[error("a user with this email exists")]
    EmailTaken,
    /// The user name belongs to an account already.
    #[error("a user with this user name exists")]
    UsernameTaken,
    /// The id belongs to an account already.
    #[error("a user with this id exists")]
    IdTaken,
    /// The store could not be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A store of users.
///
/// A method that returns `Ok` has stored what it was asked to store.
#[async_trait]
pub trait UserStore: Send + Sync + fmt::Debug {
    /// The user with this id.
    async fn by_id(&self, id: UserId) -> Result<Option<User>, Unavailable>;

    /// The user who signs in with this login, with the password hash.
    async fn by_login(&self, login: &Login) -> Result<Option<StoredUser>, Unavailable>;

    /// Makes an account.
    async fn insert(&self, user: NewUser) -> Result<User, InsertError>;

    /// Changes an account; `None` where there is no such user (or, for a rehash, where the stored
    /// hash is another by now).
    async fn change(&self, id: UserId, change: UserChange) -> Result<Option<User>, Unavailable>;

    /// Changes several things of an account at once, and returns it as it is then.
    async fn update(&self, id: UserId, update: UserUpdate) -> Result<User, UpdateError>;

    /// Removes an account; `false` where there was none.
    async fn remove(&self, id: UserId) -> Result<bool, Unavailable>;

    /// A page of users.
    async fn list(&self, query: &UserQuery) -> Result<UserPage, Unavailable>;

    /// Asks the store for a sign of life.
    async fn ping(&self) -> Result<(), Unavailable>;

    /// Whether the users are here, to be managed and with their hashes, or in a directory elsewhere.
    fn kept(&self) -> Kept<'_> {
        Kept::Here
    }
}
