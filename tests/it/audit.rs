//! The audit trail: what it keeps, and how it shows that somebody laid hands on it.

use std::path::Path;
use std::time::Duration;

use doorward::audit::entry::{Entry, Kept};
use doorward::audit::query::AuditQuery;
use doorward::audit::seal::SealKeys;
use doorward::audit::store::AuditStore;
use doorward::audit::verify::Anchors;
use doorward::audit::{Action, Event, Outcome};
use doorward::clock::Timestamp;
use doorward::database::Database;
use doorward::secret::SecretBytes;

use crate::support::postgres::PostgresServer;

mod binary;
mod tampering;
mod writing;

const START: Timestamp = Timestamp::from_seconds(1_763_696_385);

fn keys(byte: u8) -> SealKeys {
    SealKeys::new(&[SecretBytes::new(vec![byte; 32])]).unwrap()
}

fn store(database: &Database) -> AuditStore {
    AuditStore::new(database.clone(), keys(1))
}

async fn sqlite(directory: &Path) -> Database {
    Database::embedded(directory).await.unwrap()
}

fn event<'a>(user: &str) -> Event<'a> {
    Event {
        action: Action::SignIn,
        outcome: Outcome::Success,
        reason: "signed-in",
        actor: Some("zoë\u{1b}\r\n\u{202e}"),
        user: Some(user.to_owned()),
        session: Some("s-1".to_owned()),
        address: Some("2001:db8::1".parse().unwrap()),
        request_id: Some("r-1".to_owned()),
        api_key: None,
    }
}

/// Of the second `number`, about the user of that number.
fn entry(number: i64) -> Entry {
    let time = START.plus(Duration::from_secs(number.unsigned_abs()));
    Entry::of(&event(&format!("u-{number}")), time)
}

async fn with_entries(database: &Database, count: i64) -> AuditStore {
    let store = store(database);
    let entries: Vec<_> = (1..=count).map(entry).collect();
    store.append(&entries, None).await.unwrap();
    store
}

async fn all(store: &AuditStore) -> Vec<Kept> {
    let query = AuditQuery {
        limit: 100_000,
        ..AuditQuery::default()
    };
    let mut entries = store.query(&query).await.unwrap().entries;
    entries.reverse();
    entries
}

async fn contract(database: &Database) {
    entries_are_found_by_each_of_their_fields(database).await;
    what_is_found_comes_page_by_page(database).await;
    writers_at_once_make_one_chain(database).await;
    what_is_too_old_goes_and_the_rest_still_verifies(database).await;
}

#[tokio::test]
async fn sqlite_keeps_the_trail() {
    let directory = tempfile::tempdir().unwrap();
    contract(&sqlite(directory.path()).await).await;
}

#[tokio::test]
async fn postgres_keeps_the_trail() {
    let server = PostgresServer::start();
    contract(&server.database()).await;
}

async fn entries_are_found_by_each_of_their_fields(database: &Database) {
    let store = with_entries(database, 9).await;
    let mut other = entry(10);
    other.action = "refresh".into();
    other.outcome = "failed".into();
    other.actor = None;
    other.session = Some("s-2".into());
    other.address = None;
    other.request_id = Some("r-2".into());
    other.api_key = Some("k-2".into());
    store
        .append(std::slice::from_ref(&other), None)
        .await
        .unwrap();
    let kept = all(&store).await;
    assert_eq!(kept[9].entry, other);
    assert_eq!(kept[3].entry, entry(4));
    let places: Vec<_> = kept.iter().map(|kept| kept.seq).collect();
    assert_eq!(places, (1..=10).collect::<Vec<_>>());

    let some = |text: &str| Some(text.to_owned());
    let none = AuditQuery::default;
    let all_but_last: Vec<i64> = (1..=9).rev().collect();
    let between = AuditQuery {
        since: Some(entry(3).time),
        until: Some(entry(5).time),
        ..none()
    };
    #[rustfmt::skip]
    let cases = [
        (AuditQuery { user: some("u-4"), ..none() }, vec![4]),
        (AuditQuery { action: some("refresh"), ..none() }, vec![10]),
        (AuditQuery { outcome: some("failed"), ..none() }, vec![10]),
        (AuditQuery { session: some("s-2"), ..none() }, vec![10]),
        (AuditQuery { request_id: some("r-2"), ..none() }, vec![10]),
        (AuditQuery { api_key: some("k-2"), ..none() }, vec![10]),
        (AuditQuery { address: some("2001:db8::1"), ..none() }, all_but_last.clone()),
        (AuditQuery { actor: entry(1).actor, ..none() }, all_but_last),
        (AuditQuery { actor: some("' OR 1=1 --"), ..none() }, vec![]),
        (between.clone(), vec![4, 3]),
        (AuditQuery { user: some("u-3"), ..between }, vec![3]),
    ];
    for (query, expected) in cases {
        let query = AuditQuery {
            limit: 100,
            ..query
        };
        let page = store.query(&query).await.unwrap();
        let places: Vec<_> = page.entries.iter().map(|kept| kept.seq).collect();
        assert_eq!((places, page.next), (expected, None), "{query:?}");
    }
}

async fn what_is_found_comes_page_by_page(database: &Database) {
    let store = store(database);
    let mut query = AuditQuery {
        limit: 4,
        ..AuditQuery::default()
    };
    let mut pages = Vec::new();
    loop {
        let page = store.query(&query).await.unwrap();
        pages.push(page.entries.iter().map(|kept| kept.seq).collect::<Vec<_>>());
        let Some(next) = page.next else { break };
        query.before = Some(next);
    }
    assert_eq!(pages, [vec![10, 9, 8, 7], vec![6, 5, 4, 3], vec![2, 1]]);
}

async fn writers_at_once_make_one_chain(database: &Database) {
    let before = store(database).head().await.unwrap().seq;
    let write = |writer: i64| {
        let store = store(database);
        async move {
            for round in 0..10 {
                let number = 100 + writer * 100 + round * 2;
                let entries = [entry(number), entry(number + 1)];
                store.append(&entries, None).await.unwrap();
            }
        }
    };
    futures_util::future::join_all((0..6).map(write)).await;
    let verified = store(database).verify(&Anchors::default()).await.unwrap();
    assert_eq!(verified.head.seq, before + 120);
    let kept = all(&store(database)).await;
    for writer in 0..6 {
        let (least, most) = (entry(100 + writer * 100), entry(100 + writer * 100 + 19));
        let own = kept.iter().map(|kept| &kept.entry);
        let own: Vec<_> = own
            .filter(|entry| (least.time..=most.time).contains(&entry.time))
            .collect();
        assert_eq!(own.len(), 20);
        assert!(own.is_sorted_by_key(|entry| entry.time), "in their order");
    }
}

async fn what_is_too_old_goes_and_the_rest_still_verifies(database: &Database) {
    let store = store(database);
    let head = store.head().await.unwrap();
    let before = all(&store).await;
    let now = entry(5_000).time;
    assert_eq!(store.trim(entry(1).time, now).await.unwrap(), 0);
    assert_eq!(
        store.head().await.unwrap(),
        head,
        "nothing to do, nothing to tell"
    );
    assert_eq!(store.trim(entry(5).time, now).await.unwrap(), 4);
    let verified = store.verify(&Anchors::default()).await.unwrap();
    assert_eq!((verified.removed, verified.entries), (4, head.seq + 1 - 4));
    let kept = all(&store).await;
    assert_eq!(kept[0], before[4]);
    let told = &kept.last().unwrap().entry;
    assert_eq!(
        (told.action.as_str(), told.detail.as_deref()),
        ("audit-trim", Some("4"))
    );
    // All of it, however late it is said to be, and then a new entry.
    let later = entry(9_000).time;
    store.trim(later, later).await.unwrap();
    store.append(&[entry(1)], None).await.unwrap();
    let verified = store.verify(&Anchors::default()).await.unwrap();
    assert_eq!(verified.entries, 2);
    // What was known of a removed one cannot be held against it any more.
    let anchors = before.iter().map(|kept| (kept.seq, kept.hash)).collect();
    assert_eq!(store.verify(&anchors).await.unwrap().anchors, 0);
}
