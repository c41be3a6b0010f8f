//! `gateway.toml`: from the text of a file to a [`Config`] in which wrong combinations do not exist.
//!
//! Each part of the file has a reader of its own below; all of them note their mistakes with one
//! [`reader`], so that they come back together.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::HeaderValue;
use toml::de::DeTable;

use self::environment::Environment;
use self::mistake::{Entry, Mistake, Mistakes};
use self::reader::{Defaults, Read, Reader, Section, Source};
use self::reference::tables;
use crate::auth::AccountRules;
pub use crate::auth::api_keys::Settings as ApiKeySettings;
use crate::database::postgres;
pub use crate::dialect::Shape;
pub use crate::dialect::gotrue::{ApiKeys, Targets};
use crate::keys::{IssuerConfig, KeySource, SigningAlgorithm};
use crate::limit::Policy;
use crate::listen;
pub use crate::logs::LogTarget;
use crate::mail::{Sender, smtp};
use crate::net::Networks;
use crate::password::Config as PasswordConfig;
use crate::proxy::{IdentityHeaders, UpstreamConfig};
use crate::route::RouteConfig;
use crate::route::pattern::HostPattern;
use crate::secret::SecretText;
use crate::session::Lifetimes;
use crate::sessions::redis::RedisConfig;
use crate::users::supabase;

mod accounts;
mod api_keys;
mod claims;
pub mod environment;
mod faces;
mod issuers;
mod limits;
mod mail;
pub mod mistake;
mod passwords;
mod reader;
pub mod reference;
mod requirement;
mod routing;
mod server;
mod session_store;
mod stores;
mod supabase_project;
#[cfg(test)]
mod tests;
mod users;
mod values;

/// Reads a file.
pub fn load(
    path: &Path,
    environment: &dyn Environment,
    checks: Checks,
) -> Result<Config, Mistakes> {
    let whole_file = |found| Mistake::whole_file(path.display().to_string(), found);
    let bytes = environment
        .read_file(path)
        .map_err(|error| whole_file(format!("cannot be read ({error})")))?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        whole_file(format!(
            "is no UTF-8 text from byte {} on",
            error.valid_up_to()
        ))
    })?;
    let source = Source {
        file: path,
        text,
        environment,
    };
    parse(&source, checks)
}

/// Reads the text of a file. Relative paths in the text start where the file lies, and mistakes name it.
fn parse(source: &Source<'_>, checks: Checks) -> Result<Config, Mistakes> {
    let (tree, syntax) = DeTable::parse_recoverable(source.text);
    let defaults = Defaults::new();
    let reader = Reader::new(source, &defaults);
    let config = read(
        &Section::root(&reader, tree.get_ref(), &tables::ROOT),
        checks.map,
    );
    if let Ok(config) = &config {
        reader.note_found((checks.whole)(config));
    }
    let mistakes = reader.mistakes(syntax);
    match config {
        Ok(config) if mistakes.is_empty() => Ok(config),
        _ => Err(Mistakes::of(mistakes)),
    }
}

/// Every part is read before the first `?`: no mistake hides another.
fn read(root: &Section<'_>, check_map: fn(Map<'_>) -> Vec<Mistake>) -> Read<Config> {
    let server = server::read(root);
    let state_directory = stores::state_directory(root);
    let public_url = server.as_ref().map(|server| &server.listen.public_url);
    let fallbacks = (
        public_url.map_err(|noted| *noted),
        state_directory.as_deref().map_err(|noted| *noted),
    );
    let tokens = issuers::tokens(root, fallbacks);
    let own_issuer = tokens.as_ref().ok().map(|tokens| tokens.issuer.as_str());
    let issuers = issuers::issuers(root, own_issuer);
    let sessions = stores::sessions(root);
    let users = users::users(root);
    let limits = limits::limits(root);
    let mail_section = mail::section(root);
    let mail_section = mail_section.as_ref().map_err(|noted| *noted);
    let mail = mail::mail(mail_section);
    let beside = accounts::Beside {
        users: &users,
        mail: &mail,
        mail_section,
    };
    let accounts = accounts::accounts(root, beside);
    let passwords = passwords::passwords(root, fallbacks.0);
    let upstreams = routing::upstreams(root);
    let routes = routing::routes(root, &upstreams);
    let dialects = faces::dialects(root);
    let headers = faces::headers(root);
    let api_keys = api_keys::api_keys(root, &headers);
    let log = faces::log(root);
    let audit = faces::audit(root);
    let mapped = mapped(root, (routes, dialects), check_map);
    let server = server?;
    let (routes, dialects, sources) = mapped?;
    Ok(Config {
        listen: server.listen,
        hsts: server.hsts,
        trusted_proxies: server.trusted_proxies,
        state_directory: state_directory?,
        sessions: sessions?,
        users: users?,
        passwords: passwords?,
        limits: limits?,
        accounts: accounts?,
        mail: mail?,
        tokens: tokens?,
        issuers: issuers?,
        upstreams: upstreams.configs?,
        routes,
        dialects,
        api_keys: api_keys?,
        headers: headers?,
        ops: server.ops,
        log: log?,
        audit: audit?,
        sources,
    })
}

/// Entries, and where each of them stands.
type Listed<T> = Read<Vec<(T, Entry)>>;

/// The routes and dialects, whatever is wrong with the rest of the file.
fn mapped(
    root: &Section<'_>,
    (routes, dialects): (Listed<RouteConfig>, Listed<DialectConfig>),
    check: fn(Map<'_>) -> Vec<Mistake>,
) -> Read<(Vec<RouteConfig>, Vec<DialectConfig>, Sources)> {
    let (routes, route_entries): (Vec<_>, Vec<_>) = routes?.into_iter().unzip();
    let (dialects, dialect_entries): (Vec<_>, Vec<_>) = dialects?.into_iter().unzip();
    let sources = Sources {
        routes: route_entries,
        dialects: dialect_entries,
    };
    root.reader().note_found(check(Map {
        routes: &routes,
        dialects: &dialects,
        sources: &sources,
    }));
    Ok((routes, dialects, sources))
}

/// What else is to be looked for than the readers of the parts can see. It is told beside their mistakes.
#[derive(Clone, Copy, Debug)]
pub struct Checks {
    /// In the map, as soon as that could be read.
    pub map: fn(Map<'_>) -> Vec<Mistake>,
    /// In the whole.
    pub whole: fn(&Config) -> Vec<Mistake>,
}

impl Checks {
    /// None.
    pub const NONE: Self = Self {
        map: |_| Vec::new(),
        whole: |_| Vec::new(),
    };
}

/// What decides where requests go.
#[derive(Clone, Copy, Debug)]
pub struct Map<'a> {
    /// `[[routes]]`.
    pub routes: &'a [RouteConfig],
    /// `[[dialects]]`.
    pub dialects: &'a [DialectConfig],
    /// Where they stand in the file.
    pub sources: &'a Sources,
}

/// All settings of a gateway, parsed and consistent.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]` and `[tls]`.
    pub listen: listen::Config,
    /// `server.hsts`: for how long browsers shall ask by https alone; none: they are not told.
    pub hsts: Option<Duration>,
    /// `server.trusted_proxies`: whose word on the client's address counts.
    pub trusted_proxies: Networks,
    /// `[state]`: where the embedded database and the key ring live.
    pub state_directory: PathBuf,
    /// `[sessions]`.
    pub sessions: SessionsConfig,
    /// `[users]`.
    pub users: UsersConfig,
    /// `[passwords]`.
    pub passwords: PasswordConfig,
    /// `[limits]`.
    pub limits: Policy,
    /// `[accounts]`, and `[mail.links]`.
    pub accounts: AccountRules,
    /// `[mail]`; none: no mails are sent.
    pub mail: Option<MailConfig>,
    /// `[tokens]`.
    pub tokens: TokensConfig,
    /// `[[issuers]]`.
    pub issuers: Vec<IssuerConfig>,
    /// `[[upstreams]]`.
    pub upstreams: Vec<UpstreamConfig>,
    /// `[[routes]]`.
    pub routes: Vec<RouteConfig>,
    /// `[[dialects]]`.
    pub dialects: Vec<DialectConfig>,
    /// `[api_keys]`.
    pub api_keys: ApiKeySettings,
    /// `[headers]`.
    pub headers: IdentityHeaders,
    /// `[ops]`: health, readiness and metrics; none: not served.
    pub ops: Option<SocketAddr>,
    /// `[log]`.
    pub log: LogConfig,
    /// `[audit]`.
    pub audit: AuditConfig,
    /// Where the routes and dialects stand in the file.
    pub sources: Sources,
}

impl Config {
    /// What decides where requests go.
    pub fn map(&self) -> Map<'_> {
        Map {
            routes: &self.routes,
            dialects: &self.dialects,
            sources: &self.sources,
        }
    }
}

/// Where the entries of the file stand, for checks that see all of them.
#[derive(Clone, Debug)]
pub struct Sources {
    /// For each of `routes`, by index; those of one entry with several hosts share it.
    pub routes: Vec<Entry>,
    /// For each of `dialects`, by index.
    pub dialects: Vec<Entry>,
}

/// Where sessions are kept, and how long they live.
#[derive(Clone, Debug)]
pub struct SessionsConfig {
    /// Where.
    pub store: SessionStoreConfig,
    /// How long.
    pub lifetimes: Lifetimes,
    /// How long a replica trusts its memory of ended sessions without a word from the store.
    pub max_staleness: Duration,
}

/// Where sessions are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionStoreConfig {
    /// In the SQLite file of the state directory.
    Embedded,
    /// In Redis.
    Redis(Box<RedisConfig>),
}

/// Where users are kept, and which of them may sign in.
#[derive(Clone, Debug)]
pub struct UsersConfig {
    /// Where.
    pub store: UserStoreConfig,
    /// What is asked of their address.
    pub email: EmailPolicy,
}

/// Where users are kept.
#[derive(Clone, Debug, PartialEq)]
pub enum UserStoreConfig {
    /// In the SQLite file of the state directory.
    Embedded,
    /// In a PostgreSQL server.
    Postgres(postgres::Config),
    /// In a Supabase project, which checks their passwords too.
    Supabase(Box<supabase::Config>),
}

/// What a sign-in asks of the user's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailPolicy {
    /// Nothing.
    Any,
    /// That it was proved (`require_verified_email = true`).
    Verified,
}

/// How mails are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailConfig {
    /// By what.
    pub transport: MailTransport,
    /// Who they are from.
    pub from: Sender,
    /// How many may wait.
    pub queue: usize,
}

/// By what mails are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailTransport {
    /// A mail server.
    Smtp(smtp::Config),
    /// A directory that gets each mail as a file.
    File(PathBuf),
}

/// The gateway's own tokens.
#[derive(Clone, Debug)]
pub struct TokensConfig {
    /// Their `iss`; the origin of `public_url` unless given.
    pub issuer: String,
    /// Their `aud`.
    pub audience: String,
    /// How a new key signs.
    pub algorithm: SigningAlgorithm,
    /// Where the key ring comes from.
    pub keys: KeySource,
    /// How far the clocks of token makers may be off.
    pub leeway: Duration,
}

/// A `[[dialects]]` entry.
#[derive(Clone, Debug)]
pub struct DialectConfig {
    /// Which shape.
    pub shape: Shape,
    /// Which hosts it answers on.
    pub host: HostPattern,
    /// What stands before each of its paths: nothing, or such as `/shop`.
    pub prefix: String,
    /// The origins whose pages may call it with credentials; exact, never a wildcard.
    pub allowed_origins: Vec<HeaderValue>,
    /// What signs its access tokens in place of the key ring.
    pub token_secret: Option<SecretText>,
    /// The keys that its apps show.
    pub keys: ApiKeys,
    /// Where links in its mails may lead.
    pub targets: Targets,
    /// What makes an administrator of whoever signs up with it.
    pub admin_secret: Option<SecretText>,
}

/// The audit trail in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditConfig {
    /// How long an entry is kept.
    pub keep: Duration,
}

/// Where the logs go.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// The access log: one line of JSON a request.
    pub access: LogTarget,
    /// The audit log: one line of JSON a sign-in attempt, refresh, sign-out or admin change.
    pub audit: LogTarget,
}
