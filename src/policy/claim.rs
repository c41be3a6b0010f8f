//! Claims by path, and what is asked of them.

use serde_json::Value;

use super::ClaimTest;
use crate::user::JsonObject;

/// The claim at the end of `path`: object keys, joined by dots. Lists are not walked into.
pub(super) fn find<'a>(claims: &'a JsonObject, path: &str) -> Option<&'a Value> {
    let mut keys = path.split('.');
    let first = claims.get(keys.next()?)?;
    keys.try_fold(first, |value, key| value.as_object()?.get(key))
}

impl ClaimTest {
    /// Whether what stands at the end of `path` is there and passes.
    pub fn holds_at(&self, path: &str, object: &JsonObject) -> bool {
        find(object, path).is_some_and(|claim| self.holds(claim))
    }

    /// Whether a claim that is there passes.
    pub fn holds(&self, claim: &Value) -> bool {
        match self {
            Self::Equals(expected) => claim == expected,
            Self::Contains(expected) => contains(claim, expected),
            Self::OneOf(choices) => choices.contains(claim),
        }
    }
}

/// Part of a word is no word: `superadmin` does not contain `admin`.
fn contains(claim: &Value, expected: &Value) -> bool {
    match (claim, expected) {
        (Value::Array(items), _) => items.contains(expected),
        (Value::String(text), Value::String(word)) => {
            !word.is_empty() && text.split(' ').any(|held| held == word)
        }
        (
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_),
            _,
        ) => false,
    }
}
