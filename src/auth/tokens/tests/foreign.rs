//! Tokens of other issuers.

use super::*;

#[test]
fn the_admin_of_another_issuer_is_an_admin_here_only_by_rule() {
    let rule = AdminClaim {
        claim: "realm_access.roles".to_owned(),
        test: ClaimTest::Contains(json!("shop-admin")),
    };
    let check = |rule: Option<&AdminClaim>, claims: Value, expected: &[&str]| {
        let bench = Bench::with_admin_rule(rule.cloned());
        let found = bench.identify(&bench.foreign(&claims)).unwrap();
        let roles: Vec<&str> = found.roles.iter().map(|role| &**role).collect();
        assert_eq!(roles, expected, "{rule:?} {claims}");
        assert_eq!(found.session, None);
    };
    check(None, json!({}), &[]);
    check(None, json!({"roles": ["admin", "editor"]}), &["editor"]);
    check(None, json!({"roles": ["Admin", "ADMIN"]}), &[]);
    check(None, json!({"role": "admin"}), &[]);
    check(None, json!({"roles": "b", "role": "a"}), &["a", "b"]);
    check(
        None,
        json!({"roles": ["a,admin", "a admin", "a;b", "a\nb", "", 1]}),
        &[],
    );
    let admin = json!({"realm_access": {"roles": ["shop-admin"]}, "roles": ["x"]});
    check(None, admin.clone(), &["x"]);
    check(Some(&rule), admin, &["admin", "x"]);
    check(
        Some(&rule),
        json!({"roles": ["admin", "shop-admin"]}),
        &["shop-admin"],
    );
    check(
        Some(&rule),
        json!({"realm_access": {"roles": "my shop-admin"}}),
        &["admin"],
    );
    check(
        Some(&rule),
        json!({"realm_access": {"roles": "shop-admins"}}),
        &[],
    );
    let own_roles = AdminClaim {
        claim: "roles".to_owned(),
        test: ClaimTest::Contains(json!("admin")),
    };
    check(Some(&own_roles), json!({"roles": ["admin"]}), &["admin"]);
    let dotted = AdminClaim {
        claim: "https://x.example/level".to_owned(),
        test: ClaimTest::OneOf(vec![json!(8), json!(9)]),
    };
    check(
        Some(&dotted),
        json!({"https://x.example/level": 9}),
        &["admin"],
    );
    check(Some(&dotted), json!({"https://x.example/level": 7}), &[]);
    let equals = AdminClaim {
        claim: "a.b".to_owned(),
        test: ClaimTest::Equals(json!(true)),
    };
    check(Some(&equals), json!({"a": {"b": true}}), &["admin"]);
    check(Some(&equals), json!({"a": {"b": "true"}}), &[]);
    check(Some(&equals), json!({"a": "b"}), &[]);
}

#[test]
fn scopes_and_addresses_of_other_issuers_are_read_as_they_are_written() {
    let bench = Bench::new();
    let found = |claims: Value| bench.identify(&bench.foreign(&claims)).unwrap();
    for claims in [
        json!({"scope": "read write"}),
        json!({"scp": ["read", "write"]}),
    ] {
        let found = found(claims);
        assert_eq!(
            found.scopes,
            ["read".into(), "write".into()] as [Box<str>; 2]
        );
    }
    let email = |claims: Value| found(claims).email.clone();
    assert_eq!(email(json!({"email": "a@b.c"})).as_deref(), Some("a@b.c"));
    assert!(email(json!({"email": "a@b.c", "email_verified": true})).is_some());
    assert!(email(json!({"email": "a@b.c", "email_verified": false})).is_none());
    assert!(email(json!({"email": "a@b.c", "email_verified": "false"})).is_none());
    assert!(email(json!({"email": "a@b.c\r\nx: y"})).is_none());
    assert!(email(json!({"email": ["a@b.c"]})).is_none());
}

#[test]
fn keys_that_are_too_old_verify_nothing_not_even_what_they_verified() {
    let bench = Bench::new();
    let token = bench.foreign(&json!({"exp": exp() + 100_000}));
    let at = |now: Timestamp| bench.tokens.identify(&token, now).map(|_| ());
    let stale = NOW.plus(Duration::from_hours(1));
    assert_eq!(at(NOW), Ok(()));
    assert_eq!(at(stale), Ok(()));
    let too_stale = stale.plus(Duration::from_millis(1));
    assert_eq!(at(too_stale), Err(TokenError::KeysUnavailable));
    let fresh = bench.foreign(&json!({"exp": exp() + 100_001}));
    let outcome = bench.tokens.identify(&fresh, too_stale);
    assert_eq!(outcome.err(), Some(TokenError::KeysUnavailable));
    // Ours do not depend on others.
    assert_eq!(bench.identify(bench.mint().expose()).err(), None);
}

#[test]
fn keys_that_never_came_are_not_no_keys() {
    let url = JwksSource::Url("http://127.0.0.1:1/jwks".parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(
        KeySource::Kept(ring_path(&directory)),
        vec![issuer(url, None)],
    );
    let tokens = Tokens::start(settings, ManualClock::at(NOW)).unwrap();
    let bench = Bench::new();
    let outcome = tokens.identify(&bench.foreign(&json!({})), NOW);
    assert_eq!(outcome.err(), Some(TokenError::KeysUnavailable));
}

#[test]
fn settings_that_could_let_a_stranger_in_do_not_start() {
    let directory = tempfile::tempdir().unwrap();
    let start = |issuers: Vec<IssuerConfig>| {
        let settings = settings(KeySource::Kept(ring_path(&directory)), issuers);
        Tokens::start(settings, ManualClock::at(NOW)).unwrap_err()
    };
    let url = |url: &str| issuer(JwksSource::Url(url.parse().unwrap()), None);
    let here = url("http://127.0.0.1:1/jwks");
    let error = start(vec![here.clone(), here.clone()]);
    assert!(matches!(error, KeyError::IssuerTwice(_)), "{error}");
    let error = start(vec![IssuerConfig {
        issuer: OWN.to_owned(),
        ..here
    }]);
    assert!(matches!(error, KeyError::IssuerTwice(_)), "{error}");
    let error = start(vec![url("http://id.example.com/jwks")]);
    assert!(matches!(error, KeyError::InsecureUrl { .. }), "{error}");
    let jwks = directory.path().join("jwks.json");
    let error = start(vec![issuer(JwksSource::File(jwks.clone()), None)]);
    assert!(matches!(error, KeyError::File { .. }), "{error}");
    for text in ["", "{}", r#"{"keys":[]}"#] {
        std::fs::write(&jwks, text).unwrap();
        let error = start(vec![issuer(JwksSource::File(jwks.clone()), None)]);
        assert!(matches!(error, KeyError::IssuerFile { .. }), "{error}");
    }
    // And no ring was made on the way.
    assert!(!ring_path(&directory).exists());
}

#[test]
fn an_issuer_that_is_replaced_is_judged_by_its_new_settings_alone() {
    let bench = Bench::new();
    let token = bench.foreign(&json!({}));
    let before = bench.identify(&token).unwrap();
    let jwks = JwksSource::File(bench.directory.path().join("jwks.json"));
    let same = issuer(jwks, None);
    let replace = |issuers: &[IssuerConfig]| bench.tokens.replace(forms::forms(), issuers);
    replace(std::slice::from_ref(&same)).unwrap();
    let after = bench.identify(&token).unwrap();
    assert!(Arc::ptr_eq(&before, &after), "nothing was verified anew");

    let own = IssuerConfig {
        issuer: OWN.to_owned(),
        ..same.clone()
    };
    assert!(replace(&[own]).is_err());
    assert!(replace(&[same.clone(), same.clone()]).is_err());
    assert!(bench.identify(&token).is_ok(), "a mistake changes nothing");

    let admin = AdminClaim {
        claim: "sub".to_owned(),
        test: ClaimTest::Equals(json!("u")),
    };
    let promoted = IssuerConfig {
        admin: Some(admin),
        ..same.clone()
    };
    replace(&[promoted]).unwrap();
    assert!(bench.identify(&token).unwrap().has_role("admin"));
    let elsewhere = IssuerConfig {
        audiences: vec!["warehouse".to_owned()],
        ..same
    };
    replace(&[elsewhere]).unwrap();
    assert_eq!(bench.identify(&token).err(), Some(TokenError::Audience));
    replace(&[]).unwrap();
    assert_eq!(bench.identify(&token).err(), Some(TokenError::Issuer));
}
