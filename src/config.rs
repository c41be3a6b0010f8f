//! `gateway.toml`: from the text of a file to a [`Config`] in which wrong combinations do not exist.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use http::HeaderValue;
use url::Url;

use crate::keys::{IssuerConfig, KeySource, SigningAlgorithm};
use crate::listen;
use crate::net::Networks;
use crate::password::Config as PasswordConfig;
use crate::proxy::{IdentityHeaders, UpstreamConfig};
use crate::route::RouteConfig;
use crate::route::pattern::HostPattern;
use crate::secret::SecretText;
use crate::session::Lifetimes;

/// All settings of a gateway, parsed and consistent.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]` and `[tls]`.
    pub listen: listen::Config,
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
    /// `[headers]`.
    pub headers: IdentityHeaders,
    /// `[ops]`: health, readiness and metrics; none: not served.
    pub ops: Option<SocketAddr>,
    /// `[log]`.
    pub log: LogConfig,
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
#[derive(Clone, Debug)]
pub enum SessionStoreConfig {
    /// In the SQLite file of the state directory.
    Embedded,
    /// In a Redis server.
    Redis {
        /// `redis://` or `rediss://`, without a password.
        url: Url,
        /// The password, apart.
        password: Option<SecretText>,
        /// What every key starts with.
        key_prefix: String,
    },
}

/// Where users are kept.
#[derive(Clone, Debug)]
pub enum UsersConfig {
    /// In the SQLite file of the state directory.
    Embedded,
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
    pub shape: DialectShape,
    /// Which hosts it answers on.
    pub host: HostPattern,
    /// The origins whose pages may call it with credentials; exact, never a wildcard.
    pub allowed_origins: Vec<HeaderValue>,
}

/// The login APIs that the gateway can speak beside its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DialectShape {
    /// InsForge.
    InsForge,
}

/// Where the logs go.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// The access log: one line of JSON a request.
    pub access: LogTarget,
    /// The audit log: one line of JSON a sign-in attempt, refresh, sign-out or admin change.
    pub audit: LogTarget,
}

/// Where a log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// Standard output.
    Stdout,
    /// The end of this file.
    File(PathBuf),
    /// Nowhere.
    Off,
}
