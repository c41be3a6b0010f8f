//! What requests are served by, as one: a reload of the configuration puts a new one in its place, and
//! requests that are under way end with the one that they began with.

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::HeaderValue;

use super::site::{OwnEndpoints, Site};
use crate::auth::Auth;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::net::Networks;
use crate::proxy::{self, Proxy};
use crate::wire::cookie::Cookie;

/// The one that counts now.
pub type Current = Arc<ArcSwap<Serving>>;

/// Everything about the answer to a request that the configuration may change on the way.
#[derive(Debug)]
pub struct Serving {
    /// Forwards.
    pub proxy: Proxy,
    /// Knows the routes.
    pub site: Site,
    /// The gateway's own endpoints.
    pub own: OwnEndpoints,
    /// Whose word on the client's address counts.
    pub trusted_proxies: Networks,
    /// `Strict-Transport-Security`, if it is told.
    pub hsts: Option<HeaderValue>,
}

impl Serving {
    /// Makes one; opens no connection.
    pub fn build(config: &Config, auth: &Arc<Auth>, metrics: &Metrics) -> anyhow::Result<Self> {
        Ok(Self {
            proxy: Proxy::new(proxy_config(config, auth))?,
            site: Site::build(config, metrics).map_err(anyhow::Error::new)?,
            own: OwnEndpoints::of(config, auth)?,
            trusted_proxies: config.trusted_proxies.clone(),
            hsts: hsts(config),
        })
    }
}

fn proxy_config(config: &Config, auth: &Auth) -> proxy::Config {
    let own = [Cookie::SESSION, Cookie::REFRESH];
    let dialects = config.dialects.iter();
    let spoken = dialects.flat_map(|dialect| dialect.shape.cookies());
    proxy::Config {
        upstreams: config.upstreams.clone(),
        headers: config.headers.clone(),
        // What is judged, not what a reload says: the two would differ until a restart.
        key_header: auth.key_header().cloned(),
        cookies: own
            .iter()
            .chain(spoken)
            .map(|cookie| cookie.name().to_owned())
            .collect(),
    }
}

/// Not for the hosts below this one: they may be anybody's.
fn hsts(config: &Config) -> Option<HeaderValue> {
    let span = config.hsts?.as_secs();
    HeaderValue::try_from(format!("max-age={span}")).ok()
}
