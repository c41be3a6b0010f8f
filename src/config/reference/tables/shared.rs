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

pub(super) const ADDRESSES: Kind =
    Kind::Words("a list of addresses with port, such as [\"0.0.0.0:8443\"]");
pub(super) const PATH: Kind = Kind::Words("a path");
pub(super) const TEXT: Kind = Kind::Words("a text that is not empty");
pub(super) const TEXTS: Kind = Kind::Words("a list of texts, at least one");
pub(super) const NETWORKS: Kind = Kind::Words("a list of networks, such as [\"10.0.0.0/8\"]");
pub(super) const HEADER: Kind = Kind::Words("a header name of its own, such as \"X-Auth-Subject\"");
pub(super) const SECRET_KIND: Kind = Kind::Words("{ env = \"NAME\" } or { file = \"/path\" }");
pub(super) const LOG_KIND: Kind = Kind::Words("\"stdout\", \"off\" or { file = \"/path\" }");
pub(super) const CODE_FORM: Kind = Kind::Words("\"digits\", \"link\" or \"both\"");
pub(super) const LINK: Kind = Kind::Words(
    "an https URL with {token}, such as \"https://app.example.com/verify?token={token}\"",
);
pub(super) const SYSLOG: Kind =
    Kind::Words("\"unix:/dev/log\", \"udp://host:514\" or \"tcp://host:601\"");
pub(super) const AUDIT_LOG_KIND: Kind =
    Kind::Words("\"stdout\", \"off\", { file = \"/path\" } or { syslog = \"unix:/dev/log\" }");
pub(super) const RULES: Kind =
    Kind::Words("a list of tables such as { roles = [\"staff\"] }, at least one");
pub(super) const JSON: Kind = Kind::Words("a text, a number, true or false");
pub(super) const JSON_LIST: Kind =
    Kind::Words("a list of texts, numbers, true or false; at least one");
pub(super) const QUOTA: Kind = Kind::Words("\"off\", or such as \"10/1m\"");
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
