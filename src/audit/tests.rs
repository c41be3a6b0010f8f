use prometheus_client::metrics::counter::Counter;
use serde_json::{Value, json};

use super::entry::shown;
use super::lines::{BrokenLine, LineChain, Lines};
use super::seal::{Hash, SealKeys};
use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::logs::{LineSeal as _, LogTarget};
use crate::secret::SecretBytes;

const TIME: Timestamp = Timestamp::from_seconds(1_763_696_385);

fn event<'a>() -> Event<'a> {
    Event {
        action: Action::AdminSignIn,
        outcome: Outcome::Refused,
        reason: "wrong-password",
        actor: Some("a@b.c\r\n{}"),
        user: None,
        session: None,
        address: Some("192.0.2.1".parse().unwrap()),
        request_id: None,
        api_key: None,
    }
}

fn keys(byte: u8) -> SealKeys {
    SealKeys::new(&[SecretBytes::new(vec![byte; 32])]).unwrap()
}

#[test]
fn an_event_is_one_line_with_its_time() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("audit.log");
    let clock = ManualClock::at(TIME);
    let target = LogTarget::File(path.clone());
    let log = LineLog::open(target, clock.clone(), Counter::default()).unwrap();
    let audit = Audit::new(log.clone(), clock);
    audit.record(&event());
    log.flush(Duration::from_secs(20));
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    let line: Value = serde_json::from_str(&text).unwrap();
    let expected = json!({
        "time": "2025-11-21T03:39:45.000Z",
        "action": "admin-sign-in",
        "outcome": "refused",
        "reason": "wrong-password",
        "actor": "a@b.c\r\n{}",
        "address": "192.0.2.1",
    });
    assert_eq!(line, expected);
}

#[test]
fn a_field_is_bounded_and_holds_what_both_databases_keep() {
    let long = format!("\0{}", "x".repeat(5000));
    let entry = Entry::of(
        &Event {
            actor: Some(&long),
            ..event()
        },
        TIME,
    );
    let actor = entry.actor.unwrap();
    assert_eq!(actor.chars().count(), 320);
    assert!(actor.starts_with("\u{fffd}xx"));
}

#[test]
fn what_could_trick_a_terminal_is_shown_escaped() {
    assert_eq!(shown("zoë@example.com"), "zoë@example.com");
    for evil in ["a\u{1b}[2J", "a\nb", "a\u{202e}b", "a\u{200b}b"] {
        let told = shown(evil);
        assert!(told.contains('\\') && !told.contains(['\u{1b}', '\n', '\u{202e}', '\u{200b}']));
    }
}

#[test]
fn no_two_entries_have_the_same_bytes() {
    let entry = Entry::of(&event(), TIME);
    let mut others = vec![
        entry.canonical(1),
        entry.canonical(2),
        Entry::of(&event(), Timestamp::from_seconds(1)).canonical(1),
    ];
    let text = || Some("x".to_owned());
    let empty = || Some(String::new());
    let base = || Entry {
        actor: None,
        address: None,
        ..entry.clone()
    };
    others.extend(
        [
            base(),
            Entry {
                actor: empty(),
                ..base()
            },
            Entry {
                actor: text(),
                ..base()
            },
            Entry {
                user: text(),
                ..base()
            },
            Entry {
                session: text(),
                ..base()
            },
            Entry {
                address: text(),
                ..base()
            },
            Entry {
                request_id: text(),
                ..base()
            },
            Entry {
                detail: text(),
                ..base()
            },
            Entry {
                action: "x".into(),
                ..base()
            },
            Entry {
                outcome: "x".into(),
                ..base()
            },
            Entry {
                reason: "x".into(),
                ..base()
            },
        ]
        .map(|entry| entry.canonical(1)),
    );
    let count = others.len();
    others.sort();
    others.dedup();
    assert_eq!(others.len(), count);
}

#[test]
fn a_hash_reads_back_what_it_prints() {
    let hash = Hash::from_slice(&[0xa7; 32]).unwrap();
    assert_eq!(hash.to_string().parse(), Ok(hash));
    for bad in ["", "a7", &"a".repeat(63), &"g".repeat(64), &"a".repeat(66)] {
        assert!(bad.parse::<Hash>().is_err(), "{bad}");
    }
}

/// Five lines, the last two of another process.
fn log() -> Vec<String> {
    let mut text = Vec::new();
    for count in [3, 2] {
        let mut chain = LineChain::new(keys(1));
        for number in 0..count {
            let mut line = format!("{{\"n\":{number}}}\n").into_bytes();
            chain.seal(&mut line);
            text.push(String::from_utf8(line).unwrap());
        }
    }
    text
}

fn verify(lines: &[String]) -> Result<Lines, BrokenLine> {
    let mut found = Lines::default();
    found.verify(lines.concat().as_bytes(), &keys(1))?;
    Ok(found)
}

#[test]
fn sealed_lines_are_good_json_and_verify_over_several_files() {
    let log = log();
    for line in &log {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["hash"].is_string() && line["line"].is_u64(), "{line}");
    }
    let found = verify(&log).unwrap();
    assert_eq!((found.sealed, found.unsealed, found.continued), (5, 0, 0));
    let mut found = Lines::default();
    found
        .verify(log[..2].concat().as_bytes(), &keys(1))
        .unwrap();
    found
        .verify(log[2..].concat().as_bytes(), &keys(1))
        .unwrap();
    assert_eq!((found.sealed, found.continued), (5, 0));
    assert_eq!(verify(&log[1..]).unwrap().continued, 1);
    let before = ["{\"old\":1}\n".to_owned()];
    assert_eq!(verify(&[&before[..], &log].concat()).unwrap().unsealed, 1);
}

#[test]
fn every_way_to_tamper_with_lines_shows() {
    let log = log();
    let tampered = |tamper: &dyn Fn(&mut Vec<String>)| {
        let mut log = log.clone();
        tamper(&mut log);
        verify(&log).err().unwrap().to_string()
    };
    let altered = tampered(&|log| log[1] = log[1].replace("\"n\":1", "\"n\":7"));
    assert!(altered.starts_with("line 2 was changed"), "{altered}");
    assert!(tampered(&|log| drop(log.remove(1))).starts_with("before line 2 "));
    assert!(tampered(&|log| log.swap(0, 1)).starts_with("before line 2 "));
    assert!(tampered(&|log| log.insert(2, log[0].clone())).starts_with("before line 3 "));
    assert!(tampered(&|log| log.insert(2, "{\"n\":5}\n".into())).starts_with("line 3 has no seal"));
    let mut foreign = b"{\"n\":9}\n".to_vec();
    LineChain::new(keys(2)).seal(&mut foreign);
    let foreign = String::from_utf8(foreign).unwrap();
    assert!(tampered(&|log| log.push(foreign.clone())).starts_with("line 6 was changed"));
}
