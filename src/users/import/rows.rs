//! A file as rows: CSV with a head, a JSON array, or one JSON object a line.
//!
//! Whatever the form, a row is an object with known names. Names that nobody knows refuse the row (in
//! CSV the file): a `locked = true` that went unnoticed would open a closed account.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Form, Refusal};
use crate::user::JsonObject;

/// What an account is read from; see [`account`](super::account).
const READ: &[&str] = &[
    "_id",
    "alt_id",
    "app_metadata",
    "banned_until",
    "blocked",
    "confirmed_at",
    "custom_password_hash",
    "deleted_at",
    "disabled",
    "email",
    "email_confirmed_at",
    "email_verified",
    "encrypted_password",
    "family_name",
    "given_name",
    "hash",
    "id",
    "identifiers",
    "is_anonymous",
    "metadata",
    "name",
    "nickname",
    "password",
    "passwordHash",
    "password_hash",
    "picture",
    "profile",
    "raw_app_meta_data",
    "raw_user_meta_data",
    "roles",
    "user_id",
    "user_metadata",
    "username",
];

/// What the exports of Supabase, Auth0 and InsForge hold beside. None of it takes a right away.
const PASSED_OVER: &[&str] = &[
    "_tmp_is_unique",
    "aud",
    "confirmation_sent_at",
    "confirmation_token",
    "connection",
    "created_at",
    "email_change",
    "email_change_confirm_status",
    "email_change_sent_at",
    "email_change_token_current",
    "email_change_token_new",
    "instance_id",
    "invited_at",
    "is_project_admin",
    "is_sso_user",
    "is_super_admin",
    "last_sign_in_at",
    "password_set_date",
    "phone",
    "phone_change",
    "phone_change_sent_at",
    "phone_change_token",
    "phone_confirmed_at",
    "reauthentication_sent_at",
    "reauthentication_token",
    "recovery_sent_at",
    "recovery_token",
    "role",
    "tenant",
    "updated_at",
    "version",
];

/// A row, and where it stands.
pub(super) struct Row {
    pub(super) place: Place,
    pub(super) members: Result<JsonObject, Refusal>,
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line of the file on which it begins.
    pub line: u64,
    /// Its number in an array.
    pub item: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.item {
            Some(item) => write!(f, "row {item} (line {})", self.line),
            None => write!(f, "line {}", self.line),
        }
    }
}

/// Why a file has no rows at all.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// It is to be a JSON array and is none. What it says is not told: it may be a hash.
    #[error("no JSON array: stops making sense at line {}, column {}", .0.line(), .0.column())]
    Json(#[from] serde_json::Error),
    /// The head of a CSV file is no CSV.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// The head of a CSV file names columns that are not known.
    #[error("unknown columns: {0}; `ignore` passes one over")]
    UnknownColumns(String),
    /// The head of a CSV file names a column twice.
    #[error("the column {0} stands there twice")]
    Twice(String),
}

/// Rows, each read when it is asked for: of a long file only those that somebody wants.
pub(super) type Rows<'t> = Box<dyn Iterator<Item = Row> + 't>;

/// The rows of `text`; names in `ignored` are passed over.
pub(super) fn of<'t>(
    text: &'t str,
    (form, ignored): (Form, &'t [String]),
) -> Result<Rows<'t>, FormError> {
    let text = without_mark(text);
    if text.trim_start().is_empty() {
        return Ok(Box::new(std::iter::empty()));
    }
    match form {
        Form::Array => array(text, ignored),
        Form::Lines => Ok(lines(text, ignored)),
        Form::Table => table(text, ignored),
    }
}

/// Spreadsheets begin a file with a byte order mark.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn array<'t>(text: &'t str, ignored: &'t [String]) -> Result<Rows<'t>, FormError> {
    let items: Vec<&RawValue> = serde_json::from_str(text)?;
    let (mut line, mut rest) = (1, text);
    let items = (1..).zip(items).map(move |(item, raw)| {
        // Each item is a part of the text, and begins behind the one before it.
        let offset = (raw.get().as_ptr() as usize).saturating_sub(rest.as_ptr() as usize);
        if let Some((before, from_here)) = rest.split_at_checked(offset) {
            line += newlines(before);
            rest = from_here;
        }
        let place = Place {
            line,
            item: Some(item),
        };
        Row {
            place,
            members: object(raw.get(), ignored),
        }
    });
    Ok(Box::new(items))
}

fn newlines(text: &str) -> u64 {
    u64::try_from(text.matches('\n').count()).unwrap_or(u64::MAX)
}

fn lines<'t>(text: &'t str, ignored: &'t [String]) -> Rows<'t> {
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    Box::new(lines.map(|(line, text)| Row {
        place: Place { line, item: None },
        members: object(text, ignored),
    }))
}

fn object(text: &str, ignored: &[String]) -> Result<JsonObject, Refusal> {
    let Members(members) = serde_json::from_str(text).map_err(|error| shape(&error))?;
    match members.keys().find(|name| !is_known(name, ignored)) {
        Some(name) => Err(Refusal::Shape(format!(
            "unknown field {name:?}; `ignore` passes it over"
        ))),
        None => Ok(members),
    }
}

fn is_known(name: &str, ignored: &[String]) -> bool {
    READ.contains(&name) || PASSED_OVER.contains(&name) || ignored.iter().any(|it| it == name)
}

/// What is wrong with the shape of a row. Complaints about values are not passed on, for they show the
/// value.
fn shape(error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    if text.starts_with("duplicate field") {
        return Refusal::Shape(text);
    }
    let place = error.column();
    Refusal::Shape(format!(
        "no JSON object: stops making sense at column {place}"
    ))
}

/// An object that names nothing twice: which of the two would count?
struct Members(JsonObject);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor).map(Self)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = JsonObject;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<JsonObject, M::Error> {
        let mut members = JsonObject::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if members.contains_key(&name) {
                return Err(M::Error::custom(format!("duplicate field {name:?}")));
            }
            members.insert(name, value);
        }
        Ok(members)
    }
}

fn table<'t>(text: &'t str, ignored: &'t [String]) -> Result<Rows<'t>, FormError> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let head: Vec<String> = reader
        .headers()?
        .iter()
        .map(|it| it.trim().to_owned())
        .collect();
    let unknown: Vec<_> = (head.iter())
        .filter(|name| !is_known(name, ignored))
        .map(|name| format!("{name:?}"))
        .collect();
    if !unknown.is_empty() {
        return Err(FormError::UnknownColumns(unknown.join(", ")));
    }
    for (index, name) in head.iter().enumerate() {
        if head.iter().skip(index + 1).any(|other| other == name) {
            return Err(FormError::Twice(name.clone()));
        }
    }
    let rows = reader.into_records().map(move |record| match record {
        Ok(record) => Row {
            place: place(record.position()),
            members: Ok(cells(&head, &record)),
        },
        Err(error) => Row {
            place: place(error.position()),
            members: Err(record_error(&error)),
        },
    });
    Ok(Box::new(rows))
}

fn place(position: Option<&csv::Position>) -> Place {
    Place {
        line: position.map_or(0, csv::Position::line),
        item: None,
    }
}

/// An empty cell says nothing.
fn cells(head: &[String], record: &csv::StringRecord) -> JsonObject {
    let cells = head.iter().zip(record).filter(|(_, cell)| !cell.is_empty());
    cells
        .map(|(name, cell)| (name.clone(), Value::from(cell)))
        .collect()
}

fn record_error(error: &csv::Error) -> Refusal {
    Refusal::Shape(match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} cells where the head has {expected_len}"),
        _ => "no CSV".to_owned(),
    })
}
