//! The map of the site: which route each request takes, the gateway's own pages and the dialects in the
//! same table as the routes of the configuration.

use std::sync::Arc;

use axum::body::Body;
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::{Method, Response};

use self::plan::places;
use crate::config::Config;
use crate::config::mistake::Mistakes;
use crate::dialect::cors::Cors;
use crate::dialect::{Quarter, Shape};
use crate::metrics::Metrics;
use crate::metrics::requests::RouteMetrics;
use crate::path::NormalPath;
use crate::policy::Requirement;
use crate::request::RequestHead;
use crate::route::Credentials;
use crate::route::table::{Lookup, RouteTable};
use crate::wire::refusal::{ProblemStyle, RefusalStyle};

mod conflicts;
mod neighbour;
mod own;
mod plan;

pub use self::conflicts::{conflicts, ties};
pub use self::neighbour::{Neighbour, Spot};
pub use self::own::{OwnEndpoints, token_forms};

/// What a request comes to.
#[derive(Debug)]
pub struct Stop {
    /// Its name in logs, metrics and `doorward explain`: the pattern.
    pub name: Arc<str>,
    /// What it asks of its callers.
    pub requirement: Requirement,
    /// Who answers.
    pub target: Target,
    /// How its answers are shared with pages of other origins where no dialect is beside it; for services
    /// alone, as endpoints see to it themselves.
    cors: Option<Cors>,
    /// The dialects whose clients call a service.
    neighbours: Vec<Neighbour>,
    /// Its counters.
    pub metrics: RouteMetrics,
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The gateway itself; its endpoints look at credentials themselves.
    Own(Endpoints),
    /// An upstream.
    Upstream {
        /// Which: an index into the list of upstreams.
        index: usize,
        /// Whether it may see the caller's credential.
        credentials: Credentials,
    },
}

/// Which endpoints of the gateway itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoints {
    /// Its own API.
    Api,
    /// Those of a dialect: an index into the list of dialects.
    Dialect(usize),
}

/// How refusals look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Problem bodies.
    Problem,
    /// As the clients of a dialect expect them.
    Dialect(Shape, Quarter),
}

impl Style {
    /// The style itself.
    pub fn as_dyn(self) -> &'static dyn RefusalStyle {
        match self {
            Self::Problem => &ProblemStyle,
            Self::Dialect(shape, quarter) => shape.style(quarter),
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
        for place in places(config.map()) {
            matchers.push((place.matcher, stops.len()));
            stops.push(Stop {
                metrics: metrics.route(&place.name),
                name: place.name,
                requirement: place.requirement,
                target: place.target,
                cors: place.cors,
                neighbours: place.neighbours,
            });
        }
        let table =
            RouteTable::build(matchers).map_err(|_ties| Mistakes::of(ties(config.map())))?;
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

    /// The answer to a preflight (Fetch standard §3.2.2) where pages of other origins may call. It carries no
    /// credential, so no service could be asked for its answer.
    pub fn preflight(&self, head: &RequestHead<'_>) -> Option<(Spot<'_>, Response<Body>)> {
        if *head.method != Method::OPTIONS || !head.headers.contains_key(ORIGIN) {
            return None;
        }
        let wanted = head.headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
        let wanted = Method::from_bytes(wanted.as_bytes()).ok()?;
        let Lookup::Found(stop) = self.find(&head.host, &head.path, &wanted) else {
            return None;
        };
        let spot = stop.at(&head.host, head.path.as_str());
        let response = spot.cors()?.preflight_of_service(head.headers);
        Some((spot, response))
    }
}
