//! Requests by route, status class and verdict, and how long they took.

use std::array;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use serde::Serialize;

/// Seconds. From a cached answer to an upstream near its time limit: finer where most answers lie.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

/// How a request was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It was let through, or answered by the gateway itself.
    Allowed,
    /// It was turned away: no route, no credential, a bad one, or not enough of it.
    Refused,
    /// Nothing could be said: a store or an issuer's keys were away.
    Undecided,
}

impl Verdict {
    const COUNT: usize = 3;

    /// The word for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Undecided => "undecided",
        }
    }
}

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: Arc<str>,
    status: &'static str,
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: Arc<str>,
}

/// The families from which each route takes its counters.
#[derive(Clone)]
pub(super) struct RequestMetrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabel, Histogram, fn() -> Histogram>,
}

impl RequestMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
        };
        registry.register(
            "requests",
            "Requests by route, status class and verdict",
            metrics.requests.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "From the head of a request to the head of its answer",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        metrics
    }

    pub(super) fn route(&self, name: &str) -> RouteMetrics {
        let route: Arc<str> = name.into();
        let label = RouteLabel {
            route: Arc::clone(&route),
        };
        RouteMetrics {
            durations: self.durations.get_or_create_owned(&label),
            requests: self.requests.clone(),
            cells: array::from_fn(|_| OnceLock::new()),
            route,
        }
    }
}

/// The counters of one route.
pub struct RouteMetrics {
    route: Arc<str>,
    requests: Family<RequestLabels, Counter>,
    durations: Histogram,
    /// Filled at first use, so that what never happens makes no time series.
    cells: [OnceLock<Counter>; CLASSES.len() * Verdict::COUNT],
}

impl RouteMetrics {
    /// Counts a request that was answered with `status` after `took`.
    pub fn count(&self, status: StatusCode, verdict: Verdict, took: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(cell) = self.cells.get(class * Verdict::COUNT + verdict as usize) {
            cell.get_or_init(|| self.counter(class, verdict)).inc();
        }
        self.durations.observe(took.as_secs_f64());
    }

    fn counter(&self, class: usize, verdict: Verdict) -> Counter {
        self.requests.get_or_create_owned(&RequestLabels {
            route: Arc::clone(&self.route),
            status: CLASSES.get(class).copied().unwrap_or("other"),
            verdict: verdict.as_str(),
        })
    }
}

impl fmt::Debug for RouteMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteMetrics")
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}
