//! Opening the stores that the configuration names: for the gateway, and for the command line beside it.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use crate::api_keys::ApiKeyStore;
use crate::api_keys::sql::SqlApiKeys;
use crate::clock::SharedClock;
use crate::config::{Config, SessionStoreConfig, UserStoreConfig};
use crate::database::{self, Database};
use crate::limiter::Limiter;
use crate::limiter::memory::MemoryLimiter;
use crate::sessions::SessionStore;
use crate::sessions::redis::RedisSessions;
use crate::sessions::sqlite::SqliteSessions;
use crate::users::UserStore;
use crate::users::sql::SqlUsers;
use crate::users::supabase::Supabase;

/// Where users and sessions are kept.
#[derive(Clone, Debug)]
pub struct Stores {
    /// The users.
    pub users: Arc<dyn UserStore>,
    /// The sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// The API keys, beside the users.
    pub api_keys: Arc<dyn ApiKeyStore>,
    /// What is kept beside the users.
    pub database: Database,
    /// Where attempts are counted: with the sessions where these are shared, and else in memory.
    pub limiter: Arc<dyn Limiter>,
}

impl Stores {
    /// Opens what `config` names, and makes what is embedded where it is missing. A server that is
    /// away is no error: it is asked when it is needed.
    pub async fn open(config: &Config, clock: &SharedClock) -> anyhow::Result<Self> {
        make_directory(&config.state_directory)?;
        let database = match &config.users.store {
            UserStoreConfig::Embedded | UserStoreConfig::Supabase(_) => {
                Database::embedded(&config.state_directory).await?
            }
            UserStoreConfig::Postgres(server) => Database::postgres(server)?,
        };
        let (sessions, limiter): (Arc<dyn SessionStore>, Arc<dyn Limiter>) =
            match &config.sessions.store {
                SessionStoreConfig::Embedded => (
                    Arc::new(SqliteSessions::new(
                        database::open(&config.state_directory).await?,
                    )),
                    Arc::new(MemoryLimiter::new(config.limits.max_entries)),
                ),
                SessionStoreConfig::Redis(redis) => {
                    let sessions = RedisSessions::connect(redis);
                    let limiter = Arc::new(sessions.limiter());
                    (Arc::new(sessions), limiter)
                }
            };
        let users: Arc<dyn UserStore> = match &config.users.store {
            UserStoreConfig::Supabase(project) => Arc::new(Supabase::new(project, clock.clone())?),
            UserStoreConfig::Embedded | UserStoreConfig::Postgres(_) => {
                Arc::new(SqlUsers::new(database.clone(), clock.clone()))
            }
        };
        Ok(Self {
            users,
            api_keys: Arc::new(SqlApiKeys::new(database.clone())),
            sessions,
            database,
            limiter,
        })
    }
}

/// Whoever may look into it reads password hashes and keys.
fn make_directory(path: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make the state directory {}", path.display()))
}
