//! What the gateway counts, as Prometheus reads it.
//!
//! Each part gets the counters that it moves; a request only does an atomic add. Serving `/metrics` is
//! left to [`ops`](crate::ops).

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use self::connections::ConnectionMetrics;
use self::requests::{RequestMetrics, RouteMetrics};
use crate::limit::Limited;

pub mod connections;
pub mod requests;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LogLabel {
    log: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    purpose: &'static str,
    bucket: &'static str,
}

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    requests: RequestMetrics,
    sign_ins: Family<OutcomeLabel, Counter>,
    refreshes: Family<OutcomeLabel, Counter>,
    limited: Family<LimitLabels, Counter>,
    log_lines_lost: Family<LogLabel, Counter>,
    mails: Family<OutcomeLabel, Counter>,
    api_key_uses: Family<OutcomeLabel, Counter>,
    /// Requests with an API key that holds.
    pub api_key_accepted: Counter,
    /// API keys in memory.
    pub api_keys: Gauge<u64, AtomicU64>,
    /// For how long, in seconds, nothing was heard from the store of API keys.
    pub api_key_staleness: Gauge<f64, AtomicU64>,
    /// Connections and their certificates.
    pub connections: ConnectionMetrics,
    /// Reloads of `gateway.toml` that were refused because of mistakes in it.
    pub config_mistakes: Counter,
    /// Entries that the audit trail will never have.
    pub audit_missing: Counter,
    /// Entries that wait for the audit trail's database.
    pub audit_waiting: Gauge,
    /// Passwords hashed since the start.
    pub password_hashes: Counter,
    /// The most that were ever hashed at once.
    pub password_hashes_at_once: Gauge<u64, AtomicU64>,
    /// For how long, in seconds, nothing was heard from the store about ended sessions.
    pub revocation_staleness: Gauge<f64, AtomicU64>,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("doorward");
        let api_key_uses = Family::<OutcomeLabel, Counter>::default();
        let outcome = "accepted";
        let metrics = Self {
            requests: RequestMetrics::register(&mut registry),
            connections: ConnectionMetrics::register(&mut registry),
            sign_ins: Family::default(),
            refreshes: Family::default(),
            limited: Family::default(),
            log_lines_lost: Family::default(),
            mails: Family::default(),
            api_key_accepted: api_key_uses.get_or_create_owned(&OutcomeLabel { outcome }),
            api_key_uses,
            api_keys: Gauge::default(),
            api_key_staleness: Gauge::default(),
            config_mistakes: Counter::default(),
            audit_missing: Counter::default(),
            audit_waiting: Gauge::default(),
            password_hashes: Counter::default(),
            password_hashes_at_once: Gauge::default(),
            revocation_staleness: Gauge::default(),
            registry,
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("sign_ins", "Sign-ins by outcome", self.sign_ins.clone());
        registry.register("refreshes", "Refreshes by outcome", self.refreshes.clone());
        registry.register(
            "limited",
            "Attempts refused because they came too soon",
            self.limited.clone(),
        );
        registry.register(
            "api_key_uses",
            "Requests with an API key by outcome",
            self.api_key_uses.clone(),
        );
        registry.register("api_keys", "API keys in memory", self.api_keys.clone());
        registry.register_with_unit(
            "api_key_staleness",
            "How long nothing was heard from the store of API keys",
            Unit::Seconds,
            self.api_key_staleness.clone(),
        );
        registry.register(
            "log_lines_lost",
            "Log lines that could not be written in time",
            self.log_lines_lost.clone(),
        );
        registry.register("mails", "Mails by outcome", self.mails.clone());
        registry.register(
            "config_mistakes",
            "Reloads of the configuration refused because of mistakes in it",
            self.config_mistakes.clone(),
        );
        registry.register(
            "audit_entries_missing",
            "Entries that were not kept in the audit trail",
            self.audit_missing.clone(),
        );
        registry.register(
            "audit_entries_waiting",
            "Entries that wait to be kept in the audit trail",
            self.audit_waiting.clone(),
        );
        registry.register(
            "password_hashes",
            "Passwords hashed since the start",
            self.password_hashes.clone(),
        );
        registry.register(
            "password_hashes_at_once",
            "The most passwords that were ever hashed at once",
            self.password_hashes_at_once.clone(),
        );
        registry.register_with_unit(
            "revocation_staleness",
            "How long nothing was heard from the session store about ended sessions",
            Unit::Seconds,
            self.revocation_staleness.clone(),
        );
        self
    }

    /// The counters of one route. Looked up when the routes are built, not for each request.
    pub fn route(&self, name: &str) -> RouteMetrics {
        self.requests.route(name)
    }

    /// Counts a sign-in. `outcome` is one of a fixed set of words, never what a client sent: each
    /// new one is a new time series.
    pub fn sign_in(&self, outcome: &'static str) {
        self.sign_ins
            .get_or_create_owned(&OutcomeLabel { outcome })
            .inc();
    }

    /// Counts a refresh; `outcome` as for [`sign_in`](Self::sign_in).
    pub fn refresh(&self, outcome: &'static str) {
        self.refreshes
            .get_or_create_owned(&OutcomeLabel { outcome })
            .inc();
    }

    /// Counts an attempt that came too soon.
    pub fn limited(&self, limited: &Limited) {
        let labels = LimitLabels {
            purpose: limited.purpose.as_str(),
            bucket: limited.bucket.as_str(),
        };
        self.limited.get_or_create_owned(&labels).inc();
    }

    /// Counts what became of a mail; `outcome` as for [`sign_in`](Self::sign_in).
    pub fn mail(&self, outcome: &'static str) {
        self.mails
            .get_or_create_owned(&OutcomeLabel { outcome })
            .inc();
    }

    /// Counts a request with an API key that does not hold; `outcome` as for
    /// [`sign_in`](Self::sign_in).
    pub fn api_key_refused(&self, outcome: &'static str) {
        self.api_key_uses
            .get_or_create_owned(&OutcomeLabel { outcome })
            .inc();
    }

    /// Counts the lost lines of `log`: `access` or `audit`.
    pub fn lost_lines_of(&self, log: &'static str) -> Counter {
        self.log_lines_lost.get_or_create_owned(&LogLabel { log })
    }

    /// All of it as `OpenMetrics` text (`application/openmetrics-text; version=1.0.0`).
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut page = String::new();
        text::encode(&mut page, &self.registry)?;
        Ok(page)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::requests::Verdict;
    use super::*;

    #[test]
    fn every_count_is_on_the_page() {
        let metrics = Metrics::new();
        let route = metrics.route("/admin/**");
        route.count(StatusCode::OK, Verdict::Allowed, Duration::from_millis(3));
        route.count(StatusCode::FORBIDDEN, Verdict::Refused, Duration::ZERO);
        route.count(StatusCode::FORBIDDEN, Verdict::Refused, Duration::ZERO);
        metrics.sign_in("success");
        metrics.refresh("reused-token");
        metrics.lost_lines_of("access").inc_by(7);
        metrics.revocation_staleness.set(1.5);
        let page = metrics.encode().unwrap();
        for line in [
            r#"doorward_requests_total{route="/admin/**",status="2xx",verdict="allowed"} 1"#,
            r#"doorward_requests_total{route="/admin/**",status="4xx",verdict="refused"} 2"#,
            r#"doorward_request_duration_seconds_count{route="/admin/**"} 3"#,
            r#"doorward_sign_ins_total{outcome="success"} 1"#,
            r#"doorward_refreshes_total{outcome="reused-token"} 1"#,
            r#"doorward_log_lines_lost_total{log="access"} 7"#,
            "doorward_revocation_staleness_seconds 1.5",
            "doorward_connections_open 0",
            "# EOF",
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
    }

    #[test]
    fn what_never_happened_makes_no_series() {
        let metrics = Metrics::new();
        drop(metrics.route("/quiet"));
        let page = metrics.encode().unwrap();
        assert!(!page.contains("doorward_requests_total{"), "{page}");
    }
}
