//! Accounts from a file, each row taken whole or refused with its place: for the command line and the
//! Admin API.
//!
//! How a file falls into rows is left to [`rows`], what a row says of an account to [`account`]. What is
//! told of it, and to whom, is left to the caller.

use std::collections::HashSet;

use self::rows::Row;
use super::{InsertError, NewUser, UserChange, UserStore};
use crate::clock::Timestamp;
use crate::id::UserId;
use crate::password;
use crate::unavailable::Unavailable;
use crate::user::{AccountStatus, Login};

mod account;
mod hash;
mod rows;

pub use self::account::Account;
pub use self::rows::{FormError, Place};

/// How a file falls into rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// CSV with a head.
    Table,
    /// A JSON array.
    Array,
    /// A JSON object a line.
    Lines,
}

impl Form {
    /// What `text` looks like.
    pub fn of(text: &str) -> Self {
        match rows::without_mark(text).trim_start().chars().next() {
            Some('[') => Self::Array,
            Some('{') => Self::Lines,
            Some(_) | None => Self::Table,
        }
    }
}

/// How a file is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// How it falls into rows.
    pub form: Form,
    /// Columns and fields that are passed over.
    pub ignored: &'a [String],
    /// Which hashes can be checked here.
    pub passwords: &'a password::Config,
    /// The present.
    pub now: Timestamp,
}

/// A row, and the account that it is, or why it is none.
#[derive(Debug)]
pub struct Found {
    /// Where it stands.
    pub place: Place,
    /// What it says.
    pub account: Result<Account, Refusal>,
}

/// Why a row was refused. Never shows a value: it may be a hash that stands in the wrong column.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is no row of this form.
    #[error("{0}")]
    Shape(String),
    /// A value is no good.
    #[error("{key} {reason}")]
    Value {
        /// Under which name.
        key: &'static str,
        /// Why.
        reason: String,
    },
    /// Another account has what must be one's own.
    #[error(transparent)]
    Taken(InsertError),
    /// Another row has, in a rehearsal.
    #[error("the same {0} stands in an earlier row")]
    Twice(&'static str),
}

/// Why an import stopped. The rows after this one would fare no better, and those before it stay.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The store could not be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// A closed account was made, but not all of it could be stored.
    #[error(
        "{row}: the account was made without its password; remove it, and import the row again"
    )]
    Halfway {
        /// Where the row stands.
        row: Place,
        /// What the store said.
        source: Unavailable,
    },
}

/// The rows of `text`, each read when it is asked for.
pub fn read<'a>(
    text: &'a str,
    reading: Reading<'a>,
) -> Result<impl Iterator<Item = Found> + 'a, FormError> {
    let rows = rows::of(text, (reading.form, reading.ignored))?;
    let account = move |Row { place, members }| Found {
        place,
        account: members.and_then(|members| Account::read(&members, &reading)),
    };
    Ok(rows.map(account))
}

/// What an import is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To make accounts.
    Write,
    /// To see what would be made, and change nothing.
    Rehearse,
}

/// An import under way.
#[derive(Debug)]
pub struct Importer<'a> {
    users: &'a dyn UserStore,
    mode: Mode,
}

/// Whether accounts are made.
#[derive(Debug)]
enum Mode {
    Write,
    /// Everything but that; the rows before stand for the accounts that they would have become.
    Rehearse(Seen),
}

#[derive(Debug, Default)]
struct Seen {
    ids: HashSet<UserId>,
    names: HashSet<String>,
}

impl<'a> Importer<'a> {
    /// An import into `users`.
    pub fn new(users: &'a dyn UserStore, purpose: Purpose) -> Self {
        let mode = match purpose {
            Purpose::Write => Mode::Write,
            Purpose::Rehearse => Mode::Rehearse(Seen::default()),
        };
        Self { users, mode }
    }

    /// Takes one row over, and returns the id of the account that it is, or would be.
    pub async fn take(&mut self, found: Found) -> Result<Result<UserId, Refusal>, Stopped> {
        let account = match found.account {
            Ok(account) => account,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match &mut self.mode {
            Mode::Write => write(self.users, account, found.place).await,
            Mode::Rehearse(seen) => Ok(rehearse(self.users, seen, &account.new).await?),
        }
    }
}

/// A closed account is made without its password, closed, and only then given it, so that at no moment
/// anybody signs in to it, whatever fails in between.
async fn write(
    users: &dyn UserStore,
    account: Account,
    place: Place,
) -> Result<Result<UserId, Refusal>, Stopped> {
    let Account { mut new, status } = account;
    let later = match status {
        AccountStatus::Enabled => None,
        AccountStatus::Disabled => Some(new.password.take()),
    };
    let user = match users.insert(new).await {
        Ok(user) => user.id,
        Err(InsertError::Unavailable(away)) => return Err(away.into()),
        Err(taken) => return Ok(Err(Refusal::Taken(taken))),
    };
    if let Some(password) = later {
        let close = UserChange::Status(AccountStatus::Disabled);
        for change in [Some(close), password.map(UserChange::Password)] {
            let Some(change) = change else { continue };
            let changed = users.change(user, change).await;
            changed.map_err(|source| Stopped::Halfway { row: place, source })?;
        }
    }
    Ok(Ok(user))
}

async fn rehearse(
    users: &dyn UserStore,
    seen: &mut Seen,
    new: &NewUser,
) -> Result<Result<UserId, Refusal>, Unavailable> {
    let taken = |error| Ok(Err(Refusal::Taken(error)));
    if users.by_id(new.id).await?.is_some() {
        return taken(InsertError::IdTaken);
    }
    let email = Login::Email(new.email.clone());
    if users.by_login(&email).await?.is_some() {
        return taken(InsertError::EmailTaken);
    }
    if let Some(username) = &new.username
        && let login = Login::Username(username.clone())
        && users.by_login(&login).await?.is_some()
    {
        return taken(InsertError::UsernameTaken);
    }
    let username = (new.username.as_ref()).map(|name| name.as_str().to_owned());
    let twice = [
        (!seen.ids.insert(new.id), "id"),
        (!seen.names.insert(new.email.to_string()), "email"),
        (
            username.is_some_and(|name| !seen.names.insert(name)),
            "username",
        ),
    ];
    let twice = twice.into_iter().find(|(twice, _)| *twice);
    Ok(twice.map_or(Ok(new.id), |(_, what)| Err(Refusal::Twice(what))))
}
