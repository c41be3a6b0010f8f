use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::clock::ManualClock;
use crate::id::SessionId;
use crate::identity::Issuer;
use crate::keys::ring::{KeyRing, Rotation};
use crate::keys::{AdminClaim, JwksSource, file};
use crate::policy::ClaimTest;
use crate::token::algorithm::Algorithm;
use crate::token::signing::PrivateKey;
use crate::trust::Trust;
use crate::user::{Email, JsonObject, Role};

mod cache;
mod foreign;
mod forms;

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
        self.mint_at(NOW)
    }

    fn mint_at(&self, now: Timestamp) -> SecretText {
        let claims = Claims {
            issued_at: now,
            expires_at: now.plus(ACCESS),
            ..claims(JsonObject::new())
        };
        self.tokens.mint(claims).unwrap()
    }

    /// A token of ours, but with these claims changed; null takes one out.
    fn own(&self, changes: &Value) -> String {
        let ring = file::load(&ring_path(&self.directory)).unwrap();
        let header = json!({"alg": "ES256", "kid": ring.newest().kid(), "typ": "at+jwt"});
        let session = SessionId::from_bytes([7; 16]).to_string();
        let claims = json!({
            "iss": OWN, "aud": "gw", "sub": "u", "sid": session, "roles": [], "exp": exp(),
        });
        signed(ring.newest().private(), &header, &changed(claims, changes))
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
        trust: Trust::System,
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
        forms: forms::forms(),
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
fn a_dialect_adds_claims_and_replaces_none_that_a_verdict_rests_on() {
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
    for words in ["role", "amr"] {
        expected.insert(words.to_owned(), extra[words].clone());
    }
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
