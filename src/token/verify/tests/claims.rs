//! What a signed token must say, and must not.

use super::*;

#[test]
fn the_issuer_is_the_expected_one_exactly() {
    let bench = Bench::new();
    for iss in [
        json!(null),
        json!(""),
        json!(1),
        json!([ISSUER]),
        json!(format!("{ISSUER}/")),
        json!("https://GW.example.com"),
        json!("http://gw.example.com"),
    ] {
        let outcome = bench.with_claims(&json!({"iss": iss}));
        assert_eq!(outcome, Err(TokenError::Issuer), "{iss}");
    }
}

#[test]
fn the_audience_names_us() {
    let bench = Bench::new();
    for aud in [json!("shop"), json!(["shop"]), json!(["other", "shop"])] {
        assert_eq!(bench.with_claims(&json!({"aud": aud})), Ok(()), "{aud}");
    }
    for aud in [
        json!(null),
        json!(""),
        json!([]),
        json!("other"),
        json!(["other"]),
        json!("Shop"),
        json!("shop other"),
        json!("shop,other"),
        json!(["shop", 1]),
        json!([["shop"]]),
        json!({"shop": true}),
        json!(1),
        json!(true),
    ] {
        let outcome = bench.with_claims(&json!({"aud": aud}));
        assert_eq!(outcome, Err(TokenError::Audience), "{aud}");
    }
    let nobody = Bench {
        audiences: [String::new()],
        ..Bench::new()
    };
    let text = signed(&nobody.es, &es256(), &claims(&json!({"aud": []})));
    assert_eq!(nobody.verify(&text).err(), Some(TokenError::Audience));
}

#[test]
fn a_token_has_an_end_that_is_a_whole_number() {
    let bench = Bench::new();
    let now = NOW.as_seconds();
    let check = |exp: Value, expected: Result<(), TokenError>| {
        assert_eq!(bench.with_claims(&json!({"exp": exp})), expected, "{exp}");
    };
    check(json!(now + 1), Ok(()));
    check(json!(now - 29), Ok(()));
    check(json!(now - 30), Err(TokenError::Expired));
    check(json!(0), Err(TokenError::Expired));
    check(json!(253_402_300_799_i64), Ok(()));
    for exp in [
        json!(null),
        json!(""),
        json!((now + 900).to_string()),
        json!([now + 900]),
        json!(true),
        json!(1.9e9),
        json!(1_900_000_000.5),
        json!(-1),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(1_u64 << 63),
        json!(u64::MAX),
        json!(1e300),
        json!(253_402_300_800_i64),
    ] {
        check(exp, Err(TokenError::Claims));
    }
    // A null that is there, other than one that is not.
    let text = claims(&json!({})).replace(&(now + 900).to_string(), "null");
    let outcome = bench.verify(&signed(&bench.es, &es256(), &text));
    assert_eq!(outcome.err(), Some(TokenError::Claims));
}

#[test]
fn a_token_of_the_future_waits() {
    let bench = Bench::new();
    let now = NOW.as_seconds();
    for name in ["iat", "nbf"] {
        let check = |value: Value, expected: Result<(), TokenError>| {
            assert_eq!(
                bench.with_claims(&json!({name: value})),
                expected,
                "{name} {value}"
            );
        };
        check(json!(null), Ok(()));
        check(json!(now + 30), Ok(()));
        check(json!(now + 31), Err(TokenError::NotYetValid));
        check(json!(1_u64 << 63), Err(TokenError::Claims));
        check(json!(now.to_string()), Err(TokenError::Claims));
        check(json!(-1), Err(TokenError::Claims));
    }
}

#[test]
fn a_token_is_about_somebody() {
    let bench = Bench::new();
    let long = "a".repeat(256);
    for sub in [
        json!(null),
        json!(""),
        json!(1),
        json!("a\r\nx: y"),
        json!("a\0"),
        json!(long),
    ] {
        assert_eq!(
            bench.with_claims(&json!({"sub": sub})),
            Err(TokenError::Claims),
            "{sub}"
        );
    }
    assert_eq!(bench.with_claims(&json!({"sub": "auth0|Zoë"})), Ok(()));
}

#[test]
fn a_refresh_or_id_token_is_no_access_token() {
    let bench = Bench::new();
    for (name, kind) in [
        ("typ", "ID"),
        ("typ", "Refresh"),
        ("typ", "Offline"),
        ("type", "refresh"),
        ("token_use", "id"),
        ("token_type", "refresh_token"),
        ("at_hash", "x"),
        ("c_hash", "x"),
    ] {
        let outcome = bench.with_claims(&json!({name: kind}));
        assert_eq!(outcome, Err(TokenError::Claims), "{name} {kind}");
    }
    for (name, kind) in [
        ("typ", "Bearer"),
        ("token_use", "access"),
        ("type", "access"),
    ] {
        assert_eq!(
            bench.with_claims(&json!({name: kind})),
            Ok(()),
            "{name} {kind}"
        );
    }
}

#[test]
fn where_only_access_tokens_count_the_type_must_say_so() {
    let bench = Bench::new();
    let check = |typ: Value, expected: Result<(), TokenError>| {
        let header = json!({"alg": "ES256", "kid": "es", "typ": typ});
        let text = signed(&bench.es, &header, &claims(&json!({})));
        let expectation = Expected {
            issuer: ISSUER,
            audiences: &bench.audiences,
            types: AcceptedTypes::AccessOnly,
            now: NOW,
            leeway: Duration::ZERO,
        };
        let outcome = UnverifiedToken::parse(&text)
            .and_then(|token| verify(token, &bench.keys, &expectation));
        assert_eq!(outcome.map(|_| ()), expected, "{typ}");
    };
    check(json!("at+jwt"), Ok(()));
    check(json!("application/AT+JWT"), Ok(()));
    check(json!("JWT"), Err(TokenError::Header));
    check(json!("id+jwt"), Err(TokenError::Header));
}

#[test]
fn claims_that_two_readers_read_in_two_ways_are_refused_though_signed() {
    let bench = Bench::new();
    let good = claims(&json!({}));
    let doubled = good.replacen('{', r#"{"sub":"admin","#, 1);
    let escaped = good.replacen('{', r#"{"s\u0075b":"admin","#, 1);
    let inner = good.replacen('{', r#"{"x":[{"a":1,"a":2}],"#, 1);
    let deep = good.replacen(
        '{',
        &format!(r#"{{"x":{}{},"#, "[".repeat(1000), "]".repeat(1000)),
        1,
    );
    for text in [
        doubled,
        escaped,
        inner,
        deep,
        format!("{good}{good}"),
        format!("[{good}]"),
    ] {
        let outcome = bench.verify(&signed(&bench.es, &es256(), &text));
        assert_eq!(outcome.err(), Some(TokenError::Malformed), "{text:.80}");
    }
}
