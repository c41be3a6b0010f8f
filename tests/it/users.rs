//! Users: what every user store must do, and what SQLite does when it cannot.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use doorward::clock::{ManualClock, Timestamp};
use doorward::database::{self, Database, Engine};
use doorward::id::UserId;
use doorward::user::{
    AccountStatus, Email, EmailStatus, JsonObject, Login, Revision, Role, Roles, User, Username,
};
use doorward::users::sql::SqlUsers;
use doorward::users::{
    InsertError, NewUser, PasswordHash, UpdateError, UserChange, UserPage, UserQuery, UserStore,
    UserUpdate,
};
use sqlx::Executor as _;
use sqlx::any::AnyPoolOptions;
use sqlx::sqlite::SqlitePool;

mod contract;

use crate::support::postgres::PostgresServer;
use contract::users_contract;

const START: Timestamp = Timestamp::from_seconds(1_763_696_385);

fn clock() -> Arc<ManualClock> {
    ManualClock::at(START)
}

fn new_user(email: &str) -> NewUser {
    NewUser {
        id: UserId::new(START),
        email: Email::parse(email).unwrap(),
        username: None,
        password: None,
        roles: Roles::default(),
        status: AccountStatus::Enabled,
        email_status: EmailStatus::Unverified,
        profile: JsonObject::new(),
        metadata: JsonObject::new(),
    }
}

fn login(text: &str) -> Login {
    Login::parse(text).unwrap()
}

async fn sqlite(directory: &Path) -> SqlUsers {
    SqlUsers::new(Database::embedded(directory).await.unwrap(), clock())
}

/// A pool of one connection on an existing database, with a short patience.
async fn impatient(directory: &Path, pragma: &'static str) -> SqlUsers {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}", directory.join(database::FILE_NAME).display());
    let pool = AnyPoolOptions::new()
        .max_connections(1)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute("PRAGMA busy_timeout = 10").await?;
                connection.execute(pragma).await.map(drop)
            })
        })
        .connect(&url)
        .await
        .unwrap();
    SqlUsers::new(Database::ready(pool, Engine::Sqlite), clock())
}

#[tokio::test]
async fn sqlite_keeps_the_contract_of_user_stores() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let database = Database::embedded(directory.path()).await.unwrap();
    users_contract(Arc::new(SqlUsers::new(database, clock.clone())), &clock).await;
}

#[tokio::test]
async fn postgres_keeps_the_contract_of_user_stores() {
    let server = PostgresServer::start();
    let clock = clock();
    let users = SqlUsers::new(server.database(), clock.clone());
    users_contract(Arc::new(users), &clock).await;
}

#[tokio::test]
async fn an_acknowledged_user_is_there_when_the_process_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let users = sqlite(directory.path()).await;
    users.insert(new_user("a@example.com")).await.unwrap();
    // What the next process finds after a kill: the files as they lie there, nothing closed.
    let after = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        if !file.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(file.path(), after.path().join(file.file_name())).unwrap();
        }
    }
    let found = sqlite(after.path())
        .await
        .by_login(&login("a@example.com"))
        .await;
    assert!(found.unwrap().is_some());
}

#[tokio::test]
async fn two_processes_see_each_others_users() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = sqlite(directory.path()).await;
    let command = sqlite(directory.path()).await;
    command.insert(new_user("a@example.com")).await.unwrap();
    assert!(
        gateway
            .by_login(&login("a@example.com"))
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_locked_database_is_unavailable_and_stores_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let pool = database::open(directory.path()).await.unwrap();
    let users = impatient(directory.path(), "SELECT 1").await;
    let user = users.insert(new_user("a@example.com")).await.unwrap();
    let lock = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    assert_unavailable(&users.insert(new_user("b@example.com")).await);
    let disable = UserChange::Status(AccountStatus::Disabled);
    assert!(users.change(user.id, disable.clone()).await.is_err());
    assert!(users.remove(user.id).await.is_err());
    // Readers do not wait for writers.
    assert_eq!(users.by_id(user.id).await.unwrap(), Some(user.clone()));
    lock.rollback().await.unwrap();
    assert!(
        users
            .by_login(&login("b@example.com"))
            .await
            .unwrap()
            .is_none()
    );
    assert!(users.change(user.id, disable).await.unwrap().is_some());
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_stores_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let pool = database::open(directory.path()).await.unwrap();
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
        .fetch_one(&pool)
        .await
        .unwrap();
    let full: &str = format!("PRAGMA max_page_count = {pages}").leak();
    let users = impatient(directory.path(), full).await;
    let mut user = new_user("a@example.com");
    user.profile
        .insert("name".into(), "x".repeat(100_000).into());
    assert_unavailable(&users.insert(user).await);
    assert_eq!(count(&pool).await, 0);
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_unavailable() {
    let directory = tempfile::tempdir().unwrap();
    let pool = database::open(directory.path()).await.unwrap();
    // By flag and not by file mode, which does not bind root.
    let users = impatient(directory.path(), "PRAGMA query_only = ON").await;
    assert_unavailable(&users.insert(new_user("a@example.com")).await);
    assert_eq!(count(&pool).await, 0);
}

#[tokio::test]
async fn a_damaged_row_is_unavailable_and_never_another_user() {
    let directory = tempfile::tempdir().unwrap();
    let pool = database::open(directory.path()).await.unwrap();
    let users = sqlite(directory.path()).await;
    let user = users.insert(new_user("a@example.com")).await.unwrap();
    for damage in [
        "UPDATE users SET roles = 'admin'",
        "UPDATE users SET roles = '[\"Ad min\"]'",
        "UPDATE users SET roles = '[]', profile = '[]'",
        "UPDATE users SET profile = '{}', email = 'nobody'",
    ] {
        sqlx::query(damage).execute(&pool).await.unwrap();
        assert!(users.by_id(user.id).await.is_err(), "{damage}");
    }
}

fn assert_unavailable(result: &Result<User, InsertError>) {
    assert!(
        matches!(result, Err(InsertError::Unavailable(_))),
        "{result:?}"
    );
}

async fn count(pool: &SqlitePool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM users")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn replicas_that_start_at_once_make_the_tables_of_postgres_once() {
    let server = PostgresServer::start();
    let replicas: Vec<_> = (0..6).map(|_| server.database()).collect();
    let pings = replicas.iter().map(Database::ping);
    for ping in futures_util::future::join_all(pings).await {
        ping.unwrap();
    }
    let users = SqlUsers::new(replicas[0].clone(), clock());
    users.insert(new_user("a@example.com")).await.unwrap();
    let other = SqlUsers::new(replicas[5].clone(), clock());
    let found = other.by_login(&login("a@example.com")).await.unwrap();
    assert!(found.is_some());
}

#[tokio::test]
async fn postgres_away_is_unavailable_and_heals_by_itself() {
    let mut server = PostgresServer::start();
    let users = SqlUsers::new(server.database(), clock());
    server.stop();
    // Away at the start: nothing is known, which is not "no such user".
    assert!(users.by_login(&login("a@example.com")).await.is_err());
    assert_unavailable(&users.insert(new_user("a@example.com")).await);
    server.start_again();
    let user = users.insert(new_user("a@example.com")).await.unwrap();
    server.stop();
    assert!(users.by_id(user.id).await.is_err());
    let disable = UserChange::Status(AccountStatus::Disabled);
    assert!(users.change(user.id, disable).await.is_err());
    assert!(users.remove(user.id).await.is_err());
    server.start_again();
    assert_eq!(users.by_id(user.id).await.unwrap(), Some(user));
}

#[tokio::test]
async fn no_word_about_postgres_shows_its_password() {
    let mut server = PostgresServer::start();
    let database = server.database();
    server.stop();
    let error = SqlUsers::new(database.clone(), clock())
        .ping()
        .await
        .unwrap_err();
    let told = format!("{error:?} {error} {database:?}");
    assert!(!told.contains("p@ss") && !told.contains("p%40ss"), "{told}");
}
