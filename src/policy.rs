//! What a route asks of its callers, and whether a caller meets it.
//!
//! Whether a credential holds is settled before: an identity that arrives here was verified.

use std::net::IpAddr;

use http::Method;
use serde_json::Value;

use crate::api_key::Scope;
use crate::identity::{Identity, Issuer};
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
    /// The credential is one of these.
    Credentials(Vec<CredentialKind>),
    /// Every one of these rules; of none: met.
    All(Vec<Self>),
    /// At least one of these rules; of none: not met.
    Any(Vec<Self>),
}

/// What a caller is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A session of this gateway.
    Session,
    /// A token of one of the `[[issuers]]`.
    Token,
    /// An API key.
    ApiKey,
}

impl CredentialKind {
    /// The word for it in rules and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
            Self::ApiKey => "api-key",
        }
    }

    const fn of(identity: &Identity) -> Self {
        match identity.issuer {
            Issuer::Own => Self::Session,
            Issuer::Foreign(_) => Self::Token,
            Issuer::ApiKey(_) => Self::ApiKey,
        }
    }
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
    /// What for.
    pub method: &'a Method,
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
            Self::SignedIn => {
                let identity = facts.identity.ok_or(Unmet::NotSignedIn)?;
                permits(identity, facts.method)
            }
            Self::Admin => {
                let identity = facts.identity.ok_or(Unmet::NotSignedIn)?;
                let is_admin = identity.has_role(Role::ADMIN);
                met_or(is_admin, || words::roles(&[Role::ADMIN]))?;
                permits(identity, facts.method)
            }
            Self::Rule(rule) => {
                let identity = facts.identity.ok_or(Unmet::NotSignedIn)?;
                met_or(rule.is_met(identity, facts.client), || rule.to_string())?;
                if rule.names_permission() {
                    return Ok(());
                }
                permits(identity, facts.method)
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

/// Whether a key may use this method. One that has permissions (`read`, `write`, `admin`) may do no more
/// than they say: what asks for no change (RFC 9110 §9.2.1) takes `read`, everything else `write`. Only a
/// rule that asks for one of the three itself decides alone, for services whose every call is a `POST`.
///
/// Scopes of tokens are the words of their issuers, and bound nothing by themselves.
fn permits(identity: &Identity, method: &Method) -> Result<(), Unmet> {
    let holds = |name: &str| identity.scopes.iter().any(|scope| **scope == *name);
    let needed = if method.is_safe() {
        Scope::READ
    } else {
        Scope::WRITE
    };
    match CredentialKind::of(identity) {
        CredentialKind::Session | CredentialKind::Token => Ok(()),
        CredentialKind::ApiKey => {
            let is_bounded = Scope::PERMISSIONS.into_iter().any(holds);
            met_or(!is_bounded || holds(needed), || words::permission(needed))
        }
    }
}

impl Rule {
    /// Whether it asks for a permission by name, on every way in which it can be met.
    fn names_permission(&self) -> bool {
        match self {
            Self::Scopes(scopes) => scopes
                .iter()
                .any(|scope| Scope::PERMISSIONS.contains(&scope.as_str())),
            Self::All(rules) => rules.iter().any(Self::names_permission),
            Self::Any(rules) => !rules.is_empty() && rules.iter().all(Self::names_permission),
            Self::Roles(_) | Self::Claim { .. } | Self::Networks(_) | Self::Credentials(_) => false,
        }
    }

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
            Self::Credentials(kinds) => kinds.contains(&CredentialKind::of(identity)),
            Self::All(rules) => rules.iter().all(|rule| rule.is_met(identity, client)),
            Self::Any(rules) => rules.iter().any(|rule| rule.is_met(identity, client)),
        }
    }
}

#[cfg(test)]
mod tests;
