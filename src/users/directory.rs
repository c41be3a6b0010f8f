//! Users who are kept elsewhere, by somebody who checks their passwords, too: what the core asks of
//! such a directory. Their accounts are managed there.

use std::fmt;

use async_trait::async_trait;

use crate::id::UserId;
use crate::secret::SecretText;
use crate::unavailable::Unavailable;
use crate::user::{Email, JsonObject, User};

/// Where users are kept.
#[derive(Clone, Copy, Debug)]
pub enum Kept<'a> {
    /// In the store that was asked.
    Here,
    /// In this directory; the store behind it is asked for nothing but users by their id.
    Elsewhere(&'a dyn Directory),
}

/// What a check of a password found.
#[derive(Debug)]
pub enum Verdict {
    /// It is right.
    Right(Proof),
    /// It is wrong, or there is no such user: the directory does not tell.
    Wrong,
    /// The account is closed; whether the password is right was not looked at.
    Closed,
    /// It is right, but the address must be confirmed first.
    EmailUnverified,
}

/// A password was right. What the directory said with that; made by directories alone.
#[derive(Clone, Debug)]
pub struct Proof {
    /// Whose it is.
    pub user: UserId,
    pub(super) token: SecretText,
    pub(super) told: JsonObject,
}

/// The account of a user who proved who they are.
#[derive(Debug)]
pub enum Account {
    /// This one.
    Known(Box<User>),
    /// The directory knows the user, but the service has no account for them.
    None,
}

/// What is known of a user now.
#[derive(Debug)]
pub enum Current {
    /// This.
    Known(Box<User>),
    /// The user is gone.
    Gone,
    /// The directory tells only those who sign in; what was known then still stands.
    Untold,
}

/// Why a directory gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// It asked us to come later.
    #[error("the directory is being asked too often")]
    Limited,
    /// Too many ask it through us already.
    #[error("too many sign-ins at once")]
    Busy,
    /// It is away, or it answers what it should not.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A directory of users.
#[async_trait]
pub trait Directory: Send + Sync + fmt::Debug {
    /// Its name, for people.
    fn name(&self) -> &'static str;

    /// Checks a password.
    async fn check(&self, email: &Email, password: &SecretText) -> Result<Verdict, DirectoryError>;

    /// The account, read after its password was found right. Closes what the check has opened.
    async fn account(&self, proof: Proof) -> Result<Account, DirectoryError>;

    /// What is known of a user now.
    async fn current(&self, id: UserId) -> Result<Current, Unavailable>;
}
