//! The dialects whose clients call a service: they meet its refusals too, and read them as they read those
//! of the login.
//!
//! Which it is, the request says, not its route: one route may serve hosts and paths of several.

use http::HeaderName;

use super::{Stop, Style};
use crate::auth::Auth;
use crate::config::{ApiKeys, DialectConfig};
use crate::dialect::Shape;
use crate::dialect::cors::Cors;
use crate::request::{Credential, RequestHead};
use crate::route::RouteConfig;
use crate::route::pattern::HostPattern;

/// A dialect beside a service.
#[derive(Clone, Debug)]
pub struct Neighbour {
    host: HostPattern,
    prefix: String,
    shape: Shape,
    cors: Option<Cors>,
    /// The keys that its apps show in the place of a token until somebody has signed in.
    pub keys: ApiKeys,
    /// Where its clients show their credential, beside `Authorization`.
    pub key_header: Option<HeaderName>,
}

/// A stop as one request comes to it.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    /// The stop.
    pub stop: &'a Stop,
    /// The dialect whose client seems to call.
    pub neighbour: Option<&'a Neighbour>,
    /// How refusals look.
    pub style: Style,
}

impl Stop {
    /// This stop, as a request for this host and path comes to it.
    pub fn at(&self, host: &str, path: &str) -> Spot<'_> {
        let mut beside = self.neighbours.iter();
        let found = beside.find_map(|one| Some((one, one.path_within(host, path)?)));
        Spot {
            stop: self,
            neighbour: found.map(|(one, _)| one),
            style: found.map_or(Style::Problem, |(one, path)| {
                Style::Dialect(one.shape, one.shape.quarter(path))
            }),
        }
    }
}

impl<'a> Spot<'a> {
    /// What counts as the credential of a request that comes here; `key_header` is the usual one for API
    /// keys.
    ///
    /// A key that every app carries says nothing of who calls: until somebody has signed in, clients of
    /// some dialects show it in the place of a token. It counts as no credential, and nothing else of
    /// the request counts in its place.
    pub fn credential<'h>(
        &self,
        head: &RequestHead<'h>,
        key_header: Option<&HeaderName>,
    ) -> Credential<'h> {
        let neighbour = self.neighbour;
        let shown = match neighbour.and_then(|neighbour| neighbour.key_header.as_ref()) {
            Some(also) => head.credential_also_in(Auth::SESSION_COOKIE, key_header, also),
            None => head.credential_with(Auth::SESSION_COOKIE, key_header),
        };
        let is_key = |key| neighbour.is_some_and(|neighbour| neighbour.keys.is_public(key));
        match shown {
            Credential::Bearer(token) if is_key(token) => Credential::Absent,
            Credential::Bearer(_)
            | Credential::Absent
            | Credential::Key(_)
            | Credential::Cookie(_)
            | Credential::Foreign
            | Credential::Ambiguous => shown,
        }
    }

    /// How its answers are shared with pages of other origins.
    pub fn cors(&self) -> Option<&'a Cors> {
        match self.neighbour {
            Some(neighbour) => neighbour.cors.as_ref(),
            None => self.stop.cors.as_ref(),
        }
    }
}

impl Neighbour {
    fn of(route: &RouteConfig, dialect: &DialectConfig) -> Self {
        let allowed = route.allowed_origins.as_ref();
        let allowed = allowed.unwrap_or(&dialect.allowed_origins).clone();
        Self {
            host: dialect.host.clone(),
            prefix: dialect.prefix.clone(),
            shape: dialect.shape,
            cors: Some(dialect.shape.cors(allowed)).filter(Cors::is_asked_for),
            keys: dialect.keys.clone(),
            key_header: dialect.shape.key_header(),
        }
    }

    /// The rest of the path, where the request is for the host of the dialect and below its prefix.
    fn path_within<'p>(&self, host: &str, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix(&*self.prefix)?;
        let is_below = rest.is_empty() || rest.starts_with('/');
        (is_below && self.host.takes(host)).then_some(rest)
    }
}

/// Those of a route, in the order in which they are asked: the narrowest host first, then the longest
/// prefix, then as they stand in the configuration.
pub(super) fn neighbours(dialects: &[DialectConfig], route: &RouteConfig) -> Vec<Neighbour> {
    let host = &route.matcher.host;
    let shares_a_host = |dialect: &&DialectConfig| {
        let other = &dialect.host;
        host == other || host.is_wider_than(other) || other.is_wider_than(host)
    };
    let beside = dialects.iter().filter(shares_a_host);
    let mut found: Vec<_> = beside
        .map(|dialect| Neighbour::of(route, dialect))
        .collect();
    found.sort_by_key(|one| (one.host.breadth(), usize::MAX - one.prefix.len()));
    found
}

/// Where no dialect is beside it, only the route itself says who shares.
pub(super) fn cors_alone(route: &RouteConfig) -> Option<Cors> {
    let allowed = route.allowed_origins.clone()?;
    Some(Cors::new(allowed)).filter(Cors::is_asked_for)
}
