//! What goes on behind the requests, once a second or once a minute.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::auth::api_keys::ApiKeys;
use crate::clock::SharedClock;
use crate::codes::CodeStore;
use crate::listen::Drain;
use crate::metrics::Metrics;
use crate::password::pool::Passwords;
use crate::revocation::Revocations;
use crate::sessions::SessionStore;

/// How often what has run out is cleared away.
const CLEARING: Duration = Duration::from_mins(1);

/// What a replica knows by hearing from others.
#[derive(Clone)]
pub(super) struct Heard {
    pub(super) revocations: Arc<Revocations>,
    pub(super) api_keys: Arc<ApiKeys>,
}

pub(super) fn readiness(
    heard: Heard,
    drain: Drain,
) -> impl Fn() -> Vec<&'static str> + Send + Sync {
    move || {
        let mut unready = Vec::new();
        if !heard.revocations.is_fresh() {
            unready.push("sessions");
        }
        // Once heard, they are enough: while their database is away API keys are refused, and all else
        // goes on. A platform that took away every replica for it would make the outage one of everybody.
        if heard.api_keys.staleness().is_none() {
            unready.push("api-keys");
        }
        if drain.has_begun() {
            unready.push("draining");
        }
        unready
    }
}

pub(super) async fn clear(sessions: Arc<dyn SessionStore>, clock: SharedClock, log_keep: Duration) {
    let mut interval = tokio::time::interval(CLEARING);
    loop {
        interval.tick().await;
        if let Err(error) = sessions.clear_expired(clock.now(), log_keep).await {
            tracing::warn!(%error, "expired sessions could not be cleared away");
        }
    }
}

pub(super) async fn clear_codes(codes: Arc<dyn CodeStore>, clock: SharedClock) {
    let mut interval = tokio::time::interval(CLEARING);
    loop {
        interval.tick().await;
        if let Err(error) = codes.clear_expired(clock.now()).await {
            tracing::warn!(%error, "expired codes could not be cleared away");
        }
    }
}

pub(super) async fn measure((heard, passwords): (Heard, Arc<Passwords>), metrics: Arc<Metrics>) {
    let mut interval = tokio::time::interval(Duration::from_secs(1));
    loop {
        interval.tick().await;
        let seconds = |span: Option<Duration>| span.map_or(f64::INFINITY, |s| s.as_secs_f64());
        let sessions = seconds(heard.revocations.staleness());
        metrics.revocation_staleness.set(sessions);
        let keys = seconds(heard.api_keys.staleness());
        metrics.api_key_staleness.set(keys);
        let known = u64::try_from(heard.api_keys.len()).unwrap_or(u64::MAX);
        metrics.api_keys.set(known);
        let hashing = passwords.figures();
        // The pool counts; this only shows what it has counted.
        let shown = metrics.password_hashes.inner();
        shown.store(hashing.computed, Ordering::Relaxed);
        let at_once = u64::try_from(hashing.most_running).unwrap_or(u64::MAX);
        metrics.password_hashes_at_once.set(at_once);
    }
}
