//! Tokens of ours in the words of dialects.

use super::*;
use crate::auth::tokens::form::FormKey;
use crate::id::UserId;
use crate::session::{ClientKind, Generation, Persistence, Session, SessionKind, Subject};
use crate::token::mint::MadeType;
use crate::user::Roles;

const SHARED: &str = "a secret that services behind us share";
const PROJECT: &str = "https://gw.example.com/auth/v1";

/// Ours in other words, one with the ring under another name, one with a shared secret.
pub(super) fn forms() -> Vec<FormConfig> {
    let words = |bearer: Bearer<'_>| {
        let id = bearer.session.id.to_string();
        let words = json!({"role": "authenticated", "session_id": id, "roles": ["admin"]});
        words.as_object().cloned().unwrap_or_default()
    };
    let form = |issuer: &str, token_type, key| FormConfig {
        issuer: issuer.to_owned(),
        audience: "authenticated".to_owned(),
        token_type,
        key,
        words,
    };
    let secret = FormKey::Secret(SecretText::new(SHARED.to_owned()));
    vec![
        FormConfig {
            audience: "gw".to_owned(),
            ..form(OWN, MadeType::Access, FormKey::Ring)
        },
        form(
            "https://gw.example.com/ring",
            MadeType::Plain,
            FormKey::Ring,
        ),
        form(PROJECT, MadeType::Plain, secret),
    ]
}

fn session() -> Session {
    Session {
        id: SessionId::from_bytes([7; 16]),
        subject: Subject {
            user: UserId::from_bytes([1; 16]),
            email: Email::parse("alice@example.com").unwrap(),
            roles: Roles::default(),
        },
        kind: SessionKind::User,
        client: ClientKind::Native,
        generation: Generation::FIRST,
        created_at: NOW,
        refreshed_at: NOW,
        expires_at: NOW.plus(ACCESS),
        ends_at: NOW.plus(ACCESS),
        persistence: Persistence::Persistent,
        address: String::new(),
        user_agent: String::new(),
    }
}

fn form(index: usize) -> Form {
    Form::open(forms().remove(index)).unwrap()
}

fn minted(bench: &Bench, form: &Form) -> SecretText {
    let bearer = Bearer {
        session: &session(),
        user: None,
        now: NOW,
    };
    let mut claims = claims(JsonObject::new());
    claims.roles = Roles::default();
    bench.tokens.mint_as(form, (claims, bearer)).unwrap()
}

#[test]
fn a_token_in_any_form_speaks_for_the_same_session() {
    let bench = Bench::new();
    let check = |form: Form, issuer: &str, audience: &str, role: &str| {
        let token = minted(&bench, &form);
        // Twice: verified, and remembered.
        for _ in 0..2 {
            let found = bench.identify(token.expose()).unwrap();
            assert_eq!(found.issuer, Issuer::Own);
            assert_eq!(found.session, Some(session().id));
            assert!(
                found.roles.is_empty(),
                "the words of a dialect give no role"
            );
            let claim = |name: &str| found.claims[name].as_str().unwrap();
            assert_eq!((claim("iss"), claim("aud")), (issuer, audience));
            assert_eq!(claim("role"), role);
        }
    };
    check(Form::OWN, OWN, "gw", "user");
    check(form(0), OWN, "gw", "authenticated");
    let ring = "https://gw.example.com/ring";
    check(form(1), ring, "authenticated", "authenticated");
    check(form(2), PROJECT, "authenticated", "authenticated");
}

#[test]
fn a_shared_secret_signs_for_its_own_name_alone() {
    let bench = Bench::new();
    let secret = crate::secret::SecretBytes::new(SHARED.as_bytes().to_vec());
    let key = PrivateKey::read(Algorithm::Hs256, &secret).unwrap();
    let forged = |issuer: &str, audience: &str| {
        let header = json!({"alg": "HS256", "typ": "JWT"});
        let claims = json!({
            "iss": issuer, "aud": audience, "sub": "u", "exp": exp(), "roles": ["admin"],
            "sid": session().id.to_string(),
        });
        bench.identify(&signed(&key, &header, &claims)).err()
    };
    assert_eq!(forged(PROJECT, "authenticated"), None);
    assert_eq!(forged(PROJECT, "gw"), Some(TokenError::Audience));
    assert_eq!(forged(OWN, "gw"), Some(TokenError::UnknownKey));
    assert_eq!(forged(OTHER, "shop"), Some(TokenError::UnknownKey));
    // What services sign for themselves with the same secret, such as a project's `anon` key.
    assert_eq!(
        forged("supabase", "authenticated"),
        Some(TokenError::Issuer)
    );
}

#[test]
fn the_ring_does_not_sign_for_a_form_with_a_secret() {
    let bench = Bench::new();
    let as_project = json!({"iss": PROJECT, "aud": "authenticated"});
    let refused = bench.identify(&bench.own(&as_project)).err();
    assert_eq!(refused, Some(TokenError::UnknownKey));
}

#[test]
fn two_forms_of_one_name_must_be_checked_alike() {
    let check = |change: fn(&mut FormConfig), expected: bool| {
        let directory = TempDir::new().unwrap();
        let mut settings = settings(KeySource::Kept(ring_path(&directory)), Vec::new());
        let mut twin = forms().remove(2);
        change(&mut twin);
        settings.forms.push(twin);
        let started = Tokens::start(settings, ManualClock::at(NOW));
        assert_eq!(started.is_ok(), expected);
    };
    check(|_same| {}, true);
    check(|twin| twin.audience = "other".to_owned(), false);
    check(|twin| twin.key = FormKey::Ring, false);
    check(
        |twin| twin.key = FormKey::Secret("x".repeat(40).as_str().into()),
        false,
    );
    check(|twin| twin.key = FormKey::Secret("short".into()), false);
    check(|twin| twin.issuer = OWN.to_owned(), false);
}

#[test]
fn a_form_that_is_gone_is_welcome_no_more() {
    let bench = Bench::new();
    let token = minted(&bench, &form(2));
    assert!(bench.identify(token.expose()).is_ok());
    let replace = |forms| bench.tokens.replace(forms, &[]).unwrap();
    replace(Vec::new());
    let refused = bench.identify(token.expose()).err();
    assert_eq!(refused, Some(TokenError::Issuer));
    // Another stands in its place, with other words and the ring for a key.
    replace(vec![forms().remove(1)]);
    let refused = bench.identify(token.expose()).err();
    assert_eq!(refused, Some(TokenError::Issuer));
    replace(forms());
    assert!(bench.identify(token.expose()).is_ok());
}
