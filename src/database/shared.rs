//! The database that users, and what goes with them, are kept in: the embedded SQLite file, or
//! PostgreSQL. One pool type for both, so that every statement is written once.
//!
//! The statements belong to the stores. They keep to what both engines read alike: `$1` parameters,
//! whole numbers, texts and bytes; no booleans, times or JSON types.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::{Any, AnyPool, ConnectOptions as _, Executor as _, Transaction};
use tokio::sync::OnceCell;
use tokio::time::timeout;
use url::Url;

use super::{
    BUSY_TIMEOUT, DatabaseError, FILE_NAME, MAX_CONNECTIONS, is_out_of_transactions, postgres,
};
use crate::unavailable::Unavailable;

/// How long one piece of work may take, the wait for a connection included. A database that is slower
/// than this is away, as far as somebody who waits for a sign-in is concerned.
const WORK_TIMEOUT: Duration = Duration::from_secs(10);

/// A transaction that may write.
pub type Change = Transaction<'static, Any>;

/// Which database it is, for the few statements that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// A server, which several replicas share.
    Postgres,
}

/// A database with all its tables.
#[derive(Clone)]
pub struct Database {
    pool: AnyPool,
    engine: Engine,
    /// Set once the tables are up to date. A server that is away at the start is asked again later.
    ready: Arc<OnceCell<()>>,
}

impl Database {
    /// The embedded database of a state directory; made, and brought up to date, where it must be.
    pub async fn embedded(state_directory: &Path) -> Result<Self, DatabaseError> {
        super::open(state_directory).await?.close().await;
        let path = state_directory.join(FILE_NAME);
        let at = |source| DatabaseError::Open {
            path: path.clone(),
            source,
        };
        let pragmas =
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
        let wait = BUSY_TIMEOUT.as_millis();
        let pool = AnyPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(BUSY_TIMEOUT)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    let wait = sqlx::AssertSqlSafe(format!("PRAGMA busy_timeout = {wait};"));
                    connection.execute(wait).await?;
                    connection.execute(pragmas).await.map(drop)
                })
            })
            .after_release(|connection, _| Box::pin(is_out_of_transactions(connection)))
            .connect_with(sqlite_options(&path).map_err(at)?)
            .await
            .map_err(at)?;
        Ok(Self::ready(pool, Engine::Sqlite))
    }

    /// The database of a PostgreSQL server. It is connected to when it is needed: one that is away at
    /// the start is no reason not to start.
    pub fn postgres(config: &postgres::Config) -> Result<Self, DatabaseError> {
        install_default_drivers();
        Ok(Self {
            pool: postgres::pool(config).map_err(DatabaseError::Server)?,
            engine: Engine::Postgres,
            ready: Arc::new(OnceCell::new()),
        })
    }

    /// A database whose tables are up to date.
    pub fn ready(pool: AnyPool, engine: Engine) -> Self {
        Self {
            pool,
            engine,
            ready: Arc::new(OnceCell::new_with(Some(()))),
        }
    }

    /// Which one it is.
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// Its connections. The tables are up to date when this returns.
    pub async fn pool(&self) -> sqlx::Result<&AnyPool> {
        let migrate = async || postgres::migrate(&self.pool).await;
        self.ready.get_or_try_init(migrate).await?;
        Ok(&self.pool)
    }

    /// Opens a transaction that may write.
    ///
    /// In SQLite it takes the write lock now, not at its first write: one that had read before could
    /// only fail then. In PostgreSQL, what it builds on must be locked or compared by its statements.
    pub async fn change(&self) -> sqlx::Result<Change> {
        let begin = match self.engine {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN",
        };
        self.pool().await?.begin_with(begin).await
    }

    /// Opens a transaction that only reads: all its statements see the same moment.
    pub async fn view(&self) -> sqlx::Result<Change> {
        let begin = match self.engine {
            Engine::Sqlite => "BEGIN",
            Engine::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        self.pool().await?.begin_with(begin).await
    }

    /// Does a piece of work in bounded time: a server that neither answers nor hangs up is away.
    pub async fn within<T>(&self, work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        timeout(WORK_TIMEOUT, work)
            .await
            .unwrap_or_else(|_late| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())))
    }

    /// Asks for a sign of life.
    pub async fn ping(&self) -> sqlx::Result<()> {
        let ping = async { self.pool().await?.execute("SELECT 1").await.map(drop) };
        self.within(ping).await
    }

    /// The failure of this database, whichever it was: busy, full, read-only, corrupt, away.
    pub fn away(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Unavailable {
        let store = match self.engine {
            Engine::Sqlite => "the embedded database",
            Engine::Postgres => "the PostgreSQL database",
        };
        Unavailable::new(store, source)
    }
}

/// Never the pool's own: its options hold the password of a server.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({:?})", self.engine)
    }
}

/// The driver for both engines takes its options as a URL only.
fn sqlite_options(path: &Path) -> sqlx::Result<AnyConnectOptions> {
    install_default_drivers();
    let absolute = std::path::absolute(path)?;
    let file = Url::from_file_path(absolute).or(Err(sqlx::Error::Configuration(
        "not a path of a file".into(),
    )))?;
    let url = format!("sqlite://{}?mode=rw", file.path());
    let url = url
        .parse()
        .map_err(|error| sqlx::Error::Configuration(Box::new(error)))?;
    AnyConnectOptions::from_url(&url)
}
