//! Writing behind the requests: who waits, what waits, and what is told when it cannot be kept.

use std::sync::Arc;

use doorward::audit::lines::{LineChain, Lines};
use doorward::audit::verify::Anchors;
use doorward::audit::{Audit, Counters, Writer};
use doorward::clock::{ManualClock, SharedClock};
use doorward::logs::{LineLog, LogTarget};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use serde_json::Value;
use tempfile::TempDir;

use super::*;

/// As many as may wait.
const MAX_WAITING: usize = 16 * 1024;

/// An audit trail on a database, with a log beside it.
struct Desk {
    audit: Audit,
    store: AuditStore,
    lines: LineLog,
    missing: Counter,
    waiting: Gauge,
    directory: TempDir,
}

impl Desk {
    fn on(database: &Database) -> (Self, Writer) {
        let directory = tempfile::tempdir().unwrap();
        let clock: SharedClock = ManualClock::at(START);
        let target = LogTarget::File(directory.path().join("audit.log"));
        let chain = Box::new(LineChain::new(keys(1)));
        let parts = (Arc::clone(&clock), Counter::default());
        let lines = LineLog::open_sealed(target, parts, chain).unwrap();
        let (missing, waiting) = (Counter::default(), Gauge::default());
        let counters = Counters::new(missing.clone(), waiting.clone());
        let (audit, writer) = Audit::new(lines.clone(), clock).kept(store(database), counters);
        let desk = Self {
            audit,
            store: store(database),
            lines,
            missing,
            waiting,
            directory,
        };
        (desk, writer)
    }

    /// The lines of the log, which verify, and what they know of the table.
    fn logged(&self) -> (Vec<Value>, Anchors) {
        self.lines.flush(Duration::from_secs(20));
        let text = std::fs::read_to_string(self.directory.path().join("audit.log")).unwrap();
        let mut lines = Lines::default();
        lines.verify(text.as_bytes(), &keys(1)).unwrap();
        let read = text.lines().map(|line| serde_json::from_str(line).unwrap());
        (read.collect(), lines.anchors)
    }

    async fn kept_users(&self) -> Vec<String> {
        let kept = all(&self.store).await.into_iter();
        kept.filter_map(|kept| kept.entry.user).collect()
    }
}

fn users(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("u-{number}")).collect()
}

#[tokio::test]
async fn what_is_recorded_is_kept_in_order_and_the_log_knows_where() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite(directory.path()).await;
    let (desk, writer) = Desk::on(&database);
    let running = tokio::spawn(writer.run());
    for user in users(0..1000) {
        desk.audit.record(&event(&user));
    }
    desk.audit.flush().await.unwrap();
    assert_eq!(desk.kept_users().await, users(0..1000));
    let (lines, anchors) = desk.logged();
    assert_eq!(lines.len(), 1000);
    assert!(lines.iter().all(|line| line.get("kept").is_none()));
    assert_eq!(desk.store.verify(&anchors).await.unwrap().anchors, 1000);
    // It needs nobody to ask for it.
    desk.audit.record(&event("late"));
    let mut interval = tokio::time::interval(Duration::from_millis(5));
    for _ in 0..2000 {
        interval.tick().await;
        if desk.store.head().await.unwrap().seq == 1001 {
            drop(desk.audit);
            return running.await.unwrap();
        }
    }
    panic!("never written");
}

#[tokio::test]
async fn what_was_recorded_durably_is_kept_when_it_returns() {
    let server = PostgresServer::start();
    let (desk, writer) = Desk::on(&server.database());
    let _running = tokio::spawn(writer.run());
    for number in 1..4 {
        desk.audit.record_durably(&event("u-1")).await.unwrap();
        assert_eq!(desk.store.head().await.unwrap().seq, number);
    }
}

#[tokio::test]
async fn two_replicas_write_one_trail_in_postgres() {
    let server = PostgresServer::start();
    let desks: Vec<_> = (0..2).map(|_| Desk::on(&server.database())).collect();
    let mut audits = Vec::new();
    for (desk, writer) in desks {
        tokio::spawn(writer.run());
        audits.push(desk);
    }
    let record = async |replica: usize| {
        for number in 0..200 {
            let user = format!("u-{replica}-{number}");
            audits[replica].audit.record(&event(&user));
            if number % 50 == 0 {
                audits[replica]
                    .audit
                    .record_durably(&event("x"))
                    .await
                    .unwrap();
            }
        }
        audits[replica].audit.flush().await.unwrap();
    };
    futures_util::future::join(record(0), record(1)).await;
    for desk in &audits {
        let (lines, anchors) = desk.logged();
        assert_eq!(lines.len(), 204);
        let verified = desk.store.verify(&anchors).await.unwrap();
        assert_eq!((verified.entries, verified.anchors), (408, 204));
    }
}

#[tokio::test]
async fn a_full_queue_makes_nobody_wait_and_the_trail_tells_of_its_gap() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite(directory.path()).await;
    let (desk, writer) = Desk::on(&database);
    // The writer does not run: nothing leaves the queue.
    for user in users(0..MAX_WAITING + 5) {
        desk.audit.record(&event(&user));
    }
    assert_eq!(desk.missing.get(), 5);
    let (lines, _) = desk.logged();
    let told = lines
        .iter()
        .map(|line| line["user"].as_str().unwrap().to_owned());
    assert_eq!(
        told.collect::<Vec<_>>(),
        users(MAX_WAITING..MAX_WAITING + 5)
    );
    assert!(lines.iter().all(|line| line["kept"] == false));
    let _running = tokio::spawn(writer.run());
    desk.audit.flush().await.unwrap();
    assert_eq!(desk.kept_users().await, users(0..MAX_WAITING));
    let kept = all(&desk.store).await;
    let gaps = kept.iter().filter(|kept| kept.entry.is(Action::AuditGap));
    let gaps: Vec<_> = gaps.map(|kept| kept.entry.detail.as_deref()).collect();
    assert_eq!(gaps, [Some("5")]);
    desk.store.verify(&Anchors::default()).await.unwrap();
}

#[tokio::test]
async fn entries_wait_for_a_database_that_is_away_and_the_log_has_them_meanwhile() {
    let mut server = PostgresServer::start();
    let (desk, writer) = Desk::on(&server.database());
    let _running = tokio::spawn(writer.run());
    desk.audit.record_durably(&event("u-0")).await.unwrap();
    server.stop();
    for user in users(1..4) {
        desk.audit.record(&event(&user));
    }
    assert!(desk.audit.record_durably(&event("u-4")).await.is_err());
    assert_eq!(desk.waiting.get(), 4);
    let (lines, _) = desk.logged();
    let kept: Vec<_> = lines.iter().map(|line| line.get("kept").cloned()).collect();
    let no = || Some(Value::Bool(false));
    assert_eq!(kept, [None, no(), no(), no(), no()]);
    server.start_again();
    // By itself, as soon as it is asked again.
    let mut interval = tokio::time::interval(Duration::from_millis(20));
    while desk.waiting.get() > 0 {
        interval.tick().await;
    }
    assert_eq!(desk.kept_users().await, users(0..5));
    desk.audit.record_durably(&event("u-5")).await.unwrap();
    let (lines, anchors) = desk.logged();
    assert_eq!(lines.len(), 6, "none twice");
    assert_eq!(desk.missing.get(), 0);
    assert_eq!(desk.store.verify(&anchors).await.unwrap().entries, 6);
}
