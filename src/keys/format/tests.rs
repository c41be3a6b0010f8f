use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::keys::ring::Rotation;

const MADE: Timestamp = Timestamp::from_millis(1_763_696_385_120);

fn ring() -> KeyRing {
    KeyRing::generate(SigningAlgorithm::Es256, MADE)
        .and_then(|ring| {
            ring.rotated(Rotation {
                algorithm: SigningAlgorithm::Hs256,
                now: MADE,
                retire_after: Duration::from_mins(1),
            })
        })
        .unwrap()
}

#[test]
fn a_ring_reads_back_what_it_was() {
    let ring = ring();
    let text = render(&ring).unwrap();
    let read = parse(text.expose()).unwrap();
    assert_eq!(read.verifying(MADE).unwrap(), ring.verifying(MADE).unwrap());
    assert_eq!(read.jwks(MADE), ring.jwks(MADE));
    assert_eq!(read.newest().created_at(), MADE);
    assert_eq!(render(&read).unwrap().expose(), text.expose());
    let value = ring.session_signer().derive("x").unwrap();
    assert!(read.session_signer().derived("x", &value));
}

#[test]
fn every_mistake_in_a_ring_is_named_without_its_secrets() {
    let check = |pointer: &str, value: Value, expected: &str| {
        let mut text: Value = serde_json::from_str(render(&ring()).unwrap().expose()).unwrap();
        *text.pointer_mut(pointer).unwrap() = value;
        let problem = parse(&text.to_string()).unwrap_err().to_string();
        assert!(problem.contains(expected), "{pointer}: {problem}");
    };
    let other = |number: u32| json!({"version": number});
    check("/version", json!(2), "version is 2");
    check("/keys", json!([]), "no key");
    check("/keys/0/kid", json!(""), "key 1: its kid");
    check("/keys/0/kid", json!("a b"), "key 1: its kid");
    check("/keys/0/algorithm", json!("none"), "key 1: its algorithm");
    check("/keys/0/algorithm", json!("RS512"), "key 1: its algorithm");
    check("/keys/0/key", json!(""), "key 1: it is no key");
    check("/keys/0/key", json!("c2hvcnQ"), "key 1: it is no key");
    check("/keys/0/key", json!("+/=="), "key 1: it is not base64url");
    check("/keys/1/algorithm", json!("EdDSA"), "key 2: it is no key");
    check("/keys/1/retired_at", json!(null), "key 2: retired_at");
    check(
        "/keys/1/created_at",
        json!("today"),
        "key 2: one of its times",
    );
    check("/session_secrets", json!([]), "no session secret");
    check(
        "/session_secrets/0/secret",
        json!("AAAA"),
        "session secret 1: it is shorter",
    );
    check("/keys/0", other(1), "not a key ring in JSON");
}

#[test]
fn the_key_that_signs_is_not_retired_and_no_name_is_taken_twice() {
    let text: Value = serde_json::from_str(render(&ring()).unwrap().expose()).unwrap();
    let with_keys = |keys: Value| {
        let mut text = text.clone();
        text["keys"] = keys;
        parse(&text.to_string()).unwrap_err().to_string()
    };
    let problem = with_keys(json!([text["keys"][1], text["keys"][0]]));
    assert!(problem.contains("must not be retired"), "{problem}");
    let problem = with_keys(json!([text["keys"][0], text["keys"][0]]));
    assert!(problem.contains("that of another key"), "{problem}");
}

#[test]
fn half_a_ring_is_no_ring() {
    let text = render(&ring()).unwrap();
    let text = text.expose().trim_end();
    for cut in [0, 1, text.len() / 2, text.len() - 1] {
        assert!(parse(text.get(..cut).unwrap()).is_err(), "{cut}");
    }
    assert_eq!(parse(" \n").err(), Some(RingError::Empty));
    assert!(matches!(parse("{}"), Err(RingError::Json { .. })));
}
