use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::id::RequestId;
use crate::logs::AccessRecord;
use crate::metrics::requests::Verdict;

const PATIENCE: Duration = Duration::from_secs(20);

fn clock() -> SharedClock {
    ManualClock::at(Timestamp::from_seconds(1_763_696_385))
}

fn open(path: &Path) -> (LineLog, Counter) {
    let lost = Counter::default();
    let target = LogTarget::File(path.to_owned());
    let log = LineLog::open(target, clock(), lost.clone()).unwrap();
    (log, lost)
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn lines_are_appended_in_order_and_flush_waits_for_them() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("access.log");
    fs::write(&path, "{\"old\":true}\n").unwrap();
    let (log, missing) = open(&path);
    for number in 0..1000 {
        log.write(&json!({ "n": number }));
    }
    log.flush(PATIENCE);
    let lines = lines(&path);
    assert_eq!(lines.len(), 1001);
    assert_eq!(lines.first(), Some(&json!({ "old": true })));
    assert_eq!(lines.last(), Some(&json!({ "n": 999 })));
    assert_eq!(missing.get(), 0);
}

#[test]
fn nothing_that_a_client_sends_begins_a_line_of_its_own() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("access.log");
    let (log, _) = open(&path);
    let evil = "/a\r\n{\"status\":200}\u{2028}\u{1b}[2J\"";
    let record = AccessRecord {
        time: Timestamp::from_seconds(1_763_696_385),
        request_id: RequestId::from_bytes([7; 16]),
        client: "192.0.2.1".parse().unwrap(),
        protocol: "h2",
        method: "GET",
        host: "gw.test",
        path: evil,
        status: 404,
        route: None,
        verdict: Verdict::Refused,
        reason: "no-route",
        subject: None,
        upstream: None,
        upstream_ms: None,
        total_ms: 1,
        bytes_in: Some(0),
        bytes_out: 12,
    };
    record.write_to(&log);
    log.flush(PATIENCE);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches('\n').count(), 1, "{text:?}");
    assert!(!text.contains(['\r', '\u{1b}']), "{text:?}");
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["path"], evil);
    assert_eq!(line["time"], "2025-11-21T03:39:45.000Z");
    assert_eq!(line["verdict"], "refused");
    assert!(line.get("route").is_none());
}

#[test]
fn what_does_not_fit_is_lost_counted_and_told() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("access.log");
    let (log, missing) = open(&path);
    let endless = "x".repeat(MAX_BYTES);
    log.write(&json!({ "endless": endless }));
    assert_eq!(missing.get(), 1);
    log.write(&json!({ "n": 1 }));
    log.flush(PATIENCE);
    let lines = lines(&path);
    assert_eq!(lines[0]["lost_lines"], 1);
    assert_eq!(lines[1], json!({ "n": 1 }));
}

#[test]
fn a_pipe_that_nobody_reads_makes_nobody_wait() {
    let lost = Counter::default();
    let log = LineLog::unwritten(lost.clone());
    // Two of them fit.
    let text = "x".repeat(MAX_BYTES / 3);
    for number in 0..5 {
        log.write(&json!({ "n": number, "text": text }));
    }
    assert_eq!(lost.get(), 3);
}

#[test]
fn a_file_that_is_moved_away_is_begun_anew() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("access.log");
    let (log, _) = open(&path);
    log.write(&json!({ "n": 1 }));
    log.flush(PATIENCE);
    let moved = directory.path().join("access.log.1");
    fs::rename(&path, &moved).unwrap();
    // The quiet log finds out by itself.
    let begun = std::time::Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < PATIENCE);
        thread::yield_now();
    }
    log.write(&json!({ "n": 2 }));
    log.flush(PATIENCE);
    assert_eq!(lines(&moved), [json!({ "n": 1 })]);
    assert_eq!(lines(&path), [json!({ "n": 2 })]);
}

#[test]
fn a_log_that_is_off_takes_everything() {
    let log = LineLog::open(LogTarget::Off, clock(), Counter::default()).unwrap();
    log.write(&json!({ "n": 1 }));
    log.flush(Duration::ZERO);
}

#[test]
fn a_file_that_cannot_be_opened_is_told_at_once() {
    let target = LogTarget::File("/nonexistent/access.log".into());
    assert!(LineLog::open(target, clock(), Counter::default()).is_err());
}
