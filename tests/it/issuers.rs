//! Keys that come and go while the gateway runs: those of other issuers over real HTTP, and our own.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward::auth::tokens::{Settings, Tokens, USUAL_CACHE_ENTRIES};
use doorward::clock::{Clock as _, ManualClock, Timestamp};
use doorward::id::SessionId;
use doorward::keys::ring::{Rotation, SHOWN_FIRST};
use doorward::keys::{IssuerConfig, JwksSource, KeySource, SigningAlgorithm, file};
use doorward::token::TokenError;
use doorward::token::algorithm::Algorithm;
use doorward::token::mint::Claims;
use doorward::token::signing::PrivateKey;
use doorward::trust::Trust;
use doorward::user::{JsonObject, Roles};
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::AbortHandle;

use crate::support::happenings::Happenings;
use crate::support::key_server::{Answer, KeyServer};
use crate::support::tls::Authority;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const ISSUER: &str = "https://id.example.com";
const MINUTE: Duration = Duration::from_mins(1);

/// How often keys are fetched.
#[derive(Clone, Copy)]
struct Pace {
    refresh: Duration,
    refresh_min: Duration,
}

/// Often enough that a test can wait for the next time.
const OFTEN: Pace = Pace {
    refresh: Duration::from_millis(100),
    refresh_min: Duration::from_millis(50),
};

/// At the start, and then only when a token asks for it.
const ON_DEMAND: Pace = Pace {
    refresh: Duration::from_hours(1),
    refresh_min: Duration::from_millis(200),
};

/// At the start.
const ONCE: Pace = Pace {
    refresh: Duration::from_hours(1),
    refresh_min: Duration::from_hours(1),
};

/// A gateway's tokens with their background work, and an issuer with a key server.
struct Bench {
    directory: TempDir,
    server: KeyServer,
    clock: Arc<ManualClock>,
    tokens: Arc<Tokens>,
    background: AbortHandle,
    happenings: Happenings,
}

impl Bench {
    async fn start(answer: Answer, pace: Pace) -> Self {
        let happenings = Happenings::watch();
        let server = KeyServer::start(answer).await;
        let directory = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(NOW);
        let settings = settings(&directory, &server, pace);
        let shared = Arc::clone(&clock);
        let tokens = Tokens::start(settings, shared).unwrap();
        let background = tokio::spawn(tokens.background()).abort_handle();
        Self {
            directory,
            server,
            clock,
            tokens,
            background,
            happenings,
        }
    }

    fn identify(&self, token: &str) -> Result<(), TokenError> {
        self.tokens.identify(token, self.clock.now()).map(|_| ())
    }

    async fn accepts(&self, token: &str) {
        self.eventually("the token is accepted", || self.identify(token).is_ok())
            .await;
    }

    /// Waits until `condition` holds. It is looked at again when something is logged, such as that keys
    /// are new, and when the issuer is asked for its keys.
    async fn eventually(&self, what: &str, condition: impl Fn() -> bool + Send + Sync) {
        let (mut logged, mut asked) = (self.happenings.receiver(), self.server.asking());
        let holds = async {
            while !condition() {
                tokio::select! {
                    changed = logged.changed() => changed.unwrap(),
                    changed = asked.changed() => changed.unwrap(),
                }
            }
        };
        let held = tokio::time::timeout(Happenings::LIMIT, holds).await;
        assert!(held.is_ok(), "in vain: {what}");
    }

    fn mint(&self) -> String {
        let now = self.clock.now();
        let claims = Claims {
            subject: "u".to_owned(),
            session: SessionId::new(now),
            roles: Roles::default(),
            email: None,
            methods: vec!["pwd"],
            issued_at: now,
            expires_at: now.plus(15 * MINUTE),
            extra: JsonObject::new(),
        };
        self.tokens.mint(claims).unwrap().expose().to_owned()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.background.abort();
    }
}

fn settings(directory: &TempDir, server: &KeyServer, pace: Pace) -> Settings {
    Settings {
        forms: Vec::new(),
        issuer: "https://gw.example.com".to_owned(),
        audience: "gw".to_owned(),
        algorithm: SigningAlgorithm::Es256,
        keys: KeySource::Kept(directory.path().join("keys.json")),
        leeway: Duration::from_secs(30),
        issuers: vec![IssuerConfig {
            issuer: ISSUER.to_owned(),
            jwks: JwksSource::Url(server.url().parse().unwrap()),
            trust: Trust::System,
            audiences: vec!["shop".to_owned()],
            admin: None,
            refresh: pace.refresh,
            refresh_min: pace.refresh_min,
            stale_max: 60 * MINUTE,
        }],
        cache_entries: USUAL_CACHE_ENTRIES,
    }
}

fn private() -> PrivateKey {
    let bytes = PrivateKey::generate(Algorithm::Es256).unwrap();
    PrivateKey::read(Algorithm::Es256, &bytes).unwrap()
}

fn jwks(keys: &[(&PrivateKey, &str)]) -> Answer {
    let keys = keys.iter().map(|(key, kid)| {
        let mut jwk = key.public().unwrap().to_jwk();
        jwk.insert("kid".to_owned(), json!(kid));
        jwk
    });
    let text = json!({"keys": keys.collect::<Vec<_>>()}).to_string();
    Answer::Text(StatusCode::OK, text)
}

/// The same keys, after more white space than is read.
fn too_long(answer: Answer) -> Answer {
    match answer {
        Answer::Text(status, text) => Answer::Text(status, " ".repeat(256 * 1024) + &text),
        other => other,
    }
}

/// An error page, which even looks like keys.
fn failing() -> Answer {
    match jwks(&[(&private(), "k")]) {
        Answer::Text(_, text) => Answer::Text(StatusCode::SERVICE_UNAVAILABLE, text),
        other => other,
    }
}

fn token(key: &PrivateKey, header: &Value, number: usize) -> String {
    let exp = NOW.plus(600 * MINUTE).as_seconds();
    let claims = json!({"iss": ISSUER, "aud": "shop", "sub": "u", "exp": exp, "n": number});
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", encode(header), encode(&claims));
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn named(kid: &str) -> Value {
    json!({"alg": "ES256", "kid": kid})
}

#[tokio::test]
async fn the_keys_of_an_issuer_come_in_the_background() {
    let key = private();
    let bench = Bench::start(failing(), OFTEN).await;
    let token = token(&key, &named("k"), 0);
    bench.server.asked(2).await;
    assert_eq!(bench.identify(&token), Err(TokenError::KeysUnavailable));
    bench.server.answer(jwks(&[(&key, "k")]));
    bench.accepts(&token).await;
}

#[tokio::test]
async fn a_new_key_of_an_issuer_is_fetched_when_a_token_names_it() {
    let (old, new) = (private(), private());
    let bench = Bench::start(jwks(&[(&old, "old")]), ON_DEMAND).await;
    bench.accepts(&token(&old, &named("old"), 0)).await;
    bench.server.answer(jwks(&[(&old, "old"), (&new, "new")]));
    let token = token(&new, &named("new"), 0);
    // Refused at once, without waiting for the keys that it asks for.
    assert_eq!(bench.identify(&token), Err(TokenError::UnknownKey));
    bench.accepts(&token).await;
    assert_eq!(bench.server.requests().len(), 2);
}

/// The answer to the tokens of an issuer without keys is 503.
#[tokio::test]
async fn a_key_server_must_show_a_certificate_of_its_authority() {
    let key = private();
    let (ours, theirs) = (Authority::new(), Authority::new());
    let server = KeyServer::start(jwks(&[(&key, "k")])).await;
    let url = format!("{}/jwks.json", ours.before(server.address()).await);
    let bench = Bench::start(failing(), ONCE).await;
    let token = token(&key, &named("k"), 0);
    let trusting = |trust: Trust| {
        let issuer = settings(&bench.directory, &server, OFTEN).issuers.remove(0);
        let jwks = JwksSource::Url(url.parse().unwrap());
        let issuer = IssuerConfig {
            jwks,
            trust,
            ..issuer
        };
        bench.tokens.replace(Vec::new(), &[issuer]).unwrap();
    };
    for trust in [
        Trust::from_pem(theirs.pem().as_bytes()).unwrap(),
        Trust::System,
    ] {
        trusting(trust);
        // Each attempt that fails is logged; the first may be that of the issuer before.
        bench.happenings.more(3).await;
        assert_eq!(bench.identify(&token), Err(TokenError::KeysUnavailable));
        assert_eq!(server.requests().len(), 0);
    }
    trusting(Trust::from_pem(ours.pem().as_bytes()).unwrap());
    bench.accepts(&token).await;
}

#[tokio::test]
async fn the_keys_of_an_issuer_that_comes_later_are_fetched_too() {
    let (key, later_key) = (private(), private());
    let bench = Bench::start(jwks(&[(&key, "k")]), ONCE).await;
    let token = token(&key, &named("k"), 0);
    bench.accepts(&token).await;
    let later = KeyServer::start(jwks(&[(&later_key, "l")])).await;
    let directory = tempfile::tempdir().unwrap();
    let issuers = [
        (&bench.server, ISSUER),
        (&later, "https://later.example.com"),
    ];
    let issuers = issuers.map(|(server, name)| {
        let [issuer] = <[_; 1]>::try_from(settings(&directory, server, ONCE).issuers).unwrap();
        IssuerConfig {
            issuer: name.to_owned(),
            ..issuer
        }
    });
    bench.tokens.replace(Vec::new(), &issuers).unwrap();
    assert_eq!(
        bench.identify(&token),
        Ok(()),
        "the keys that are known stay"
    );
    later.asked(1).await;
}

#[tokio::test]
async fn a_key_that_an_issuer_takes_back_verifies_nothing_more() {
    let (old, new) = (private(), private());
    let bench = Bench::start(jwks(&[(&old, "old")]), OFTEN).await;
    let token = token(&old, &named("old"), 0);
    bench.accepts(&token).await;
    bench.server.answer(jwks(&[(&new, "new")]));
    let refused = || bench.identify(&token) == Err(TokenError::UnknownKey);
    bench.eventually("the token is refused", refused).await;
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_no_flood_of_requests() {
    let key = private();
    let bench = Bench::start(jwks(&[(&key, "k")]), ONCE).await;
    bench.accepts(&token(&key, &named("k"), 0)).await;
    for number in 0..2_000 {
        let token = token(&key, &named(&format!("unknown-{number}")), number);
        assert_eq!(bench.identify(&token), Err(TokenError::UnknownKey));
        // Gives the background work every chance to ask.
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.server.requests().len(), 1);
}

#[tokio::test]
async fn unknown_keys_cause_one_request_an_interval() {
    let key = private();
    let began = std::time::Instant::now();
    let bench = Bench::start(jwks(&[(&key, "k")]), ON_DEMAND).await;
    let unknown = token(&key, &named("unknown"), 0);
    bench.accepts(&token(&key, &named("k"), 0)).await;
    for times in 2..=4 {
        for _ in 0..100 {
            assert_eq!(bench.identify(&unknown), Err(TokenError::UnknownKey));
        }
        bench.server.asked(times).await;
    }
    // All were made in this time, each an interval after the one before: a machine that stands still
    // only makes it longer.
    let intervals = began.elapsed().as_nanos() / ON_DEMAND.refresh_min.as_nanos();
    let requests = bench.server.requests().len() as u128;
    assert!(
        requests <= intervals + 1,
        "{requests} in {intervals} intervals"
    );
}

#[tokio::test]
async fn no_answer_that_is_no_key_set_replaces_good_keys() {
    let key = private();
    let elsewhere = KeyServer::start(jwks(&[(&private(), "k")])).await;
    let bench = Bench::start(jwks(&[(&key, "k")]), OFTEN).await;
    bench.accepts(&token(&key, &named("k"), 0)).await;
    let oct = json!({"keys": [{"kty": "oct", "kid": "k", "alg": "HS256", "k": "A".repeat(43)}]});
    let ok = |text: &str| Answer::Text(StatusCode::OK, text.to_owned());
    let answers = [
        ok(""),
        ok("<html>maintenance</html>"),
        ok(r#"{"keys":[]}"#),
        ok(&oct.to_string()),
        failing(),
        Answer::Redirect(StatusCode::FOUND, elsewhere.url()),
        Answer::Redirect(StatusCode::PERMANENT_REDIRECT, elsewhere.url()),
        too_long(jwks(&[(&private(), "k")])),
        Answer::Endless,
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let shown = format!("{answer:.60?}");
        bench.server.answer(answer);
        // The one after the next: then the next has been dealt with.
        bench.server.asked(bench.server.requests().len() + 3).await;
        let fresh = token(&key, &named("k"), number + 1);
        assert_eq!(bench.identify(&fresh), Ok(()), "{shown}");
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    let key = private();
    let bench = Bench::start(Answer::Silence, OFTEN).await;
    bench.server.asked(1).await;
    bench.server.answer(jwks(&[(&key, "k")]));
    bench.accepts(&token(&key, &named("k"), 0)).await;
    assert_eq!(bench.server.requests().len(), 2);
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_serve_on_for_a_while_and_heal() {
    let key = private();
    let bench = Bench::start(jwks(&[(&key, "k")]), OFTEN).await;
    let token = token(&key, &named("k"), 0);
    bench.accepts(&token).await;
    bench.server.answer(failing());
    bench.server.asked(bench.server.requests().len() + 2).await;
    bench.clock.advance(59 * MINUTE);
    assert_eq!(bench.identify(&token), Ok(()));
    bench.clock.advance(2 * MINUTE);
    assert_eq!(bench.identify(&token), Err(TokenError::KeysUnavailable));
    bench.server.answer(jwks(&[(&key, "k")]));
    bench.accepts(&token).await;
}

#[tokio::test]
async fn a_url_that_a_token_names_is_never_asked() {
    let (key, evil_key) = (private(), private());
    let evil = KeyServer::start(jwks(&[(&evil_key, "k")])).await;
    let bench = Bench::start(jwks(&[(&key, "k")]), OFTEN).await;
    bench.accepts(&token(&key, &named("k"), 0)).await;
    for name in ["jku", "x5u"] {
        let mut header = named("k");
        header[name] = json!(evil.url());
        for signer in [&key, &evil_key] {
            let token = token(signer, &header, 1);
            assert_eq!(bench.identify(&token), Err(TokenError::Header), "{name}");
        }
    }
    bench.server.asked(bench.server.requests().len() + 2).await;
    assert_eq!(evil.requests().len(), 0);
}

#[tokio::test]
async fn our_own_keys_are_rotated_while_the_gateway_runs() {
    let bench = Bench::start(failing(), ONCE).await;
    let old = bench.mint();
    assert_eq!(bench.identify(&old), Ok(()));
    let path = bench.directory.path().join("keys.json");
    let rotation = Rotation {
        algorithm: SigningAlgorithm::EdDsa,
        now: NOW,
        retire_after: 16 * MINUTE,
    };
    let ring = file::rotate(&path, rotation).unwrap();
    let kid = ring.newest().kid();
    let published = || String::from_utf8_lossy(&bench.tokens.jwks()).contains(kid);
    bench.eventually("the new key is public", published).await;
    let keys: Value = serde_json::from_slice(&bench.tokens.jwks()).unwrap();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    assert_eq!(bench.identify(&old), Ok(()));
    assert_eq!(bench.identify(&bench.mint()), Ok(()));
    bench.clock.advance(SHOWN_FIRST + 16 * MINUTE);
    assert_eq!(bench.identify(&old), Err(TokenError::UnknownKey));
}
