//! PostgreSQL: how it is connected to, and its tables.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::Migrator;
use sqlx::{AnyPool, ConnectOptions as _};
use url::Url;

use crate::secret::SecretText;

/// How long somebody waits for a connection: for a free one, or for the server to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// An idle connection is given up after this time; firewalls forget them about then.
const IDLE: Duration = Duration::from_mins(5);

/// All migrations, oldest first. One that was ever released does not change.
const MIGRATIONS: super::Migrations = &[
    (
        1,
        "users",
        include_str!("migrations/postgres/0001_users.sql"),
    ),
    (
        5,
        "api keys",
        include_str!("migrations/postgres/0005_api_keys.sql"),
    ),
    (
        6,
        "codes",
        include_str!("migrations/postgres/0006_codes.sql"),
    ),
    (
        7,
        "audit",
        include_str!("migrations/postgres/0007_audit.sql"),
    ),
    (
        8,
        "api key labels",
        include_str!("migrations/postgres/0008_api_key_labels.sql"),
    ),
];

/// Which server, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `postgres://user@host:port/database`, without a password.
    pub url: Url,
    /// The password, apart.
    pub password: Option<SecretText>,
    /// The certificates that the server's must come from, as PEM; with them, nothing but TLS to the
    /// very host that was named is spoken.
    pub ca: Option<PathBuf>,
    /// How many connections at the most.
    pub max_connections: u32,
}

/// A pool that connects when it is asked.
pub(super) fn pool(config: &Config) -> sqlx::Result<AnyPool> {
    let options = AnyConnectOptions::from_url(&whole_url(config)?)?;
    Ok(AnyPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(CONNECT_TIMEOUT)
        .idle_timeout(IDLE)
        .connect_lazy_with(options))
}

/// Brings the tables up to date. Replicas that start at once wait for each other: the migrator holds
/// an advisory lock of the server.
pub(super) async fn migrate(pool: &AnyPool) -> sqlx::Result<()> {
    let migrator: Migrator = super::migrator(MIGRATIONS);
    migrator.run(pool).await.map_err(sqlx::Error::from)
}

/// The driver takes everything from the URL, the password as well; this one is never shown.
fn whole_url(config: &Config) -> sqlx::Result<Url> {
    let mut url = config.url.clone();
    if let Some(password) = &config.password {
        url.set_password(Some(password.expose()))
            .or(Err(sqlx::Error::Configuration(
                "a URL without a host".into(),
            )))?;
    }
    if let Some(ca) = &config.ca {
        url.query_pairs_mut()
            .append_pair("sslmode", "verify-full")
            .append_pair("sslrootcert", &ca.to_string_lossy());
    }
    Ok(url)
}
