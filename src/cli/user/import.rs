//! `doorward user import`: accounts from a file, each row taken whole or refused with its place.
//!
//! How a file falls into rows is left to [`rows`], what a row says of an account to [`account`].

use std::collections::HashSet;

use self::account::Account;
use self::rows::{Place, Row};
use super::{Import, Stores, Terminal, UserError};
use crate::audit::Action;
use crate::id::UserId;
use crate::unavailable::Unavailable;
use crate::user::{AccountStatus, Login};
use crate::users::{InsertError, NewUser, UserChange};

mod account;
mod hash;
mod rows;

pub use self::rows::FormError;

/// Why a row was refused. Never shows a value: it may be a hash that stands in the wrong column.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{0}")]
    Shape(String),
    #[error("{key} {reason}")]
    Value { key: &'static str, reason: String },
    #[error(transparent)]
    Taken(InsertError),
    #[error("the same {0} stands in an earlier row")]
    Twice(&'static str),
}

pub(super) async fn run(
    stores: &Stores<'_>,
    import: Import,
    terminal: &mut dyn Terminal,
) -> Result<(), UserError> {
    let path = import.file;
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(UserError::Import { path, source }),
    };
    let rows = match rows::of(&text, &import.ignore) {
        Ok(rows) => rows,
        Err(source) => return Err(UserError::ImportForm { path, source }),
    };
    let mut work = Work {
        stores,
        mode: if import.dry_run {
            Mode::Rehearse(Seen::default())
        } else {
            Mode::Write
        },
    };
    let (mut added, mut refused) = (0_usize, 0_usize);
    for Row { place, members } in rows {
        let account = members.and_then(|members| Account::read(&members, stores));
        let taken = match account {
            Ok(account) => work.take(account, place).await?,
            Err(refusal) => Err(refusal),
        };
        match taken {
            Ok(()) => added += 1,
            Err(refusal) => {
                writeln!(terminal.output(), "{place}: {refusal}")?;
                refused += 1;
            }
        }
    }
    match work.mode {
        Mode::Write => writeln!(terminal.output(), "{added} added, {refused} refused")?,
        Mode::Rehearse(_) => writeln!(
            terminal.output(),
            "{added} would be added, {refused} refused; nothing was changed"
        )?,
    }
    match refused {
        0 => Ok(()),
        refused => Err(UserError::ImportIncomplete(refused)),
    }
}

/// An import under way.
struct Work<'a> {
    stores: &'a Stores<'a>,
    mode: Mode,
}

/// Whether accounts are made.
enum Mode {
    Write,
    /// Everything but that; the rows before stand for the accounts that they would have become.
    Rehearse(Seen),
}

#[derive(Default)]
struct Seen {
    ids: HashSet<UserId>,
    names: HashSet<String>,
}

impl Work<'_> {
    /// Takes one row over. A store that is away ends the import: the rows after this one would fare no
    /// better, and those before it stay.
    async fn take(
        &mut self,
        account: Account,
        place: Place,
    ) -> Result<Result<(), Refusal>, UserError> {
        match &mut self.mode {
            Mode::Write => write(self.stores, account, place).await,
            Mode::Rehearse(seen) => Ok(rehearse(self.stores, seen, &account.new).await?),
        }
    }
}

/// A closed account is made without its password, closed, and only then given it, so that at no moment
/// anybody signs in to it, whatever fails in between.
async fn write(
    stores: &Stores<'_>,
    account: Account,
    place: Place,
) -> Result<Result<(), Refusal>, UserError> {
    let Account { mut new, status } = account;
    let later = match status {
        AccountStatus::Enabled => None,
        AccountStatus::Disabled => Some(new.password.take()),
    };
    let user = match stores.users.insert(new).await {
        Ok(user) => user.id,
        Err(InsertError::Unavailable(away)) => return Err(away.into()),
        Err(taken) => return Ok(Err(Refusal::Taken(taken))),
    };
    if let Some(password) = later {
        let close = UserChange::Status(AccountStatus::Disabled);
        for change in [Some(close), password.map(UserChange::Password)] {
            let Some(change) = change else { continue };
            let changed = stores.users.change(user, change).await;
            changed.map_err(|source| UserError::ImportHalfway {
                row: place.to_string(),
                source,
            })?;
        }
    }
    (stores.record)(Action::AddUser, user);
    Ok(Ok(()))
}

async fn rehearse(
    stores: &Stores<'_>,
    seen: &mut Seen,
    new: &NewUser,
) -> Result<Result<(), Refusal>, Unavailable> {
    let users = stores.users;
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
    Ok(twice.map_or(Ok(()), |(_, what)| Err(Refusal::Twice(what))))
}
