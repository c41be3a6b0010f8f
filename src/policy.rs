//! What a route asks of its callers, and whether a caller meets it.

use serde_json::Value;

use crate::net::Networks;

/// What a route asks of its callers.
#[derive(Clone, Debug, PartialEq)]
pub enum Requirement {
    /// Nothing.
    Public,
    /// A verified credential, of anybody.
    SignedIn,
    /// A verified credential with the role `admin`.
    Admin,
    /// A verified credential, and this rule.
    Rule(Rule),
    /// No credential, but the caller comes from one of these networks
    /// (`{ signed_in = false, networks = […] }`).
    Networks(Networks),
}

/// A rule over a verified identity and the address that it comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// One of these roles.
    Roles(Vec<String>),
    /// All of these scopes.
    Scopes(Vec<String>),
    /// A claim, by its path dot by dot, passes a test.
    Claim {
        /// The path: object keys, joined by dots.
        path: String,
        /// What the claim must be.
        test: ClaimTest,
    },
    /// The client's address lies in one of these networks.
    Networks(Networks),
    /// Every one of these rules; of none: met.
    All(Vec<Rule>),
    /// At least one of these rules; of none: not met.
    Any(Vec<Rule>),
}

/// What a claim must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimTest {
    /// Exactly this value.
    Equals(Value),
    /// A list that holds this value, or a text of space-separated words one of which it is.
    Contains(Value),
    /// One of these values.
    OneOf(Vec<Value>),
}
