//! An entry of the trail: its fields, the bytes that are sealed, and its line in the log.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::seal::Hash;
use super::{Action, Event, Outcome};
use crate::clock::Timestamp;

/// The most characters of a field. What is longer was never one of our ids or names.
const MAX_CHARACTERS: usize = 320;

/// An entry of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When.
    #[serde(serialize_with = "as_text")]
    pub time: Timestamp,
    /// What was tried: a word of [`Action`].
    pub action: String,
    /// What came of it: a word of [`Outcome`].
    pub outcome: String,
    /// Why.
    pub reason: String,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// About whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// About which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// By which request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// About which API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// What more there is to say, such as how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Entry {
    /// What `event` says, at this time.
    pub fn of(event: &Event<'_>, time: Timestamp) -> Self {
        Self {
            time,
            action: word(&event.action),
            outcome: word(&event.outcome),
            reason: event.reason.to_owned(),
            actor: event.actor.map(bounded),
            user: event.user.as_deref().map(bounded),
            session: event.session.as_deref().map(bounded),
            address: event.address.map(|address| address.to_string()),
            request_id: event.request_id.as_deref().map(bounded),
            api_key: event.api_key.map(|key| key.to_string()),
            detail: None,
        }
    }

    /// What the trail says about itself.
    pub(super) fn about_trail(action: Action, outcome: Outcome, time: Timestamp) -> Self {
        Self {
            time,
            action: word(&action),
            outcome: word(&outcome),
            reason: String::new(),
            actor: None,
            user: None,
            session: None,
            address: None,
            request_id: None,
            api_key: None,
            detail: None,
        }
    }

    /// Whether it is of this kind.
    pub fn is(&self, action: Action) -> bool {
        self.action == word(&action)
    }

    /// The bytes that are sealed. Each field stands with its length, and an absent one is not an empty
    /// one, so that no two entries have the same bytes.
    pub(super) fn canonical(&self, seq: i64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(&seq.to_be_bytes());
        bytes.extend_from_slice(&self.time.as_millis().to_be_bytes());
        for text in [&self.action, &self.outcome, &self.reason] {
            field(&mut bytes, Some(text));
        }
        for text in [
            &self.actor,
            &self.user,
            &self.session,
            &self.address,
            &self.request_id,
            &self.api_key,
            &self.detail,
        ] {
            field(&mut bytes, text.as_deref());
        }
        bytes
    }
}

fn field(bytes: &mut Vec<u8>, text: Option<&str>) {
    let Some(text) = text else {
        return bytes.push(0);
    };
    bytes.push(1);
    bytes.extend_from_slice(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// PostgreSQL keeps no NUL; every other character may be in a name that somebody typed, and is escaped
/// where it is shown.
fn bounded(text: &str) -> String {
    let characters = text.chars().take(MAX_CHARACTERS);
    characters
        .map(|c| {
            if c == '\0' {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

/// The word for a variant, as everybody reads it.
pub(super) fn word(variant: &impl Serialize) -> String {
    match serde_json::to_value(variant) {
        Ok(Value::String(word)) => word,
        _ => "unknown".to_owned(),
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out a reference"
)]
fn as_text<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

/// An entry as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Its place, from 1.
    pub seq: i64,
    /// What it says.
    #[serde(flatten)]
    pub entry: Entry,
    /// Its seal, over the one before it as well.
    #[serde(rename = "entry_hash")]
    pub hash: Hash,
}

/// An entry as a line of the log.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    /// The place in the trail, and the seal there: what is cut off from the trail later was here.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry_hash: Option<&'a Hash>,
    /// `false` where the trail could not be written to when the line was.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<bool>,
}

impl<'a> Line<'a> {
    /// Of an entry that is kept nowhere else.
    pub(super) const fn alone(entry: &'a Entry) -> Self {
        Self {
            entry,
            seq: None,
            entry_hash: None,
            kept: None,
        }
    }

    /// Of an entry that should have been kept.
    pub(super) const fn unkept(entry: &'a Entry) -> Self {
        Self {
            kept: Some(false),
            ..Self::alone(entry)
        }
    }

    pub(super) const fn kept(kept: &'a Kept) -> Self {
        Self {
            seq: Some(kept.seq),
            entry_hash: Some(&kept.hash),
            ..Self::alone(&kept.entry)
        }
    }
}

/// A text for a terminal, on which a control character could hide what stands there.
pub fn shown(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| c.is_control() || is_invisible(c)) {
        Cow::Owned(text.escape_debug().to_string())
    } else {
        Cow::Borrowed(text)
    }
}

/// Marks that turn the direction of a text, or take no room.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
