//! Users: what every user store must do, and what SQLite does when it cannot.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use doorward::clock::{ManualClock, Timestamp};
use doorward::database;
use doorward::id::UserId;
use doorward::user::{
    AccountStatus, Email, EmailStatus, JsonObject, Login, Role, Roles, User, Username,
};
use doorward::users::sqlite::SqliteUsers;
use doorward::users::{
    InsertError, NewUser, PasswordHash, UserChange, UserPage, UserQuery, UserStore,
};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

mod contract;

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
        email_status: EmailStatus::Unverified,
        profile: JsonObject::new(),
        metadata: JsonObject::new(),
    }
}

fn login(text: &str) -> Login {
    Login::parse(text).unwrap()
}

async fn sqlite(directory: &Path) -> SqliteUsers {
    SqliteUsers::new(database::open(directory).await.unwrap(), clock())
}

/// A pool of one connection on an existing database, with a short patience.
async fn impatient(
    directory: &Path,
    set: impl FnOnce(SqliteConnectOptions) -> SqliteConnectOptions,
) -> SqliteUsers {
    let options = SqliteConnectOptions::new()
        .filename(directory.join(database::FILE_NAME))
        .busy_timeout(Duration::from_millis(10));
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(set(options))
        .await
        .unwrap();
    SqliteUsers::new(pool, clock())
}

#[tokio::test]
async fn sqlite_keeps_the_contract_of_user_stores() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let pool = database::open(directory.path()).await.unwrap();
    users_contract(Arc::new(SqliteUsers::new(pool, clock.clone())), &clock).await;
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
    let users = impatient(directory.path(), |options| options).await;
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
    let full =
        move |options: SqliteConnectOptions| options.pragma("max_page_count", pages.to_string());
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
    let users = impatient(directory.path(), |options| options.read_only(true)).await;
    assert_unavailable(&users.insert(new_user("a@example.com")).await);
    assert_eq!(count(&pool).await, 0);
}

#[tokio::test]
async fn a_damaged_row_is_unavailable_and_never_another_user() {
    let directory = tempfile::tempdir().unwrap();
    let pool = database::open(directory.path()).await.unwrap();
    let users = SqliteUsers::new(pool.clone(), clock());
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
