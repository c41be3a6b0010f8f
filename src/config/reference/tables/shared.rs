//! What several tables share: what values look like, in words, and how a claim is named.

use crate::config::reference::Default::{self, Required, Words};
use crate::config::reference::{Key, Kind};

pub(super) const fn key(
    name: &'static str,
    kind: Kind,
    default: Default,
    meaning: &'static str,
) -> Key {
    Key {
        name,
        kind,
        default,
        meaning,
    }
}

pub(super) const fn span(least: &'static str, most: &'static str) -> Kind {
    Kind::Duration { least, most }
}

pub(super) const fn count(least: u32, most: u32, unit: &'static str) -> Kind {
    Kind::Integer { least, most, unit }
}

pub(super) const PATH: Kind = Kind::Words("a path");
pub(super) const TEXT: Kind = Kind::Words("a text that is not empty");
pub(super) const NETWORKS: Kind = Kind::Words("a list of networks, such as [\"10.0.0.0/8\"]");
pub(super) const SECRET_KIND: Kind = Kind::Words("{ env = \"NAME\" } or { file = \"/path\" }");
pub(super) const JSON: Kind = Kind::Words("a text, a number, true or false");
pub(super) const JSON_LIST: Kind =
    Kind::Words("a list of texts, numbers, true or false; at least one");
pub(super) const SYSTEM_AUTHORITIES: Default = Words("the authorities that the system trusts");
pub(super) const CLAIM_PATH: Kind =
    Kind::Words("the path of a claim, such as \"realm_access.roles\"");

/// A claim and what it must be.
pub(super) const CLAIM_KEYS: &[Key] = &[
    key(
        "claim",
        CLAIM_PATH,
        Required,
        "The path of the claim: object keys, joined by dots.",
    ),
    key("equals", JSON, Words("–"), "The claim is exactly this."),
    key(
        "contains",
        JSON,
        Words("–"),
        "The claim is a list that holds this, or a text one of whose words it is.",
    ),
    key(
        "one_of",
        JSON_LIST,
        Words("–"),
        "The claim is one of these.",
    ),
];
