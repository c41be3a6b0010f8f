//! How keys look at the command line. Never their text, which nobody has.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::word;
use crate::api_key::{ApiKey, Scope};
use crate::clock::Timestamp;
use crate::user::Role;

/// One key, on lines for people or as JSON.
pub(super) fn one(
    key: &ApiKey,
    (now, as_json): (Timestamp, bool),
    out: &mut dyn Write,
) -> io::Result<()> {
    let whole = value(key, now);
    if as_json {
        return writeln!(out, "{whole:#}");
    }
    let Value::Object(fields) = whole else {
        return Ok(());
    };
    for (name, value) in fields {
        let text = match value {
            Value::String(text) => text,
            Value::Array(items) => words(items.iter().filter_map(Value::as_str)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => "-".to_owned(),
        };
        writeln!(out, "{name:13} {text}")?;
    }
    Ok(())
}

/// One key on one line.
pub(super) fn line(
    key: &ApiKey,
    (now, as_json): (Timestamp, bool),
    out: &mut dyn Write,
) -> io::Result<()> {
    if as_json {
        return writeln!(out, "{}", value(key, now));
    }
    let standing = word(key.standing(now));
    let used = key
        .last_used_at
        .map_or_else(|| "never".to_owned(), |at| at.to_string());
    let scopes = words(key.scopes.iter().map(Scope::as_str));
    writeln!(
        out,
        "{}  {:8}  {:12}  {}  {}  scopes {scopes}  used {used}",
        key.id, standing, key.hint, key.name, key.subject
    )
}

fn value(key: &ApiKey, now: Timestamp) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "id": key.id.to_string(),
        "name": key.name.as_str(),
        "hint": &*key.hint,
        "subject": key.subject.to_string(),
        "status": word(key.standing(now)),
        "roles": key.roles.iter().map(Role::as_str).collect::<Vec<_>>(),
        "scopes": key.scopes.iter().map(Scope::as_str).collect::<Vec<_>>(),
        "created_at": key.created_at.to_string(),
        "expires_at": time(key.expires_at),
        "last_used_at": time(key.last_used_at),
        "retires_at": time(key.retires_at),
        "revoked_at": time(key.revoked_at),
        "rotated_from": key.rotated_from.map(|id| id.to_string()),
    })
}

fn words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let text = words.collect::<Vec<_>>().join(",");
    if text.is_empty() {
        "-".to_owned()
    } else {
        text
    }
}
