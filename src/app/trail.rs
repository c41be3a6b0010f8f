//! Opening the audit trail: for the gateway, and for the command line beside it.

use std::time::Duration;

use anyhow::Context as _;
use prometheus_client::metrics::counter::Counter;
use tokio::task::JoinSet;

use crate::audit::lines::LineChain;
use crate::audit::seal::{KEY_LABEL, SealKeys};
use crate::audit::store::AuditStore;
use crate::audit::{Audit, Counters};
use crate::clock::SharedClock;
use crate::config::Config;
use crate::database::Database;
use crate::keys::{KeySource, SigningAlgorithm, file};
use crate::logs::{LineLog, LogTarget};
use crate::metrics::Metrics;

/// How often what is too old is removed.
const TRIMMING: Duration = Duration::from_hours(1);

/// The trail of the gateway; what works on it goes on in `background`. To be called after the key ring was
/// made.
pub(super) fn start(
    config: &Config,
    database: Database,
    (clock, metrics): (&SharedClock, &Metrics),
    background: &mut JoinSet<()>,
) -> anyhow::Result<Audit> {
    let keys = seal_keys(config, clock)?;
    let lost = metrics.lost_lines_of("audit");
    let log = open_log(
        config.log.audit.clone(),
        (clock.clone(), lost),
        keys.clone(),
    )?;
    let store = store(database, keys);
    let counters = Counters::new(metrics.audit_missing.clone(), metrics.audit_waiting.clone());
    let (audit, writer) = Audit::new(log, clock.clone()).kept(store.clone(), counters);
    background.spawn(writer.run());
    background.spawn(trim(store, clock.clone(), config.audit.keep));
    Ok(audit)
}

/// The keys of the seals. Blocks, and makes the key ring where there is none yet.
pub fn seal_keys(config: &Config, clock: &SharedClock) -> anyhow::Result<SealKeys> {
    keys_of(&config.tokens.keys, config.tokens.algorithm, clock)
}

/// The same for those who only look: where there is no ring, none is made, by which all would seem altered.
/// Blocks.
pub fn known_seal_keys(config: &Config) -> anyhow::Result<SealKeys> {
    let ring = config.tokens.keys.ring();
    let ring = ring.context("the keys of the audit trail")?;
    SealKeys::new(&ring.derived(KEY_LABEL)).context("the key ring has no session secret")
}

/// The keys of the seals that another ring makes, such as one of before.
pub fn keys_of(
    source: &KeySource,
    algorithm: SigningAlgorithm,
    clock: &SharedClock,
) -> anyhow::Result<SealKeys> {
    let ring = file::open(source, algorithm, clock.now()).context("the keys of the audit trail")?;
    SealKeys::new(&ring.derived(KEY_LABEL)).context("the key ring has no session secret")
}

/// Opens the log whose lines are sealed.
pub fn open_log(
    target: LogTarget,
    (clock, lost): (SharedClock, Counter),
    keys: SealKeys,
) -> anyhow::Result<LineLog> {
    let chain = Box::new(LineChain::new(keys));
    LineLog::open_sealed(target, (clock, lost), chain).context("cannot open the audit log")
}

/// The table.
pub const fn store(database: Database, keys: SealKeys) -> AuditStore {
    AuditStore::new(database, keys)
}

/// Removes what is older than `keep`, for ever.
async fn trim(store: AuditStore, clock: SharedClock, keep: Duration) {
    let mut interval = tokio::time::interval(TRIMMING);
    loop {
        interval.tick().await;
        let now = clock.now();
        // What is removed is told in the trail itself.
        if let Err(error) = store.trim(now.minus(keep), now).await {
            tracing::warn!(%error, "the audit trail could not be trimmed");
        }
    }
}
