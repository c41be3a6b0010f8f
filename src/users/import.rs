//! Accounts from a file, each row taken whole or refused with its place: for the command line and the
//! Admin API.
//!
//! How a file falls into rows is left to [`rows`], what a row says of an account to [`account`]. What is
//! told of it, and to whom, is left to the caller.

use std::collections::HashSet;

use self::rows::Row;
use super::{InsertError, NewUser, UserStore};
use crate::clock::Timestamp;
use crate::id::UserId;
use crate::password;
use crate::unavailable::Unavailable;
use crate::user::Login;

mod account;
mod hash;
mod rows;

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
    pub account: Result<NewUser, Refusal>,
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

/// The rows of `text`, each read when it is asked for.
pub fn read<'a>(
    text: &'a str,
    reading: Reading<'a>,
) -> Result<impl Iterator<Item = Found> + 'a, FormError> {
    let rows = rows::of(text, (reading.form, reading.ignored))?;
    let account = move |Row { place, members }| Found {
        place,
        account: members.and_then(|members| account::read(&members, &reading)),
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
    ///
    /// After an error the rows to come would fare no better, and those before stay.
    pub async fn take(&mut self, found: Found) -> Result<Result<UserId, Refusal>, Unavailable> {
        let account = match found.account {
            Ok(account) => account,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match &mut self.mode {
            Mode::Write => write(self.users, account).await,
            Mode::Rehearse(seen) => rehearse(self.users, seen, &account).await,
        }
    }
}

async fn write(
    users: &dyn UserStore,
    new: NewUser,
) -> Result<Result<UserId, Refusal>, Unavailable> {
    match users.insert(new).await {
        Ok(user) => Ok(Ok(user.id)),
        Err(InsertError::Unavailable(away)) => Err(away),
        Err(taken) => Ok(Err(Refusal::Taken(taken))),
    }
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
