//! Which route a request takes: host, path pattern and method to whatever the route stands for.

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
}

/// Whether the upstream may see the caller's credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// `Authorization` and our cookies stay here.
    Kept,
    /// They are passed on (`forward_credentials = true`).
    Forwarded,
}
