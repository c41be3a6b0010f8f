//! A key, as this dialect shows one.

use serde::Serialize;

use crate::api_key::{ApiKey, Scope};
use crate::auth::api_keys::Made;

/// A key in a list.
#[derive(Serialize)]
pub(super) struct KeyBody<'a> {
    id: i64,
    name: &'a str,
    description: &'a str,
    created_at: String,
    expired_at: Option<String>,
    will_expire: bool,
    permission: String,
}

/// A key with its text, under the name that its generation of clients knows.
#[derive(Serialize)]
pub(super) struct NewKeyBody<'a> {
    #[serde(flatten)]
    key: KeyBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

/// Which clients: those of the paths `api_key`, or those of `access_token` before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generation {
    Newer,
    Older,
}

impl<'a> KeyBody<'a> {
    pub(super) fn of(key: &'a ApiKey) -> Self {
        Self {
            id: key.number,
            name: key.name.as_str(),
            description: key.description.as_str(),
            created_at: key.created_at.to_string(),
            expired_at: key.expires_at.map(|end| end.to_string()),
            will_expire: key.expires_at.is_some(),
            permission: permission(key),
        }
    }
}

impl<'a> NewKeyBody<'a> {
    pub(super) fn of(made: &'a Made, generation: Generation) -> Self {
        let text = made.text.expose();
        let (api_key, token) = match generation {
            Generation::Newer => (Some(text), None),
            Generation::Older => (None, Some(text)),
        };
        Self {
            key: KeyBody::of(&made.key),
            api_key,
            token,
        }
    }
}

/// In the order in which the original writes them.
fn permission(key: &ApiKey) -> String {
    let held = Scope::PERMISSIONS
        .into_iter()
        .filter(|permission| key.scopes.contains(permission));
    held.collect::<Vec<_>>().join(",")
}
