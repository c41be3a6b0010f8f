//! Forwarding: a permitted request goes to an upstream, its answer comes back.
//!
//! Knows nothing of how a request was permitted; the [`Permit`](crate::auth::Permit) says that it was.

use std::time::Duration;

use http::HeaderName;
use url::Url;

/// A group of servers that answer for the same thing.
#[derive(Clone, Debug)]
pub struct UpstreamConfig {
    /// Its name, in routes, logs and metrics.
    pub name: String,
    /// The origins of its servers, `http` or `https`, no path; at least one.
    pub servers: Vec<Url>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long the head of the answer may take, from the last byte of the request.
    pub response_timeout: Duration,
    /// How long a body may stand still, in either direction.
    pub idle_timeout: Duration,
}

/// The headers that tell an upstream who is calling.
#[derive(Clone, Debug)]
pub struct IdentityHeaders {
    /// The subject of the token.
    pub subject: HeaderName,
    /// The caller's address.
    pub email: HeaderName,
    /// The caller's roles, comma-separated.
    pub roles: HeaderName,
    /// The session.
    pub session: HeaderName,
}
