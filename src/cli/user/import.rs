//! `doorward user import`: accounts from a file, each row taken whole or refused with its number.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Stores, Terminal, UserError};
use crate::audit::Action;
use crate::id::UserId;
use crate::password::{self, Config, PasswordHash};
use crate::unavailable::Unavailable;
use crate::user::{Email, EmailStatus, JsonObject, Role, Username};
use crate::users::{InsertError, NewUser};

/// A row of the file. Keys that we do not know refuse the row: a `"disabled": true` that went
/// unnoticed would open a closed account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: Option<String>,
    email: String,
    username: Option<String>,
    password_hash: Option<Box<str>>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    email_verified: bool,
    #[serde(default)]
    profile: JsonObject,
}

/// Why a row was refused.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{}", shape(.0))]
    Shape(#[from] serde_json::Error),
    #[error("{key} {reason}")]
    Value { key: &'static str, reason: String },
    #[error(transparent)]
    Taken(InsertError),
}

pub(super) async fn run(
    stores: &Stores<'_>,
    path: PathBuf,
    terminal: &mut dyn Terminal,
) -> Result<(), UserError> {
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(UserError::Import { path, source }),
    };
    let rows = match rows(&text) {
        Ok(rows) => rows,
        Err(source) => return Err(UserError::ImportForm { path, source }),
    };
    let (mut added, mut refused) = (0_usize, 0_usize);
    for (number, row) in rows {
        match take(stores, row).await? {
            Ok(user) => {
                (stores.record)(Action::AddUser, user);
                added += 1;
            }
            Err(refusal) => {
                writeln!(terminal.output(), "row {number}: {refusal}")?;
                refused += 1;
            }
        }
    }
    writeln!(terminal.output(), "{added} added, {refused} refused")?;
    match refused {
        0 => Ok(()),
        refused => Err(UserError::ImportIncomplete(refused)),
    }
}

/// The rows with their numbers: places in the array, or lines of the file, from 1.
fn rows(text: &str) -> Result<Vec<(usize, &str)>, serde_json::Error> {
    if text.trim_start().starts_with('[') {
        let rows: Vec<&RawValue> = serde_json::from_str(text)?;
        let rows = rows.into_iter().map(RawValue::get);
        return Ok((1..).zip(rows).collect());
    }
    let lines = (1..).zip(text.lines());
    Ok(lines.filter(|(_, line)| !line.trim().is_empty()).collect())
}

/// Takes one row over. A store that is away ends the import: the rows after this one would fare no
/// better, and those before it stay.
async fn take(stores: &Stores<'_>, row: &str) -> Result<Result<UserId, Refusal>, Unavailable> {
    let fresh = UserId::new(stores.clock.now());
    let new = match read(stores.passwords.config(), row, fresh) {
        Ok(new) => new,
        Err(refusal) => return Ok(Err(refusal)),
    };
    match stores.users.insert(new).await {
        Ok(user) => Ok(Ok(user.id)),
        Err(InsertError::Unavailable(away)) => Err(away),
        Err(taken) => Ok(Err(Refusal::Taken(taken))),
    }
}

fn read(config: &Config, row: &str, fresh: UserId) -> Result<NewUser, Refusal> {
    let row: Row = serde_json::from_str(row)?;
    let id = row.id.map(|id| id.parse().map_err(bad("id")));
    let username = row.username.as_deref().map(Username::parse);
    let roles: Result<_, _> = row.roles.iter().map(|role| Role::parse(role)).collect();
    let password = row.password_hash.map(PasswordHash::new);
    if let Some(hash) = &password {
        password::supported(config, hash).map_err(|reason| Refusal::Value {
            key: "password_hash",
            reason: format!("is {reason}"),
        })?;
    }
    Ok(NewUser {
        id: id.transpose()?.unwrap_or(fresh),
        email: Email::parse(&row.email).map_err(bad("email"))?,
        username: username.transpose().map_err(bad("username"))?,
        password,
        roles: roles.map_err(bad("roles"))?,
        email_status: if row.email_verified {
            EmailStatus::Verified
        } else {
            EmailStatus::Unverified
        },
        profile: row.profile,
        metadata: JsonObject::new(),
    })
}

/// What is wrong with the shape of a row. Complaints about keys are passed on; those about values are
/// not, for they show the value, and it may be a hash that stands in the wrong place.
fn shape(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let about_keys = ["unknown field", "missing field", "duplicate field"];
    if about_keys.iter().any(|start| text.starts_with(start)) {
        return text;
    }
    let place = error.column();
    if error.is_data() {
        format!("a value of the wrong type before column {place}")
    } else {
        format!("no JSON object: stops making sense at column {place}")
    }
}

fn bad<E: std::fmt::Display>(key: &'static str) -> impl Fn(E) -> Refusal {
    move |reason| Refusal::Value {
        key,
        reason: reason.to_string(),
    }
}
