//! The one SQLite file of a gateway: where it lies, how it is opened, what is in it. And
//! [`Database`]: that file, or the PostgreSQL server that several replicas share.
//!
//! The statements belong to the stores; this file knows only their migrations.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection, SqlSafeStr, SqlStr};

pub mod postgres;
mod shared;

pub use self::shared::{Change, Database, Engine};

/// The name of the file in the state directory.
pub const FILE_NAME: &str = "doorward.db";

/// Held while the file is made, put into its mode and migrated; empty, and never removed.
const LOCK_NAME: &str = "doorward.db.lock";

/// How long a statement waits for another writer. Writes take milliseconds; whoever holds the lock
/// for longer is a backup or a person in a SQL shell, and then a 503 is the honest answer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// SQLite has one writer at a time; these are for readers beside it.
const MAX_CONNECTIONS: u32 = 8;

/// All migrations, oldest first. One that was ever released does not change.
const MIGRATIONS: Migrations = &[
    (
        1,
        "users",
        include_str!("database/migrations/0001_users.sql"),
    ),
    (
        2,
        "sessions",
        include_str!("database/migrations/0002_sessions.sql"),
    ),
    (
        3,
        "session lifetimes",
        include_str!("database/migrations/0003_session_lifetimes.sql"),
    ),
    (
        4,
        "user revision",
        include_str!("database/migrations/0004_user_revision.sql"),
    ),
    (
        5,
        "api keys",
        include_str!("database/migrations/0005_api_keys.sql"),
    ),
    (
        6,
        "codes",
        include_str!("database/migrations/0006_codes.sql"),
    ),
    (
        7,
        "audit",
        include_str!("database/migrations/0007_audit.sql"),
    ),
    (
        8,
        "api key labels",
        include_str!("database/migrations/0008_api_key_labels.sql"),
    ),
];

/// Number, name and statements of each migration.
type Migrations = &'static [(i64, &'static str, &'static str)];

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The directory or a file in it could not be made.
    #[error("cannot prepare {}", path.display())]
    Prepare {
        /// What was to be made.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite could not open the file.
    #[error("cannot open {}", path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// The tables could not be brought up to date; or they were made by a newer Doorward.
    #[error("cannot bring {} up to date", path.display())]
    Migrate {
        /// The database file.
        path: PathBuf,
        /// What went wrong.
        source: MigrateError,
    },
    /// The address of the server is none.
    #[error("cannot use the PostgreSQL server")]
    Server(#[source] sqlx::Error),
}

/// Opens the database of a state directory, makes it where there is none, and brings its tables up to
/// date.
///
/// The directory is made for its owner alone (0700), the file too (0600); SQLite gives the files
/// beside it (`-wal`, `-shm`) the same mode. Several processes may do this at once: a gateway and the
/// `doorward user` commands share the file.
///
/// A transaction that reads first and writes later should begin with `BEGIN IMMEDIATE`: a reader that
/// turns into a writer is refused at once when another has written meanwhile, without the wait.
pub async fn open(state_directory: &Path) -> Result<SqlitePool, DatabaseError> {
    let path = state_directory.join(FILE_NAME);
    let directory = state_directory.to_owned();
    let alone = tokio::task::spawn_blocking(move || prepare(&directory))
        .await
        .map_err(|stopped| DatabaseError::Prepare {
            path: state_directory.to_owned(),
            source: io::Error::other(stopped),
        })??;
    let pool = SqlitePoolOptions::new()
        .max_connections(MAX_CONNECTIONS)
        .acquire_timeout(BUSY_TIMEOUT)
        .after_release(|connection, _| Box::pin(is_out_of_transactions(connection)))
        .connect_with(options(&path))
        .await
        .map_err(|source| DatabaseError::Open {
            path: path.clone(),
            source,
        })?;
    migrator(MIGRATIONS)
        .run(&pool)
        .await
        .map_err(|source| DatabaseError::Migrate { path, source })?;
    drop(alone);
    Ok(pool)
}

/// Whether a connection may be used again.
///
/// SQLite ends a transaction by itself where a disk is full; the pool then takes the connection for one
/// that is in a transaction still, on which no other can begin, for ever.
async fn is_out_of_transactions<C: Connection>(connection: &mut C) -> sqlx::Result<bool> {
    if connection.is_in_transaction() {
        // The end of one that was dropped may be under way: what is asked now is answered after it.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// How every connection behaves.
///
/// `synchronous = FULL` with a write-ahead log: a commit returns after the log was written *and*
/// fsynced. `kill -9` cannot take it back since the pages are with the kernel, and a power cut cannot
/// since they are on the disk; at the next opening SQLite reads the log up to its last whole commit.
/// `NORMAL` would fsync at checkpoints only: consistent after a power cut, but acknowledged sign-ins,
/// sign-outs and accounts of the last minutes may be gone. An fsync per sign-in costs less than the
/// hash before it.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
}

/// Makes the directory and the file, and returns the lock under which the rest happens.
///
/// The lock is needed because a new file is switched to its write-ahead log by a step that SQLite does
/// not wait for (`busy_timeout` has no say in it), and because sqlx does not lock SQLite while it
/// migrates. The system drops the lock of a process that dies.
fn prepare(directory: &Path) -> Result<File, DatabaseError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| DatabaseError::Prepare { path, source }
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(at(directory))?;
    let lock_path = directory.join(LOCK_NAME);
    let lock = private_file()
        .truncate(false)
        .create(true)
        .open(&lock_path)
        .map_err(at(&lock_path))?;
    lock.lock().map_err(at(&lock_path))?;
    let path = directory.join(FILE_NAME);
    // Never opens a file that exists: closing it again would drop the locks that SQLite holds on it in
    // this process (they belong to the process, not to the descriptor).
    match private_file().create_new(true).open(&path) {
        Ok(_made) => Ok(lock),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(lock),
        Err(source) => Err(DatabaseError::Prepare { path, source }),
    }
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

/// Built by hand: the macro of sqlx that does the same would bring in its whole compile-time half.
fn migrator(migrations: Migrations) -> Migrator {
    let migrations = migrations.iter().map(|(version, name, sql)| {
        let sql: SqlStr = (*sql).into_sql_str();
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(migrations.collect())
}

#[cfg(test)]
mod tests;
