//! Users in a Supabase project: it checks their passwords, and its table of users says who is an admin.
//!
//! A sign-in takes two steps: the password grant of its GoTrue, then the row of the user over its
//! PostgREST. What the answers mean is read in [`answer`]; how the project is asked, bounded and left
//! alone when it fails, is the business of [`link`].

use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use self::link::{Ask, Key, Link, Reply};
use super::directory::{Account, Current, Directory, DirectoryError, Kept, Proof, Verdict};
use super::{
    InsertError, NewUser, StoredUser, UpdateError, UserChange, UserPage, UserQuery, UserStore,
    UserUpdate,
};
use crate::clock::SharedClock;
use crate::id::UserId;
use crate::policy::ClaimTest;
use crate::secret::SecretText;
use crate::trust::{Trust, TrustError};
use crate::unavailable::Unavailable;
use crate::user::{Email, JsonObject, Login, User};

mod answer;
mod breaker;
mod link;

const NAME: &str = "Supabase";

/// Longer passwords nobody has; see [`rules`](crate::password::rules).
const MAX_PASSWORD: usize = crate::password::rules::MAX_BYTES;

/// Which project, and how it is asked.
#[derive(Clone, Debug)]
pub struct Config {
    /// `https://project.supabase.co`; a path before `/auth/v1` is kept.
    pub url: Url,
    /// The key that is sent with every question. It is public.
    pub anon_key: SecretText,
    /// The key that may read everything. With it users are read anew at each refresh.
    pub service_key: Option<SecretText>,
    /// Who may have signed the certificate of the project.
    pub trust: Trust,
    /// What makes an admin.
    pub admin: AdminRule,
    /// Whose rights the row of the user is read with.
    pub row_key: RowKey,
    /// The longest wait for an answer.
    pub timeout: Duration,
    /// How many questions are asked at once.
    pub max_concurrent: usize,
}

// `SecretText` is not compared but in constant time, so this cannot be derived.
impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        let same = |one: &SecretText, other: &SecretText| one.same_as(other.expose().as_bytes());
        let same_service = match (&self.service_key, &other.service_key) {
            (Some(one), Some(other)) => same(one, other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        same_service
            && same(&self.anon_key, &other.anon_key)
            && self.url == other.url
            && self.trust == other.trust
            && self.admin == other.admin
            && self.row_key == other.row_key
            && self.timeout == other.timeout
            && self.max_concurrent == other.max_concurrent
    }
}

/// What makes an admin.
#[derive(Clone, Debug, PartialEq)]
pub enum AdminRule {
    /// A column of the user's row, which every user must have.
    Column {
        /// In which table.
        table: Table,
        /// Which.
        column: String,
        /// What it must be.
        test: ClaimTest,
    },
    /// Something that GoTrue says of the user, such as `app_metadata.role`. No row is read.
    Claim {
        /// Its path.
        claim: String,
        /// What it must be.
        test: ClaimTest,
    },
}

/// A table of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its schema, which PostgREST must expose.
    pub schema: String,
    /// Its name. Its `id` is that of GoTrue's user.
    pub name: String,
}

/// Whose rights the row of the user is read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKey {
    /// The user's own; row-level security must let them see their row.
    User,
    /// The service key's.
    Service,
}

/// A project as a directory, and as a store that is managed elsewhere.
#[derive(Debug)]
pub struct Supabase {
    link: Link,
    admin: AdminRule,
    row_key: RowKey,
}

impl Supabase {
    /// Nothing is asked yet.
    pub fn new(config: &Config, clock: SharedClock) -> Result<Self, TrustError> {
        Ok(Self {
            admin: config.admin.clone(),
            row_key: config.row_key,
            link: Link::new(config, clock)?,
        })
    }

    /// The row of a user; `None` where the rule needs none, an empty one where there is none.
    async fn row(&self, user: UserId, key: Key<'_>) -> Result<Row, DirectoryError> {
        let AdminRule::Column { table, .. } = &self.admin else {
            return Ok(Row::NotNeeded);
        };
        let reply = self.link.ask(Ask::Row { user, table, key }).await?;
        let rows = answer::rows(&reply)?;
        Ok(rows.map_or(Row::Missing, Row::Found))
    }

    fn account_of(&self, told: &JsonObject, row: &Row) -> Result<Account, DirectoryError> {
        let is_admin = match (&self.admin, row) {
            (AdminRule::Claim { claim, test }, _) => test.holds_at(claim, told),
            (AdminRule::Column { column, test, .. }, Row::Found(row)) => {
                row.get(column).is_some_and(|it| test.holds(it))
            }
            (AdminRule::Column { .. }, Row::Missing | Row::NotNeeded) => return Ok(Account::None),
        };
        let user = answer::user(told, is_admin, self.link.now())?;
        Ok(Account::Known(Box::new(user)))
    }
}

/// What the table of users has of a user.
enum Row {
    NotNeeded,
    Missing,
    Found(JsonObject),
}

#[async_trait]
impl Directory for Supabase {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn check(&self, email: &Email, password: &SecretText) -> Result<Verdict, DirectoryError> {
        if password.expose().is_empty() || password.expose().len() > MAX_PASSWORD {
            return Ok(Verdict::Wrong);
        }
        let reply = self.link.ask(Ask::Password { email, password }).await?;
        answer::verdict(&reply)
    }

    /// The session that the project opened for the check serves nobody afterwards, and is ended.
    async fn account(&self, proof: Proof) -> Result<Account, DirectoryError> {
        let key = match self.row_key {
            RowKey::User => Key::Token(&proof.token),
            RowKey::Service => Key::Service,
        };
        let row = self.row(proof.user, key).await;
        self.link.end_session(proof.token.clone());
        self.account_of(&proof.told, &row?)
    }

    async fn current(&self, id: UserId) -> Result<Current, Unavailable> {
        if !self.link.has_service_key() {
            return Ok(Current::Untold);
        }
        let away = |error| match error {
            DirectoryError::Unavailable(error) => error,
            busy @ (DirectoryError::Busy | DirectoryError::Limited) => Unavailable::new(NAME, busy),
        };
        let reply = self.link.ask(Ask::User(id)).await.map_err(away)?;
        let Some(told) = answer::told(&reply).map_err(away)? else {
            return Ok(Current::Gone);
        };
        let row = self.row(id, Key::Service).await.map_err(away)?;
        Ok(match self.account_of(&told, &row).map_err(away)? {
            Account::Known(user) => Current::Known(user),
            Account::None => Current::Gone,
        })
    }
}

fn elsewhere() -> Unavailable {
    Unavailable::new(NAME, "users are kept by Supabase, and managed there")
}

#[async_trait]
impl UserStore for Supabase {
    async fn by_id(&self, id: UserId) -> Result<Option<User>, Unavailable> {
        match self.current(id).await? {
            Current::Known(user) => Ok(Some(*user)),
            Current::Gone => Ok(None),
            Current::Untold => Err(elsewhere()),
        }
    }

    async fn by_login(&self, _login: &Login) -> Result<Option<StoredUser>, Unavailable> {
        Err(elsewhere())
    }

    async fn insert(&self, _user: NewUser) -> Result<User, InsertError> {
        Err(elsewhere().into())
    }

    async fn change(&self, _id: UserId, _change: UserChange) -> Result<Option<User>, Unavailable> {
        Err(elsewhere())
    }

    async fn update(&self, _id: UserId, _update: UserUpdate) -> Result<User, UpdateError> {
        Err(elsewhere().into())
    }

    async fn remove(&self, _id: UserId) -> Result<bool, Unavailable> {
        Err(elsewhere())
    }

    async fn list(&self, _query: &UserQuery) -> Result<UserPage, Unavailable> {
        Err(elsewhere())
    }

    async fn ping(&self) -> Result<(), Unavailable> {
        let asked = self.link.ask(Ask::Health).await;
        asked
            .map(|_: Reply| ())
            .map_err(|error| Unavailable::new(NAME, error))
    }

    fn kept(&self) -> Kept<'_> {
        Kept::Elsewhere(self)
    }
}
