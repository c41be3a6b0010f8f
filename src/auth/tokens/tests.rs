use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::clock::ManualClock;
use crate::id::SessionId;
use crate::keys::ring::{KeyRing, Rotation};
use crate::keys::{AdminClaim, JwksSource, file};
use crate::policy::ClaimTest;
use crate::token::algorithm::Algorithm;
use crate::token::signing::PrivateKey;
use crate::user::{Email, JsonObject, Role};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const OWN: &str = "https://gw.example.com";
const OTHER: &str = "https://id.example.com";
const ACCESS: Duration = Duration::from_mins(15);
const LEEWAY: Duration = Duration::from_secs(30);

/// A gateway with a kept ring, and one issuer whose keys are in a file.
struct Bench {
    directory: TempDir,
    other: PrivateKey,
    tokens: Arc<Tokens>,
}

impl Bench {
    fn new() -> Self {
        Self::with_admin_rule(None)
    }

    fn with_admin_rule(admin: Option<AdminClaim>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let other = private(Algorithm::EdDsa);
        let jwks = directory.path().join("jwks.json");
        write_jwks(&jwks, &other, "o1");
        let issuer = issuer(JwksSource::File(jwks), admin);
        let settings = settings(KeySource::Kept(ring_path(&directory)), vec![issuer]);
        let tokens = Tokens::start(settings, ManualClock::at(NOW)).unwrap();
        Self {
            directory,
            other,
            tokens,
        }
    }

    fn mint(&self) -> SecretText {
        self.tokens.mint(claims(JsonObject::new())).unwrap()
    }

    /// A token of ours, but with these claims changed; null takes one out.
    fn own(&self, changes: &Value) -> String {
        let ring = file::load(&ring_path(&self.directory)).unwrap();
        let header = json!({"alg": "ES256", "kid": ring.signing().kid(), "typ": "at+jwt"});
        let session = SessionId::from_bytes([7; 16]).to_string();
        let claims = json!({
            "iss": OWN, "aud": "gw", "sub": "u", "sid": session, "roles": [], "exp": exp(),
        });
        signed(ring.signing().private(), &header, &changed(claims, changes))
    }

    fn foreign(&self, changes: &Value) -> String {
        let header = json!({"alg": "EdDSA", "kid": "o1"});
        let claims = json!({"iss": OTHER, "aud": "shop", "sub": "u", "exp": exp()});
        signed(&self.other, &header, &changed(claims, changes))
    }

    fn identify(&self, token: &str) -> Result<Arc<Identity>, TokenError> {
        self.tokens.identify(token, NOW)
    }
}

fn exp() -> i64 {
    NOW.plus(ACCESS).as_seconds()
}

fn ring_path(directory: &TempDir) -> PathBuf {
    directory.path().join("keys.json")
}

fn private(algorithm: Algorithm) -> PrivateKey {
    let bytes = PrivateKey::generate(algorithm).unwrap();
    PrivateKey::read(algorithm, &bytes).unwrap()
}

fn write_jwks(path: &Path, key: &PrivateKey, kid: &str) {
    let mut jwk = key.public().unwrap().to_jwk();
    jwk.insert("kid".to_owned(), json!(kid));
    std::fs::write(path, json!({"keys": [jwk]}).to_string()).unwrap();
}

fn issuer(jwks: JwksSource, admin: Option<AdminClaim>) -> IssuerConfig {
    IssuerConfig {
        issuer: OTHER.to_owned(),
        jwks,
        audiences: vec!["shop".to_owned()],
        admin,
        refresh: Duration::from_mins(10),
        refresh_min: Duration::from_mins(1),
        stale_max: Duration::from_hours(1),
    }
}

fn settings(keys: KeySource, issuers: Vec<IssuerConfig>) -> Settings {
    Settings {
        issuer: OWN.to_owned(),
        audience: "gw".to_owned(),
        algorithm: SigningAlgorithm::Es256,
        keys,
        leeway: LEEWAY,
        issuers,
        cache_entries: 100,
    }
}

fn claims(extra: JsonObject) -> Claims {
    Claims {
        subject: "u".to_owned(),
        session: SessionId::from_bytes([7; 16]),
        roles: ["editor", "admin"]
            .map(|role| Role::parse(role).unwrap())
            .into_iter()
            .collect(),
        email: Email::parse("alice@example.com").ok(),
        methods: vec!["pwd"],
        issued_at: NOW,
        expires_at: NOW.plus(ACCESS),
        extra,
    }
}

fn changed(mut claims: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    claims
}

fn signed(key: &PrivateKey, header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn rotation(now: Timestamp) -> Rotation {
    Rotation {
        algorithm: SigningAlgorithm::Hs256,
        now,
        retire_after: ACCESS + LEEWAY,
    }
}

#[test]
fn a_minted_token_says_who_it_speaks_for() {
    let bench = Bench::new();
    let found = bench.identify(bench.mint().expose()).unwrap();
    assert_eq!(found.issuer, Issuer::Own);
    assert_eq!(&*found.subject, "u");
    assert_eq!(found.session, Some(SessionId::from_bytes([7; 16])));
    assert_eq!(found.email.as_deref(), Some("alice@example.com"));
    assert_eq!(
        found.roles,
        ["admin".into(), "editor".into()] as [Box<str>; 2]
    );
    assert_eq!(found.expires_at, NOW.plus(ACCESS));
    assert_eq!(found.claims["role"], "admin");
    assert_eq!(found.claims["amr"], json!(["pwd"]));
    for name in [
        "iss", "aud", "sub", "sid", "iat", "nbf", "exp", "jti", "email",
    ] {
        assert!(found.claims.contains_key(name), "{name}");
    }
    let one = &found.claims["jti"];
    let other = &bench.identify(bench.mint().expose()).unwrap().claims["jti"];
    assert_ne!(one, other);
}

#[test]
fn a_dialect_adds_claims_and_replaces_none() {
    let bench = Bench::new();
    let extra = json!({
        "iss": "x", "aud": "x", "sub": "x", "sid": "x", "iat": 0, "nbf": 0, "exp": 9_000_000_000_i64,
        "jti": "x", "role": "x", "roles": ["x"], "email": "x", "amr": ["x"], "app_metadata": {"a": 1},
    });
    let extra = extra.as_object().unwrap().clone();
    let mint = |claims: Claims| {
        let token = bench.tokens.mint(claims).unwrap();
        bench.identify(token.expose()).unwrap().claims.clone()
    };
    let found = mint(claims(extra.clone()));
    assert_eq!(found["app_metadata"], json!({"a": 1}));
    let mut expected = mint(claims(JsonObject::new()));
    expected.insert("app_metadata".to_owned(), json!({"a": 1}));
    expected.insert("jti".to_owned(), found["jti"].clone());
    assert_eq!(found, expected);
    let nameless = Claims {
        email: None,
        ..claims(extra)
    };
    assert!(!mint(nameless).contains_key("email"));
}

#[test]
fn a_token_longer_than_we_read_is_not_made() {
    let bench = Bench::new();
    let long = json!({"bio": "x".repeat(MAX_BYTES)});
    let outcome = bench.tokens.mint(claims(long.as_object().unwrap().clone()));
    assert_eq!(outcome.err(), Some(MintError::TooLong));
}

#[test]
fn a_token_of_ours_has_all_that_ours_have() {
    let bench = Bench::new();
    assert!(bench.identify(&bench.own(&json!({}))).is_ok());
    let check = |changes: Value, expected: TokenError| {
        let outcome = bench.identify(&bench.own(&changes));
        assert_eq!(outcome.err(), Some(expected), "{changes}");
    };
    check(json!({"sid": null}), TokenError::Claims);
    check(json!({"sid": 1}), TokenError::Claims);
    check(json!({"sid": "no uuid"}), TokenError::Claims);
    check(json!({"roles": null}), TokenError::Claims);
    check(json!({"roles": "admin"}), TokenError::Claims);
    check(json!({"roles": ["admin", 1]}), TokenError::Claims);
    check(json!({"aud": "shop"}), TokenError::Audience);
    check(json!({"aud": null}), TokenError::Audience);
    check(json!({"iss": null}), TokenError::Issuer);
    check(json!({"iss": "https://nobody.example"}), TokenError::Issuer);
    // Signed by us, but in the name of somebody else.
    check(json!({"iss": OTHER, "aud": "shop"}), TokenError::UnknownKey);
}

#[test]
fn a_refresh_token_is_no_access_token() {
    let bench = Bench::new();
    let refresh = crate::session::RefreshToken {
        session: SessionId::from_bytes([7; 16]),
        generation: crate::session::Generation::FIRST,
    };
    let text = bench
        .tokens
        .session_signer()
        .refresh_token(refresh)
        .unwrap();
    assert_eq!(
        bench.identify(text.expose()).err(),
        Some(TokenError::Malformed)
    );
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
    let new = bench.mint();
    let last = NOW.plus(ACCESS + LEEWAY).minus(Duration::from_millis(1));
    for token in [old.expose(), new.expose(), &forged] {
        assert!(bench.tokens.identify(token, last).is_ok());
    }
    let over = NOW.plus(ACCESS + LEEWAY);
    assert_eq!(
        bench.tokens.identify(&forged, over).err(),
        Some(TokenError::UnknownKey)
    );
    // HS256 verifies here and is not in the public set.
    assert!(!bench.tokens.jwks().windows(5).any(|part| part == b"HS256"));
}

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
