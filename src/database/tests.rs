use std::os::unix::fs::PermissionsExt;

use sqlx::Executor as _;

use super::*;

async fn pragma(pool: &SqlitePool, statement: &'static str) -> String {
    let value: String = sqlx::query_scalar(statement).fetch_one(pool).await.unwrap();
    value
}

#[tokio::test]
async fn every_commit_is_on_the_disk_before_it_is_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let pool = open(directory.path()).await.unwrap();
    let check = async |statement, expected| assert_eq!(pragma(&pool, statement).await, expected);
    check("SELECT journal_mode FROM pragma_journal_mode", "wal").await;
    // 2 is FULL: https://www.sqlite.org/pragma.html#pragma_synchronous
    check(
        "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous",
        "2",
    )
    .await;
    check(
        "SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys",
        "1",
    )
    .await;
}

#[tokio::test]
async fn nobody_else_can_read_the_files() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("state/doorward");
    let pool = open(&directory).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    let files: Vec<_> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_open_a_new_database_at_once() {
    for _ in 0..5 {
        let directory = tempfile::tempdir().unwrap();
        let openings: Vec<_> = (0..8)
            .map(|_| {
                let path = directory.path().to_owned();
                tokio::spawn(async move { open(&path).await })
            })
            .collect();
        for opening in openings {
            let pool = opening.await.unwrap().unwrap();
            let users: i64 = sqlx::query_scalar("SELECT count(*) FROM users")
                .fetch_one(&pool)
                .await
                .unwrap();
            assert_eq!(users, 0);
        }
    }
}

#[tokio::test]
async fn a_database_from_the_future_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let pool = open(directory.path()).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'later', TRUE, x'00', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    let refused = open(directory.path()).await.unwrap_err();
    assert!(
        matches!(refused, DatabaseError::Migrate { .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_state_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused = open(&file.join("state")).await.unwrap_err().to_string();
    assert!(refused.contains("/file/state"), "{refused}");
}

/// Where a disk is full, SQLite ends a transaction by itself.
#[tokio::test]
async fn a_transaction_that_sqlite_ended_by_itself_stands_in_nobodys_way() {
    let directory = tempfile::tempdir().unwrap();
    let pool = open(directory.path()).await.unwrap();
    let database = Database::embedded(directory.path()).await.unwrap();
    for _ in 0..2 * MAX_CONNECTIONS {
        let mut ended = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        ended.execute("ROLLBACK").await.unwrap();
        drop(ended);
        let mut ended = database.change().await.unwrap();
        ended.execute("ROLLBACK").await.unwrap();
        assert!(ended.commit().await.is_err(), "nothing was kept");
    }
}
