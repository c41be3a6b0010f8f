//! Rules in words, for the log and for `explain`.

use std::fmt;

use serde_json::Value;

use super::{ClaimTest, Requirement, Rule};
use crate::net::Networks;

/// As `gateway.toml` has it, or in its sense.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::SignedIn => f.write_str("signed-in"),
            Self::Admin => f.write_str("admin"),
            Self::Rule(rule) => write!(f, "signed-in and {rule}"),
            Self::Networks(networks) => write!(f, "{}", Rule::Networks(networks.clone())),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Roles(names) => f.write_str(&roles(names)),
            Self::Scopes(names) => f.write_str(&counted("scope", "all of the scopes", names)),
            Self::Claim { path, test } => write!(f, "claim `{path}` {test}"),
            Self::Networks(list) => f.write_str(&networks(list)),
            Self::Credentials(kinds) => {
                let names: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
                f.write_str(&counted("credential", "one of the credentials", &names))
            }
            Self::All(rules) => group(f, "all of", rules),
            Self::Any(rules) => group(f, "any of", rules),
        }
    }
}

impl fmt::Display for ClaimTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(value) => write!(f, "equal to {value}"),
            Self::Contains(value) => write!(f, "containing {value}"),
            Self::OneOf(values) => {
                let values: Vec<_> = values.iter().map(Value::to_string).collect();
                write!(f, "one of {}", values.join(", "))
            }
        }
    }
}

pub(super) fn roles<S: AsRef<str>>(names: &[S]) -> String {
    counted("role", "one of the roles", names)
}

pub(super) fn networks(networks: &Networks) -> String {
    let names: Vec<_> = networks.iter().map(ToString::to_string).collect();
    counted("a client in", "a client in one of", &names)
}

pub(super) fn permission(name: &str) -> String {
    counted("permission", "all of the permissions", &[name])
}

fn counted<S: AsRef<str>>(one: &str, several: &str, names: &[S]) -> String {
    let label = if names.len() == 1 { one } else { several };
    let quoted: Vec<_> = names.iter().map(|n| format!("`{}`", n.as_ref())).collect();
    format!("{label} {}", quoted.join(", "))
}

fn group(f: &mut fmt::Formatter<'_>, label: &str, rules: &[Rule]) -> fmt::Result {
    let rules: Vec<_> = rules.iter().map(Rule::to_string).collect();
    write!(f, "{label} ({})", rules.join("; "))
}
