//! What a route asks of its callers, and whether a caller meets it.
//!
//! Whether a credential holds is settled before: an identity that arrives here was verified.

use std::net::IpAddr;

use serde_json::Value;

use crate::identity::Identity;
use crate::net::Networks;
use crate::user::Role;

mod claim;
mod words;

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
    All(Vec<Self>),
    /// At least one of these rules; of none: not met.
    Any(Vec<Self>),
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

/// What a requirement is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Who calls, where a credential was shown and holds.
    pub identity: Option<&'a Identity>,
    /// Where from, by the trusted-proxy rule.
    pub client: IpAddr,
}

/// Why a requirement is not met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmet {
    /// It asks for a credential, and there is none.
    #[error("not signed in")]
    NotSignedIn,
    /// What it asks for, in words such as ``role `admin` ``; for the log and for `explain`.
    #[error("needs {0}")]
    Rule(String),
}

impl Requirement {
    /// Whether it can be met without a credential.
    pub const fn asks_for_identity(&self) -> bool {
        match self {
            Self::Public | Self::Networks(_) => false,
            Self::SignedIn | Self::Admin | Self::Rule(_) => true,
        }
    }

    /// Whether a caller meets it.
    pub fn judge(&self, facts: &Facts<'_>) -> Result<(), Unmet> {
        match self {
            Self::Public => Ok(()),
            Self::SignedIn => facts.identity.map(drop).ok_or(Unmet::NotSignedIn),
            Self::Admin => {
                let identity = facts.identity.ok_or(Unmet::NotSignedIn)?;
                let is_admin = identity.has_role(Role::ADMIN);
                met_or(is_admin, || words::roles(&[Role::ADMIN]))
            }
            Self::Rule(rule) => {
                let identity = facts.identity.ok_or(Unmet::NotSignedIn)?;
                met_or(rule.is_met(identity, facts.client), || rule.to_string())
            }
            Self::Networks(networks) => met_or(networks.contains(facts.client), || {
                words::networks(networks)
            }),
        }
    }
}

fn met_or(met: bool, words: impl FnOnce() -> String) -> Result<(), Unmet> {
    if met {
        Ok(())
    } else {
        Err(Unmet::Rule(words()))
    }
}

impl Rule {
    /// Whether this identity, from this address, meets the rule. As deep as the rule is written.
    fn is_met(&self, identity: &Identity, client: IpAddr) -> bool {
        match self {
            Self::Roles(roles) => roles.iter().any(|role| identity.has_role(role)),
            Self::Scopes(scopes) => scopes
                .iter()
                .all(|scope| identity.scopes.iter().any(|held| **held == **scope)),
            Self::Claim { path, test } => {
                let value = claim::find(&identity.claims, path);
                // What is absent is nothing: not null, not the empty text.
                value.is_some_and(|value| test.holds(value))
            }
            Self::Networks(networks) => networks.contains(client),
            Self::All(rules) => rules.iter().all(|rule| rule.is_met(identity, client)),
            Self::Any(rules) => rules.iter().any(|rule| rule.is_met(identity, client)),
        }
    }
}

#[cfg(test)]
mod tests;
