//! What a row says of an account: under the names of our own files, and those that the exports of
//! Supabase (`auth.users`), Auth0 and InsForge use.

use serde_json::Value;

use super::{Reading, Refusal, hash};
use crate::clock::Timestamp;
use crate::id::UserId;
use crate::password::{self, PasswordHash};
use crate::user::{AccountStatus, Email, EmailStatus, JsonObject, Role, Roles, Username};
use crate::users::NewUser;

/// The account that a row stands for.
pub(super) fn read(members: &JsonObject, reading: &Reading<'_>) -> Result<NewUser, Refusal> {
    let row = Cells(members);
    let password = password(&row)?;
    if let Some(hash) = &password {
        password::supported(reading.passwords, hash).map_err(|reason| Refusal::Value {
            key: "password_hash",
            reason: format!("is {reason}"),
        })?;
    }
    let now = reading.now;
    let (email, email_status) = address(&row)?;
    let username = row.text(&["username"])?.map(Username::parse).transpose();
    Ok(NewUser {
        id: id(&row)?.unwrap_or_else(|| UserId::new(now)),
        email,
        username: username.map_err(bad("username"))?,
        password,
        roles: roles(&row)?,
        status: status(&row, now)?,
        email_status,
        profile: profile(&row)?,
        metadata: metadata(&row)?,
    })
}

/// The members of a row. In a CSV file all of them are texts.
struct Cells<'r>(&'r JsonObject);

impl<'r> Cells<'r> {
    /// What stands under the first of `names` that is there and not null; and under which.
    fn first(&self, names: &[&'static str]) -> Option<(&'static str, &'r Value)> {
        let values = names
            .iter()
            .filter_map(|name| Some((*name, self.0.get(*name)?)));
        values.into_iter().find(|(_, value)| !value.is_null())
    }

    fn text(&self, names: &[&'static str]) -> Result<Option<&'r str>, Refusal> {
        match self.first(names) {
            Some((_, Value::String(text))) => Ok(Some(text)),
            Some((key, _)) => Err(wrong_type(key, "a text")),
            None => Ok(None),
        }
    }

    /// `t` and `f` are PostgreSQL's.
    fn boolean(&self, name: &'static str) -> Result<bool, Refusal> {
        match self.first(&[name]).map(|(_, value)| value) {
            None => Ok(false),
            Some(Value::Bool(answer)) => Ok(*answer),
            Some(Value::String(text)) => match text.to_ascii_lowercase().as_str() {
                "true" | "t" | "1" => Ok(true),
                "false" | "f" | "0" => Ok(false),
                _ => Err(wrong_type(name, "true or false")),
            },
            Some(_) => Err(wrong_type(name, "true or false")),
        }
    }

    fn object(&self, names: &[&'static str]) -> Result<JsonObject, Refusal> {
        let Some((key, value)) = self.first(names) else {
            return Ok(JsonObject::new());
        };
        let object = match value {
            Value::Object(object) => Some(object.clone()),
            Value::String(text) => serde_json::from_str(text).ok(),
            _ => None,
        };
        object.ok_or_else(|| wrong_type(key, "a JSON object"))
    }
}

/// A `_id.$oid` of Auth0 is no id of ours: see [`metadata`].
fn id(row: &Cells<'_>) -> Result<Option<UserId>, Refusal> {
    let text = row.text(&["id"])?;
    text.map(str::parse).transpose().map_err(bad("id"))
}

/// Auth0 leaves `email` out for some and has it among the `identifiers` always.
fn address(row: &Cells<'_>) -> Result<(Email, EmailStatus), Refusal> {
    let identifier = identifier(row);
    let text = match (row.text(&["email"])?, &identifier) {
        (Some(text), _) => text,
        (None, Some((text, _))) => text,
        (None, None) => return Err(Refusal::Shape("missing field \"email\"".to_owned())),
    };
    let email = Email::parse(text).map_err(bad("email"))?;
    let confirmed = row.text(&["email_confirmed_at", "confirmed_at"])?;
    let in_identifier = identifier.is_some_and(|(address, verified)| address == text && verified);
    let verified = row.boolean("email_verified")? || confirmed.is_some() || in_identifier;
    let status = if verified {
        EmailStatus::Verified
    } else {
        EmailStatus::Unverified
    };
    Ok((email, status))
}

/// The address among the `identifiers`, and whether it is verified.
fn identifier<'r>(row: &Cells<'r>) -> Option<(&'r str, bool)> {
    let (_, identifiers) = row.first(&["identifiers"])?;
    let mut identifiers = identifiers.as_array()?.iter();
    let found = identifiers.find(|it| it.get("type").is_some_and(|kind| kind == "email"))?;
    let verified = found.get("verified").is_some_and(|it| *it == true);
    Some((found.get("value")?.as_str()?, verified))
}

const HASHES: &[&str] = &[
    "password_hash",
    "hash",
    "encrypted_password",
    "passwordHash",
    "password",
];

fn password(row: &Cells<'_>) -> Result<Option<PasswordHash>, Refusal> {
    if let Some((key, custom)) = row.first(&["custom_password_hash"]) {
        let phc = hash::of_auth0(custom).map_err(|reason| Refusal::Value { key, reason })?;
        return Ok(Some(PasswordHash::new(phc)));
    }
    let hash = row.text(HASHES)?.filter(|text| !text.is_empty());
    Ok(hash.map(PasswordHash::new))
}

/// Only our own `roles` grant anything: what a `role` of another system means here, nobody knows.
fn roles(row: &Cells<'_>) -> Result<Roles, Refusal> {
    let expected = "a list of texts";
    let words: Vec<&str> = match row.first(&["roles"]).map(|(_, value)| value) {
        None => Vec::new(),
        Some(Value::Array(items)) => {
            let texts = items.iter().map(Value::as_str);
            let texts: Option<_> = texts.collect();
            texts.ok_or_else(|| wrong_type("roles", expected))?
        }
        // In CSV: separated by commas, perhaps in PostgreSQL's braces.
        Some(Value::String(text)) => {
            let inner = text.trim().trim_start_matches('{').trim_end_matches('}');
            inner
                .split(',')
                .filter(|it| !it.trim().is_empty())
                .collect()
        }
        Some(_) => return Err(wrong_type("roles", expected)),
    };
    let roles = words.into_iter().map(Role::parse).collect::<Result<_, _>>();
    roles.map_err(bad("roles"))
}

/// Auth0 keeps names and pictures beside the `user_metadata`.
fn profile(row: &Cells<'_>) -> Result<JsonObject, Refusal> {
    let mut profile = row.object(&["profile", "raw_user_meta_data", "user_metadata"])?;
    let beside = [
        ("name", "name"),
        ("nickname", "nickname"),
        ("given_name", "given_name"),
        ("family_name", "family_name"),
        ("picture", "avatar_url"),
    ];
    for (theirs, ours) in beside {
        if let Some(text) = row.text(&[theirs])? {
            let entry = profile.entry(ours);
            entry.or_insert_with(|| text.into());
        }
    }
    Ok(profile)
}

/// With the id that an Auth0 account had, so that services which know it find its owner.
fn metadata(row: &Cells<'_>) -> Result<JsonObject, Refusal> {
    let mut metadata = row.object(&["metadata", "raw_app_meta_data", "app_metadata"])?;
    let oid = row.first(&["_id"]).and_then(|(_, id)| match id {
        Value::String(text) => Some(text.as_str()),
        id => id.get("$oid")?.as_str(),
    });
    if let Some(id) = row.text(&["user_id", "alt_id"])?.or(oid) {
        let id = if id.contains('|') {
            id.to_owned()
        } else {
            format!("auth0|{id}")
        };
        metadata.insert("auth0_user_id".to_owned(), id.into());
    }
    Ok(metadata)
}

fn status(row: &Cells<'_>, now: Timestamp) -> Result<AccountStatus, Refusal> {
    let banned = row
        .text(&["banned_until"])?
        .is_some_and(|until| !is_over(until, now));
    let closed = row.boolean("disabled")?
        || row.boolean("blocked")?
        || banned
        || row.text(&["deleted_at"])?.is_some();
    if row.boolean("is_anonymous")? {
        return Err(Refusal::Shape(
            "an anonymous user has no account".to_owned(),
        ));
    }
    Ok(if closed {
        AccountStatus::Disabled
    } else {
        AccountStatus::Enabled
    })
}

/// What is no time is not over.
fn is_over(until: &str, now: Timestamp) -> bool {
    Timestamp::parse(until).is_some_and(|until| until <= now)
}

fn wrong_type(key: &'static str, expected: &str) -> Refusal {
    Refusal::Value {
        key,
        reason: format!("is not {expected}"),
    }
}

fn bad<E: std::fmt::Display>(key: &'static str) -> impl Fn(E) -> Refusal {
    move |reason| Refusal::Value {
        key,
        reason: reason.to_string(),
    }
}
