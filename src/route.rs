//! Which route a request takes: host, path pattern and method to whatever the route stands for.

use std::fmt;

use http::HeaderValue;

use crate::policy::Requirement;

pub mod pattern;
pub mod table;

/// What a request must look like to take a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher {
    /// Which hosts.
    pub host: pattern::HostPattern,
    /// Which paths.
    pub path: pattern::PathPattern,
    /// Which methods.
    pub methods: pattern::Methods,
}

/// As people name a route: `GET,POST api.example.com/users/**`, with what is not restricted left out.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.methods {
            pattern::Methods::Any => {}
            methods @ pattern::Methods::Only(_) => write!(f, "{methods} ")?,
        }
        match &self.host {
            pattern::HostPattern::Any => {}
            host @ (pattern::HostPattern::Exact(_) | pattern::HostPattern::Below(_)) => {
                write!(f, "{host}")?;
            }
        }
        write!(f, "{}", self.path)
    }
}

/// A `[[routes]]` entry.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteConfig {
    /// When it is taken.
    pub matcher: Matcher,
    /// What it asks of its callers.
    pub requirement: Requirement,
    /// The upstream, as an index into the list of upstreams: a name that does not exist does not get
    /// this far.
    pub upstream: usize,
    /// Whether the upstream may see the caller's credential.
    pub credentials: Credentials,
    /// Whose pages may call it, where it says so itself; none at all: the service says it.
    pub allowed_origins: Option<Vec<HeaderValue>>,
}

/// Whether the upstream may see the caller's credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// `Authorization` and our cookies stay here.
    Kept,
    /// They are passed on (`forward_credentials = true`).
    Forwarded,
}
