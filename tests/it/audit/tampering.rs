//! Whoever can write to the database, and does not have the key ring.

use doorward::audit::store::Head;
use doorward::audit::verify::{Anchors, Broken, VerifyError};
use sqlx::{AssertSqlSafe, Executor as _};

use super::*;

async fn run(database: &Database, sql: &str) {
    let pool = database.pool().await.unwrap();
    for statement in sql.split(';') {
        let statement = AssertSqlSafe(statement.to_owned());
        pool.execute(statement).await.unwrap();
    }
}

async fn broken(store: &AuditStore, anchors: &Anchors) -> Broken {
    match store.verify(anchors).await {
        Err(VerifyError::Broken(broken)) => broken,
        other => panic!("{other:?}"),
    }
}

/// Takes all away, as a new database has it.
const CLEAR: &str = "DELETE FROM audit; UPDATE audit_head SET seq = 0, hash = removed_hash, \
                     seal = removed_hash; UPDATE audit_head SET removed_seq = 0";

/// Eight entries, what is done to them, and what verification finds.
const WAYS: [(&str, Broken); 15] = [
    (
        "UPDATE audit SET actor = 'mallory' WHERE seq = 3",
        Broken::Altered(3),
    ),
    (
        "UPDATE audit SET actor = NULL WHERE seq = 3",
        Broken::Altered(3),
    ),
    (
        "UPDATE audit SET detail = '' WHERE seq = 8",
        Broken::Altered(8),
    ),
    (
        "UPDATE audit SET time = time + 1 WHERE seq = 1",
        Broken::Altered(1),
    ),
    (
        "UPDATE audit SET outcome = 'refused' WHERE seq = 2",
        Broken::Altered(2),
    ),
    // A seal of another place.
    (
        "UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 4) WHERE seq = 3",
        Broken::Altered(3),
    ),
    (
        "DELETE FROM audit WHERE seq = 4",
        Broken::Missing { from: 4, to: 4 },
    ),
    (
        "DELETE FROM audit WHERE seq < 3",
        Broken::Missing { from: 1, to: 2 },
    ),
    (
        "DELETE FROM audit WHERE seq > 6",
        Broken::Missing { from: 7, to: 8 },
    ),
    ("DELETE FROM audit", Broken::Missing { from: 1, to: 8 }),
    // The gap is closed.
    (
        "DELETE FROM audit WHERE seq = 4; UPDATE audit SET seq = seq - 1 WHERE seq = 5",
        Broken::Altered(4),
    ),
    // Two change places.
    (
        "UPDATE audit SET seq = 99 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5; \
         UPDATE audit SET seq = 5 WHERE seq = 99",
        Broken::Altered(4),
    ),
    // One more.
    (
        "INSERT INTO audit SELECT 9, time, action, outcome, reason, actor, user_id, session_id, \
         address, request_id, api_key_id, detail, hash FROM audit WHERE seq = 8",
        Broken::BeyondEnd(9),
    ),
    // Cut off, and the end recorded anew: its seal cannot be.
    (
        "DELETE FROM audit WHERE seq > 6; UPDATE audit_head SET seq = 6, \
         hash = (SELECT hash FROM audit WHERE seq = 6)",
        Broken::Unsealed(6),
    ),
    // The start removed as retention would, without its entry.
    (
        "UPDATE audit_head SET removed_seq = 3, removed_hash = (SELECT hash FROM audit WHERE seq = 3); \
         DELETE FROM audit WHERE seq <= 3",
        Broken::Removed(3),
    ),
];

async fn every_way_shows(database: &Database) {
    for (way, expected) in WAYS {
        run(database, CLEAR).await;
        clear_head(database).await;
        let store = with_entries(database, 8).await;
        assert_eq!(store.verify(&Anchors::default()).await.unwrap().entries, 8);
        run(database, way).await;
        assert_eq!(broken(&store, &Anchors::default()).await, expected, "{way}");
    }
}

/// The start as the migration left it, on both engines.
async fn clear_head(database: &Database) {
    sqlx::query("UPDATE audit_head SET hash = $1, removed_hash = $1, seal = $2")
        .bind(vec![0_u8; 32])
        .bind(Vec::<u8>::new())
        .execute(database.pool().await.unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn every_way_to_tamper_shows_in_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    every_way_shows(&sqlite(directory.path()).await).await;
}

#[tokio::test]
async fn every_way_to_tamper_shows_in_postgres() {
    let server = PostgresServer::start();
    every_way_shows(&server.database()).await;
}

/// An end that was put back together with its seal, as from a backup.
async fn rolled_back(database: &Database) -> (AuditStore, Head) {
    let store = with_entries(database, 6).await;
    run(
        database,
        "CREATE TABLE old_head AS SELECT * FROM audit_head",
    )
    .await;
    store.append(&[entry(7), entry(8)], None).await.unwrap();
    let head = store.head().await.unwrap();
    run(
        database,
        "DELETE FROM audit WHERE seq > 6; DELETE FROM audit_head; \
         INSERT INTO audit_head SELECT * FROM old_head",
    )
    .await;
    (store, head)
}

#[tokio::test]
async fn a_tail_that_was_cut_off_with_an_old_seal_shows_by_what_is_known_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite(directory.path()).await;
    let (store, head) = rolled_back(&database).await;
    assert_eq!(store.verify(&Anchors::default()).await.unwrap().entries, 6);
    let anchors = Anchors::from_iter([(head.seq, head.hash)]);
    let expected = Broken::Missing { from: 7, to: 8 };
    assert_eq!(broken(&store, &anchors).await, expected);
    // Others in their places are others.
    store.append(&[entry(1), entry(2)], None).await.unwrap();
    assert_eq!(broken(&store, &anchors).await, Broken::Foreign(8));
    // Nor does it help to be told of those, too.
    let now = store.head().await.unwrap();
    let both = [(now.seq, now.hash), (head.seq, head.hash)];
    for told in [both, [both[1], both[0]]] {
        let anchors = Anchors::from_iter(told);
        assert_eq!(broken(&store, &anchors).await, Broken::Foreign(8));
    }
    let verified = store.verify(&Anchors::from_iter([both[0], both[0]])).await;
    assert_eq!(verified.unwrap().anchors, 1);
}

#[tokio::test]
async fn a_writer_that_finds_the_end_cut_off_says_so_for_good() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite(directory.path()).await;
    let (store, head) = rolled_back(&database).await;
    let kept = store.append(&[entry(9)], Some(head)).await.unwrap();
    assert_eq!(kept.len(), 2);
    store.append(&[entry(10)], None).await.unwrap();
    assert_eq!(
        broken(&store, &Anchors::default()).await,
        Broken::Replaced(7)
    );
}

#[tokio::test]
async fn no_writer_puts_its_seal_on_an_end_that_was_recorded_by_others() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite(directory.path()).await;
    let store = with_entries(&database, 8).await;
    let cut = "DELETE FROM audit WHERE seq > 6; UPDATE audit_head SET seq = 6, \
               hash = (SELECT hash FROM audit WHERE seq = 6)";
    run(&database, cut).await;
    // A process that starts now knows nothing of what was.
    store.append(&[entry(9)], None).await.unwrap();
    assert_eq!(
        broken(&store, &Anchors::default()).await,
        Broken::Replaced(7)
    );
}

#[tokio::test]
async fn no_retention_puts_its_seal_on_an_end_that_was_recorded_by_others() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite(directory.path()).await;
    let store = with_entries(&database, 8).await;
    let cut = "DELETE FROM audit WHERE seq > 6; UPDATE audit_head SET seq = 6, \
               hash = (SELECT hash FROM audit WHERE seq = 6)";
    run(&database, cut).await;
    store.trim(entry(3).time, entry(9).time).await.unwrap();
    assert_eq!(
        broken(&store, &Anchors::default()).await,
        Broken::Replaced(7)
    );
}

#[tokio::test]
async fn after_an_exchange_of_keys_the_older_one_verifies_the_older_entries() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite(directory.path()).await;
    with_entries(&database, 3).await;
    let new = AuditStore::new(database.clone(), keys(2));
    new.append(&[entry(4)], None).await.unwrap();
    new.append(&[entry(5)], None).await.unwrap();
    assert_eq!(broken(&new, &Anchors::default()).await, Broken::Altered(1));
    let both = AuditStore::new(database.clone(), keys(2).and(keys(1)));
    assert_eq!(both.verify(&Anchors::default()).await.unwrap().entries, 6);
    // Whoever does not have the keys cannot use the exchange as an excuse.
    let foreign = AuditStore::new(database, keys(3));
    foreign.append(&[entry(6)], None).await.unwrap();
    assert_eq!(broken(&both, &Anchors::default()).await, Broken::Altered(7));
}
