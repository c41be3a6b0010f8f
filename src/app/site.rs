//! The map of the site: which route each request takes, the gateway's own pages and the dialects in the
//! same table as the routes of the configuration.

use std::sync::Arc;

use axum::Router;
use http::Method;

use crate::api;
use crate::auth::Auth;
use crate::config::Config;
use crate::config::mistake::{Entry, Mistake, Mistakes, Place};
use crate::metrics::Metrics;
use crate::metrics::requests::RouteMetrics;
use crate::path::NormalPath;
use crate::policy::Requirement;
use crate::route::pattern::{HostPattern, Methods, PathPattern, PatternError};
use crate::route::table::{Lookup, RouteTable};
use crate::route::{Credentials, Matcher};
use crate::wire::refusal::{ProblemStyle, RefusalStyle};

/// What a request comes to.
#[derive(Debug)]
pub struct Stop {
    /// Its name in logs, metrics and `doorward explain`: the pattern.
    pub name: Arc<str>,
    /// What it asks of its callers.
    pub requirement: Requirement,
    /// Who answers.
    pub target: Target,
    /// How refusals look here.
    pub style: Style,
    /// Its counters.
    pub metrics: RouteMetrics,
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The gateway itself; its endpoints look at credentials themselves.
    Own,
    /// An upstream.
    Upstream {
        /// Which: an index into the list of upstreams.
        index: usize,
        /// Whether it may see the caller's credential.
        credentials: Credentials,
    },
}

/// How refusals look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Problem bodies.
    Problem,
}

impl Style {
    /// The style itself.
    pub fn as_dyn(self) -> &'static dyn RefusalStyle {
        match self {
            Self::Problem => &ProblemStyle,
        }
    }
}

/// All stops, and which of them a request comes to.
#[derive(Debug)]
pub struct Site {
    table: RouteTable<usize>,
    stops: Vec<Stop>,
    /// The counters of requests that come to no stop.
    pub unmatched: RouteMetrics,
}

impl Site {
    /// Draws the map. The mistakes are ties between routes, also with those of the gateway itself.
    pub fn build(config: &Config, metrics: &Metrics) -> Result<Self, Mistakes> {
        let (mut matchers, mut stops) = (Vec::new(), Vec::new());
        for place in places(config) {
            matchers.push((place.matcher, stops.len()));
            stops.push(Stop {
                metrics: metrics.route(&place.name),
                name: place.name,
                requirement: place.requirement,
                target: place.target,
                style: place.style,
            });
        }
        let table = RouteTable::build(matchers).map_err(|_ties| Mistakes::of(conflicts(config)))?;
        Ok(Self {
            table,
            stops,
            unmatched: metrics.route("none"),
        })
    }

    /// The stop that a request comes to.
    pub fn find(&self, host: &str, path: &NormalPath, method: &Method) -> Lookup<'_, Stop> {
        match self.table.lookup(host, path, method) {
            Lookup::Found(index) => self
                .stops
                .get(*index)
                .map_or(Lookup::NotFound, Lookup::Found),
            Lookup::NotFound => Lookup::NotFound,
            Lookup::MethodNotAllowed(methods) => Lookup::MethodNotAllowed(methods),
            Lookup::CaseDiffers => Lookup::CaseDiffers,
        }
    }
}

/// Every pair of routes that would answer the same requests.
pub fn conflicts(config: &Config) -> Vec<Mistake> {
    let places = places(config);
    let (entries, matchers): (Vec<_>, Vec<_>) = places
        .into_iter()
        .enumerate()
        .map(|(i, p)| (p.entry, (p.matcher, i)))
        .unzip();
    let Err(ties) = RouteTable::build(matchers) else {
        return Vec::new();
    };
    let entry = |index: usize| entries.get(index);
    ties.into_iter()
        .filter_map(|tie| Some((entry(tie.first)?, entry(tie.second)?)))
        .map(|(first, second)| Mistake::conflict(second, first, "takes the same requests"))
        .collect()
}

/// The gateway's own endpoints, those of the dialects among them.
pub fn own_endpoints(_config: &Config, auth: &Arc<Auth>) -> Router {
    api::router(Arc::clone(auth))
}

/// The cookies of the dialects, which upstreams do not see.
pub fn dialect_cookies(_config: &Config) -> Vec<String> {
    Vec::new()
}

/// A stop before it is on the map.
struct PlannedStop {
    matcher: Matcher,
    entry: Entry,
    name: Arc<str>,
    requirement: Requirement,
    target: Target,
    style: Style,
}

fn places(config: &Config) -> Vec<PlannedStop> {
    let own = own_patterns().unwrap_or_default();
    own.into_iter().chain(configured(config)).collect()
}

/// What the gateway answers itself: all below `/.doorward/`, and the keys where everybody looks.
fn own_patterns() -> Result<Vec<PlannedStop>, PatternError> {
    ["/.doorward/**", "/.well-known/jwks.json"]
        .into_iter()
        .map(|pattern| own_stop(HostPattern::Any, pattern, Methods::Any))
        .collect()
}

fn own_stop(
    host: HostPattern,
    pattern: &str,
    methods: Methods,
) -> Result<PlannedStop, PatternError> {
    let place = Place {
        file: "the gateway itself".to_owned(),
        position: None,
    };
    Ok(PlannedStop {
        matcher: Matcher {
            host,
            path: PathPattern::parse(pattern)?,
            methods,
        },
        entry: Entry {
            place,
            key: pattern.to_owned(),
        },
        name: pattern.into(),
        requirement: Requirement::Public,
        target: Target::Own,
        style: Style::Problem,
    })
}

fn configured(config: &Config) -> impl Iterator<Item = PlannedStop> {
    let routes = config.routes.iter().zip(&config.sources.routes);
    routes.map(|(route, entry)| PlannedStop {
        matcher: route.matcher.clone(),
        entry: entry.clone(),
        name: route.matcher.to_string().into(),
        requirement: route.requirement.clone(),
        target: Target::Upstream {
            index: route.upstream,
            credentials: route.credentials,
        },
        style: Style::Problem,
    })
}
