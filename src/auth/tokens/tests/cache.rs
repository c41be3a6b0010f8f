//! What is remembered of tokens, and for how long.

use super::*;
use crate::keys::ring::SHOWN_FIRST;

/// The first part of a token, which names its key.
fn head(token: &SecretText) -> &str {
    token.expose().split_once('.').unwrap().0
}

#[test]
fn a_verified_token_is_not_verified_twice_and_its_times_always_count() {
    let bench = Bench::new();
    let token = bench.mint();
    let at = |now: Timestamp| bench.tokens.identify(token.expose(), now);
    let first = at(NOW).unwrap();
    assert!(Arc::ptr_eq(&first, &at(NOW).unwrap()));
    assert_eq!(
        at(NOW.minus(Duration::from_secs(31))).err(),
        Some(TokenError::NotYetValid)
    );
    let end = NOW.plus(ACCESS + LEEWAY);
    assert!(Arc::ptr_eq(
        &first,
        &at(end.minus(Duration::from_millis(1))).unwrap()
    ));
    assert_eq!(at(end).err(), Some(TokenError::Expired));
    assert_eq!(bench.tokens.cache.len(), 0);
    assert_eq!(at(end).err(), Some(TokenError::Expired));
}

#[test]
fn bad_tokens_push_nothing_out_of_the_cache() {
    let bench = Bench::new();
    let good = bench.mint();
    let first = bench.identify(good.expose()).unwrap();
    let (input, _signature) = good.expose().rsplit_once('.').unwrap();
    for number in 0..=255 {
        let bad = format!("{input}.{}", URL_SAFE_NO_PAD.encode([number; 64]));
        assert_eq!(bench.identify(&bad).err(), Some(TokenError::Signature));
        let expired = bench.own(&json!({"exp": number}));
        assert_eq!(bench.identify(&expired).err(), Some(TokenError::Expired));
    }
    assert_eq!(bench.tokens.cache.len(), 1);
    assert!(Arc::ptr_eq(&first, &bench.identify(good.expose()).unwrap()));
}

/// The signature alone finds the entry; it speaks for nothing but what it signs.
#[test]
fn other_claims_under_a_remembered_signature_are_refused_and_push_nothing_out() {
    let bench = Bench::new();
    let (good, other) = (bench.mint(), bench.own(&json!({"sub": "somebody-else"})));
    let first = bench.identify(good.expose()).unwrap();
    let (_, signature) = good.expose().rsplit_once('.').unwrap();
    let (claims, _) = other.rsplit_once('.').unwrap();
    for forged in [
        format!("{claims}.{signature}"),
        format!("{claims}{claims}.{signature}"),
        format!(".{signature}"),
        signature.to_owned(),
    ] {
        assert!(bench.identify(&forged).is_err(), "{forged}");
    }
    assert!(Arc::ptr_eq(&first, &bench.identify(good.expose()).unwrap()));
}

#[test]
fn the_cache_is_bounded() {
    let bench = Bench::new();
    for number in 0..300 {
        bench
            .identify(&bench.foreign(&json!({"jti": number})))
            .unwrap();
    }
    assert!(bench.tokens.cache.len() <= 100);
}

#[test]
fn a_rotation_empties_what_it_touches_and_no_more() {
    let bench = Bench::new();
    let (own, foreign) = (bench.mint(), bench.foreign(&json!({})));
    let own_before = bench.identify(own.expose()).unwrap();
    let foreign_before = bench.identify(&foreign).unwrap();
    let path = ring_path(&bench.directory);
    bench.tokens.own.take(&file::load(&path).unwrap(), NOW);
    assert!(Arc::ptr_eq(
        &own_before,
        &bench.identify(own.expose()).unwrap()
    ));
    bench
        .tokens
        .own
        .take(&file::rotate(&path, rotation(NOW)).unwrap(), NOW);
    assert!(!Arc::ptr_eq(
        &own_before,
        &bench.identify(own.expose()).unwrap()
    ));
    assert!(Arc::ptr_eq(
        &foreign_before,
        &bench.identify(&foreign).unwrap()
    ));
    // A ring that has lost the key: the token is refused though it was verified before.
    let stranger = KeyRing::generate(SigningAlgorithm::Es256, NOW).unwrap();
    bench.tokens.own.take(&stranger, NOW);
    assert_eq!(
        bench.identify(own.expose()).err(),
        Some(TokenError::UnknownKey)
    );
}

#[test]
fn after_a_rotation_old_tokens_live_out_and_new_ones_have_the_new_key() {
    let bench = Bench::new();
    let old = bench.mint();
    // What whoever stole the old key could make.
    let forged = bench.own(&json!({"exp": exp() + 1_000_000}));
    let path = ring_path(&bench.directory);
    bench
        .tokens
        .own
        .take(&file::rotate(&path, rotation(NOW)).unwrap(), NOW);
    // Until every replica has the new key, the old one signs.
    let still_old = bench.mint();
    assert_eq!(head(&still_old), head(&old));
    let retired = NOW.plus(SHOWN_FIRST);
    let new = bench.mint_at(retired);
    assert_ne!(head(&new), head(&old));
    let over = retired.plus(ACCESS + LEEWAY);
    let last = over.minus(Duration::from_millis(1));
    for token in [new.expose(), &forged] {
        assert!(bench.tokens.identify(token, last).is_ok());
    }
    assert_eq!(
        bench.tokens.identify(&forged, over).err(),
        Some(TokenError::UnknownKey)
    );
    // HS256 verifies here and is not in the public set.
    assert!(!bench.tokens.jwks().windows(5).any(|part| part == b"HS256"));
}
