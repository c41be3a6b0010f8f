//! Which hosts a route is for.

use std::fmt;
use std::str::FromStr;

use super::PatternError;
use crate::net::host::{Authority, parse_host};

/// Which hosts a route is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// Every host.
    Any,
    /// This host, in lower case, without a port.
    Exact(Box<str>),
    /// Every host below this domain (`*.example.com` is kept as `example.com`), at any depth.
    Below(Box<str>),
}

impl HostPattern {
    /// Reads `example.com`, `*.example.com`, `[::1]` or `*`. Capitals become small letters, as hosts
    /// have no letter case; a port and letters of another script are mistakes.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let (domain, below) = match text.strip_prefix("*.") {
            Some(domain) => (domain, true),
            None => (text, false),
        };
        let host = parse_name(domain)?;
        Ok(if below {
            Self::Below(host)
        } else {
            Self::Exact(host)
        })
    }
}

impl HostPattern {
    /// Whether this is for the host of a request, which is in lower case and without a port.
    pub fn takes(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(name) => **name == *host,
            Self::Below(domain) => is_below(domain, host),
        }
    }

    /// How many hosts it is for, as an order: of two that are for the same host, the narrower is less.
    pub fn breadth(&self) -> usize {
        match self {
            Self::Exact(_) => 0,
            Self::Below(domain) => usize::MAX - domain.len(),
            Self::Any => usize::MAX,
        }
    }

    /// Whether this is for all hosts that `other` is for, and more.
    pub fn is_wider_than(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, other) => *other != Self::Any,
            (Self::Below(domain), Self::Exact(name) | Self::Below(name)) => is_below(domain, name),
            (Self::Below(_), Self::Any) | (Self::Exact(_), _) => false,
        }
    }
}

fn is_below(domain: &str, name: &str) -> bool {
    let rest = name.strip_suffix(domain);
    rest.is_some_and(|rest| rest.ends_with('.'))
}

fn parse_name(text: &str) -> Result<Box<str>, PatternError> {
    if text.contains('*') {
        return Err(PatternError::HostStar);
    }
    if let (false, Ok(url::Host::Domain(punycode))) = (text.is_ascii(), url::Host::parse(text)) {
        return Err(PatternError::HostNotAscii(punycode));
    }
    if matches!(Authority::parse(text), Ok(authority) if authority.port.is_some()) {
        return Err(PatternError::HostPort);
    }
    Ok(parse_host(text)?)
}

impl FromStr for HostPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::parse(text)
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Exact(host) => f.write_str(host),
            Self::Below(domain) => write!(f, "*.{domain}"),
        }
    }
}
