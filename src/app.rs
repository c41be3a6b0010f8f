//! From a [`Config`] to a running gateway: every part is made here, once, and handed what it needs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use tokio::task::JoinSet;

use crate::audit::store::AuditStore;
use crate::audit::{Audit, Counters, Writer};
use crate::auth::tokens::{Settings, Tokens, USUAL_CACHE_ENTRIES};
use crate::auth::{Accounts, Auth, EmailRule, Limits, Parts};
use crate::clock::SharedClock;
use crate::codes::CodeStore;
use crate::codes::sql::SqlCodes;
use crate::config::{Config, EmailPolicy};
use crate::listen::Drain;
use crate::listen::tls::Tls;
use crate::logs::LineLog;
use crate::metrics::Metrics;
use crate::ops::Ops;
use crate::password::pool::Passwords;
use crate::revocation::{self, Revocations};
use crate::sessions::SessionStore;

pub use self::load::load;

use self::gate::Gate;
use self::reload::Reload;
use self::serving::Serving;
use self::stores::Stores;

pub mod answer;
pub mod gate;
mod load;
mod mail;
mod record;
pub mod reload;
pub mod serving;
mod session_end;
pub mod site;
pub mod stores;
pub mod trail;

/// Added to how long an access token lives, for how long its end is remembered: clocks of replicas
/// differ, and entries are dropped late, never early.
const MEMORY_MARGIN: Duration = Duration::from_mins(1);

/// How often what has run out is cleared away.
const CLEARING: Duration = Duration::from_mins(1);

/// A gateway that is ready to listen.
#[derive(Debug)]
pub struct App {
    /// Answers every request.
    pub gate: Gate,
    /// Takes up a changed configuration.
    pub reload: Reload,
    /// Answers operators.
    pub ops: Ops,
    /// The certificates.
    pub tls: Tls,
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// The orderly end.
    pub drain: Drain,
    /// The access log, to be flushed at the end.
    pub access_log: LineLog,
    /// The audit trail, to be flushed at the end.
    pub audit: Audit,
    /// What goes on behind the requests; dropped, it stops.
    pub background: JoinSet<()>,
}

impl App {
    /// Makes all parts. To be called in the runtime in which what goes on behind shall live.
    pub async fn assemble(config: &Config, clock: &SharedClock) -> anyhow::Result<Self> {
        let metrics = Arc::new(Metrics::new());
        let stores = Stores::open(config, clock).await?;
        let tls_metrics = metrics.connections.clone();
        let tls = Tls::load(
            &config.listen,
            &config.state_directory,
            clock.clone(),
            tls_metrics,
        )?;
        let access_log = open_log(config.log.access.clone(), clock, &metrics, "access")?;
        let tokens = start_tokens(config, clock).await?;
        let Trail {
            audit,
            writer,
            store: trail,
        } = open_trail(config, &stores, (clock, &metrics))?;
        let revocations = Revocations::new(memory(config), clock.clone());
        let passwords = Arc::new(Passwords::new(config.passwords.clone())?);
        let limiter = Arc::clone(&stores.limiter);
        let mut background = JoinSet::new();
        let outbox = mail::start(config, (clock, &metrics), &mut background)?;
        let codes: Arc<dyn CodeStore> = Arc::new(SqlCodes::new(stores.database));
        let auth = Arc::new(Auth::new(Parts {
            limits: Limits::new(config.limits.clone(), limiter, &config.passwords),
            clock: clock.clone(),
            users: Arc::clone(&stores.users),
            sessions: Arc::clone(&stores.sessions),
            passwords: Arc::clone(&passwords),
            tokens: Arc::clone(&tokens),
            revocations: Arc::clone(&revocations),
            audit: Arc::new(audit.clone()),
            metrics: Arc::clone(&metrics),
            lifetimes: config.sessions.lifetimes,
            email_rule: email_rule(config.users.email),
            public_url: config.listen.public_url.clone(),
            accounts: Accounts {
                codes: Arc::clone(&codes),
                outbox,
                rules: config.accounts.clone(),
            },
        }));
        let serving = Serving::build(config, &auth, &metrics)?;
        let serving = Arc::new(ArcSwap::from_pointee(serving));
        let drain = Drain::new();
        background.spawn(tokens.background());
        background.spawn(Arc::clone(&revocations).follow(Arc::clone(&stores.sessions)));
        background.spawn(writer.run());
        background.spawn(trail::trim(trail, clock.clone(), config.audit.keep));
        background.spawn(clear(stores.sessions, clock.clone(), memory(config).keep));
        let measured = (Arc::clone(&revocations), passwords);
        background.spawn(measure(measured, Arc::clone(&metrics)));
        background.spawn(clear_codes(codes, clock.clone()));
        Ok(Self {
            gate: Gate::new(gate::Parts {
                serving: Arc::clone(&serving),
                clock: clock.clone(),
                access_log: access_log.clone(),
                auth: Arc::clone(&auth),
            }),
            reload: Reload {
                auth,
                serving,
                metrics: Arc::clone(&metrics),
                started: config.clone(),
            },
            ops: Ops::new(Arc::clone(&metrics), readiness(revocations, drain.clone())),
            tls,
            metrics,
            drain,
            access_log,
            audit,
            background,
        })
    }
}

/// The audit trail, and who works on it.
struct Trail {
    audit: Audit,
    writer: Writer,
    store: AuditStore,
}

/// To be called after the key ring was made.
fn open_trail(
    config: &Config,
    stores: &Stores,
    (clock, metrics): (&SharedClock, &Metrics),
) -> anyhow::Result<Trail> {
    let keys = trail::seal_keys(config, clock)?;
    let lost = metrics.lost_lines_of("audit");
    let log = config.log.audit.clone();
    let log = trail::open_log(log, (clock.clone(), lost), keys.clone())?;
    let store = trail::store(stores.database.clone(), keys);
    let counters = Counters::new(metrics.audit_missing.clone(), metrics.audit_waiting.clone());
    let (audit, writer) = Audit::new(log, clock.clone()).kept(store.clone(), counters);
    Ok(Trail {
        audit,
        writer,
        store,
    })
}

fn open_log(
    target: crate::logs::LogTarget,
    clock: &SharedClock,
    metrics: &Metrics,
    name: &'static str,
) -> anyhow::Result<LineLog> {
    LineLog::open(target, clock.clone(), metrics.lost_lines_of(name))
        .with_context(|| format!("cannot open the {name} log"))
}

/// The settings of our tokens.
pub fn token_settings(config: &Config) -> Settings {
    Settings {
        issuer: config.tokens.issuer.clone(),
        audience: config.tokens.audience.clone(),
        algorithm: config.tokens.algorithm,
        keys: config.tokens.keys.clone(),
        leeway: config.tokens.leeway,
        forms: site::token_forms(config),
        issuers: config.issuers.clone(),
        cache_entries: USUAL_CACHE_ENTRIES,
    }
}

/// At the first start a key is made, which may take a while for RSA.
async fn start_tokens(config: &Config, clock: &SharedClock) -> anyhow::Result<Arc<Tokens>> {
    let settings = token_settings(config);
    let clock = clock.clone();
    let started = tokio::task::spawn_blocking(move || Tokens::start(settings, clock)).await?;
    started.context("the keys of the gateway")
}

/// For how long an ended session must be remembered: until its last access token has run out.
fn memory(config: &Config) -> revocation::Config {
    revocation::Config {
        keep: config.sessions.lifetimes.access + config.tokens.leeway + MEMORY_MARGIN,
        max_staleness: config.sessions.max_staleness,
    }
}

const fn email_rule(policy: EmailPolicy) -> EmailRule {
    match policy {
        EmailPolicy::Any => EmailRule::MayBeUnverified,
        EmailPolicy::Verified => EmailRule::MustBeVerified,
    }
}

fn readiness(
    revocations: Arc<Revocations>,
    drain: Drain,
) -> impl Fn() -> Vec<&'static str> + Send + Sync {
    move || {
        let mut unready = Vec::new();
        if !revocations.is_fresh() {
            unready.push("sessions");
        }
        if drain.has_begun() {
            unready.push("draining");
        }
        unready
    }
}

async fn clear(sessions: Arc<dyn SessionStore>, clock: SharedClock, log_keep: Duration) {
    let mut interval = tokio::time::interval(CLEARING);
    loop {
        interval.tick().await;
        if let Err(error) = sessions.clear_expired(clock.now(), log_keep).await {
            tracing::warn!(%error, "expired sessions could not be cleared away");
        }
    }
}

async fn clear_codes(codes: Arc<dyn CodeStore>, clock: SharedClock) {
    let mut interval = tokio::time::interval(CLEARING);
    loop {
        interval.tick().await;
        if let Err(error) = codes.clear_expired(clock.now()).await {
            tracing::warn!(%error, "expired codes could not be cleared away");
        }
    }
}

async fn measure(
    (revocations, passwords): (Arc<Revocations>, Arc<Passwords>),
    metrics: Arc<Metrics>,
) {
    let mut interval = tokio::time::interval(Duration::from_secs(1));
    loop {
        interval.tick().await;
        let staleness = revocations
            .staleness()
            .map_or(f64::INFINITY, |s| s.as_secs_f64());
        metrics.revocation_staleness.set(staleness);
        let hashing = passwords.figures();
        metrics.password_hashes.set(hashing.computed);
        let at_once = u64::try_from(hashing.most_running).unwrap_or(u64::MAX);
        metrics.password_hashes_at_once.set(at_once);
    }
}
