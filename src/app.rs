//! From a [`Config`] to a running gateway: every part is made here, once, and handed what it needs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use tokio::task::JoinSet;

use crate::audit::Audit;
use crate::auth::api_keys::{self, ApiKeys};
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

pub use self::load::load;

use self::gate::Gate;
use self::reload::Reload;
use self::serving::Serving;
use self::stores::Stores;
use self::upkeep::{Heard, clear, clear_codes, measure, readiness};

pub mod answer;
pub mod dialect_secrets;
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
mod upkeep;

/// Added to how long an access token lives, for how long its end is remembered: clocks of replicas
/// differ, and entries are dropped late, never early.
const MEMORY_MARGIN: Duration = Duration::from_mins(1);

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
        let config = &dialect_secrets::settle(config.clone()).context("the secret of a dialect")?;
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
        let revocations = Revocations::new(memory(config), clock.clone());
        let api_keys = open_keys(config, &stores, (&revocations, clock));
        let passwords = Arc::new(Passwords::new(config.passwords.clone())?);
        let limiter = Arc::clone(&stores.limiter);
        let mut background = JoinSet::new();
        let database = stores.database.clone();
        let audit = trail::start(config, database, (clock, &metrics), &mut background)?;
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
            api_keys: Arc::clone(&api_keys),
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
        let heard = Heard {
            revocations: Arc::clone(&revocations),
            api_keys: Arc::clone(&api_keys),
        };
        let serving = Arc::new(ArcSwap::from_pointee(serving));
        let drain = Drain::new();
        background.spawn(tokens.background());
        background.spawn(Arc::clone(&revocations).follow(Arc::clone(&stores.sessions)));
        background.spawn(Arc::clone(&api_keys).follow());
        background.spawn(api_keys.keep_house());
        background.spawn(clear(stores.sessions, clock.clone(), memory(config).keep));
        let measured = (heard.clone(), passwords);
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
            ops: Ops::new(Arc::clone(&metrics), readiness(heard, drain.clone())),
            tls,
            metrics,
            drain,
            access_log,
            audit,
            background,
        })
    }
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

fn open_keys(
    config: &Config,
    stores: &Stores,
    (revocations, clock): (&Arc<Revocations>, &SharedClock),
) -> Arc<ApiKeys> {
    ApiKeys::new(api_keys::Parts {
        settings: config.api_keys.clone(),
        store: Arc::clone(&stores.api_keys),
        sessions: Arc::clone(&stores.sessions),
        revocations: Arc::clone(revocations),
        clock: clock.clone(),
    })
}

/// For how long an end must be remembered: until the last access token of the session has run out, and
/// until no replica can still take a revoked API key for one that holds.
fn memory(config: &Config) -> revocation::Config {
    let token = config.sessions.lifetimes.access + config.tokens.leeway;
    revocation::Config {
        keep: token.max(config.api_keys.max_staleness) + MEMORY_MARGIN,
        max_staleness: config.sessions.max_staleness,
    }
}

const fn email_rule(policy: EmailPolicy) -> EmailRule {
    match policy {
        EmailPolicy::Any => EmailRule::MayBeUnverified,
        EmailPolicy::Verified => EmailRule::MustBeVerified,
    }
}
