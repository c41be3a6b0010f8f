//! Connections, handshakes and certificates.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FileLabel {
    file: String,
}

/// What the listening side counts.
#[derive(Clone, Debug)]
pub struct ConnectionMetrics {
    /// Connections that are open now, tunnels of upgraded ones among them.
    pub open: Gauge,
    /// Connections closed at once because the gateway has `max_connections`.
    pub refused_total_limit: Counter,
    /// Connections closed at once because their address has `max_connections_per_address`.
    pub refused_address_limit: Counter,
    /// Handshakes that took longer than `handshake_timeout`.
    pub handshake_timeouts: Counter,
    /// Handshakes that failed: no common version, a client that hung up, plain HTTP.
    pub handshake_errors: Counter,
    /// Connections cut because the head of a request took too long.
    pub slow_heads: Counter,
    /// Connections cut because the client took nothing of the answer for too long.
    pub stalled_answers: Counter,
    /// Certificates read again after their files changed.
    pub certificate_reloads: Counter,
    /// Changed certificate files that could not be used; the old certificate stays.
    pub certificate_reload_failures: Counter,
    certificate_expiry: Family<FileLabel, Gauge>,
}

impl ConnectionMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let refused = family(registry, "connections_refused", "Connections over a limit");
        let handshakes = family(registry, "tls_handshake_failures", "Failed TLS handshakes");
        let cut = family(
            registry,
            "connections_cut",
            "Connections that took too long",
        );
        let reloads: Family<ResultLabel, Counter> = Family::default();
        registry.register(
            "certificate_reloads",
            "Changed certificate files by what came of them",
            reloads.clone(),
        );
        let metrics = Self {
            open: Gauge::default(),
            refused_total_limit: with_reason(&refused, "total"),
            refused_address_limit: with_reason(&refused, "address"),
            handshake_timeouts: with_reason(&handshakes, "timeout"),
            handshake_errors: with_reason(&handshakes, "error"),
            slow_heads: with_reason(&cut, "slow-head"),
            stalled_answers: with_reason(&cut, "stalled-answer"),
            certificate_reloads: with_result(&reloads, "ok"),
            certificate_reload_failures: with_result(&reloads, "failed"),
            certificate_expiry: Family::default(),
        };
        registry.register(
            "connections_open",
            "Connections that are open now",
            metrics.open.clone(),
        );
        registry.register_with_unit(
            "certificate_not_after_timestamp",
            "When a certificate ends, since the Unix epoch",
            Unit::Seconds,
            metrics.certificate_expiry.clone(),
        );
        metrics
    }

    /// Says when the certificate in `file` ends, in seconds since the Unix epoch.
    pub fn certificate_ends(&self, file: String, at_seconds: i64) {
        self.certificate_expiry
            .get_or_create_owned(&FileLabel { file })
            .set(at_seconds);
    }
}

fn family(registry: &mut Registry, name: &str, help: &str) -> Family<ReasonLabel, Counter> {
    let family: Family<ReasonLabel, Counter> = Family::default();
    registry.register(name, help, family.clone());
    family
}

fn with_reason(family: &Family<ReasonLabel, Counter>, reason: &'static str) -> Counter {
    family.get_or_create_owned(&ReasonLabel { reason })
}

fn with_result(family: &Family<ResultLabel, Counter>, result: &'static str) -> Counter {
    family.get_or_create_owned(&ResultLabel { result })
}
