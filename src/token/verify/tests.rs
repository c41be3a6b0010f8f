//! What attackers try, each against a set of good keys.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::secret::SecretBytes;
use crate::token::algorithm::Algorithm;
use crate::token::key::VerifyingKey;
use crate::token::signing::PrivateKey;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const ISSUER: &str = "https://gw.example.com";

struct Bench {
    audiences: [String; 1],
    es: PrivateKey,
    es_bytes: SecretBytes,
    rs: PrivateKey,
    keys: KeySet,
}

impl Bench {
    fn new() -> Self {
        let (es, es_bytes) = private(Algorithm::Es256);
        let (rs, _) = private(Algorithm::Rs256);
        let (ed, _) = private(Algorithm::EdDsa);
        let (hs, _) = private(Algorithm::Hs256);
        let named = [(&es, "es"), (&rs, "rs"), (&ed, "ed"), (&hs, "hs")];
        let keys = named.map(|(key, kid)| key.verifying(kid).unwrap());
        Self {
            audiences: ["shop".to_owned()],
            es,
            es_bytes,
            rs,
            keys: keys.into_iter().collect(),
        }
    }

    fn verify(&self, text: &str) -> Result<VerifiedClaims, TokenError> {
        let expected = Expected {
            issuer: ISSUER,
            audiences: &self.audiences,
            types: AcceptedTypes::Any,
            now: NOW,
            leeway: Duration::from_secs(30),
        };
        verify(UnverifiedToken::parse(text)?, &self.keys, &expected)
    }

    /// A token with these claims over the good ones; null takes one out.
    fn with_claims(&self, changes: &Value) -> Result<(), TokenError> {
        let text = signed(&self.es, &es256(), &claims(changes));
        self.verify(&text).map(|_| ())
    }
}

fn private(algorithm: Algorithm) -> (PrivateKey, SecretBytes) {
    let bytes = PrivateKey::generate(algorithm).unwrap();
    (PrivateKey::read(algorithm, &bytes).unwrap(), bytes)
}

fn es256() -> Value {
    json!({"alg": "ES256", "kid": "es", "typ": "JWT"})
}

fn claims(changes: &Value) -> String {
    let now = NOW.as_seconds();
    let mut claims = json!({
        "iss": ISSUER, "aud": "shop", "sub": "alice", "iat": now, "exp": now + 900,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let claims = claims.as_object_mut().unwrap();
    claims.retain(|_, value| !value.is_null());
    json!(claims).to_string()
}

fn input(header: &Value, claims: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}", encode(&header.to_string()), encode(claims))
}

fn signed(key: &PrivateKey, header: &Value, claims: &str) -> String {
    let input = input(header, claims);
    let signature = key.sign(input.as_bytes()).unwrap();
    with_signature(&input, &signature)
}

fn with_signature(input: &str, signature: &[u8]) -> String {
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn a_good_token_tells_what_it_says() {
    let bench = Bench::new();
    let claims = claims(&json!({"nbf": 7}));
    let found = bench.verify(&signed(&bench.es, &es256(), &claims)).unwrap();
    assert_eq!(found.subject(), "alice");
    assert_eq!(found.not_before(), Some(Timestamp::from_seconds(7)));
    assert_eq!(found.expires_at(), NOW.plus(Duration::from_mins(15)));
    assert_eq!(found.all()["aud"], "shop");
    for algorithm in [Algorithm::Rs256, Algorithm::EdDsa, Algorithm::Hs256] {
        let (key, _) = private(algorithm);
        let keys = [key.verifying("k").unwrap()].into_iter().collect();
        let bench = Bench {
            keys,
            ..Bench::new()
        };
        let header = json!({"alg": algorithm.as_str(), "kid": "k"});
        assert!(
            bench.verify(&signed(&key, &header, &claims)).is_ok(),
            "{algorithm:?}"
        );
    }
}

#[test]
fn no_signature_is_no_proof() {
    let bench = Bench::new();
    let check = |header: Value, signature: &[u8], expected: TokenError| {
        let text = with_signature(&input(&header, &claims(&json!({}))), signature);
        assert_eq!(
            bench.verify(&text).err(),
            Some(expected),
            "{header} {signature:?}"
        );
    };
    for alg in ["none", "None", "NONE", "nOnE"] {
        check(json!({"alg": alg}), b"", TokenError::Header);
        check(json!({"alg": alg, "kid": "es"}), b"x", TokenError::Header);
    }
    for alg in ["ES256", "RS256", "EdDSA", "HS256"] {
        let kid = alg.to_lowercase().chars().take(2).collect::<String>();
        check(json!({"alg": alg, "kid": kid}), b"", TokenError::Malformed);
        check(json!({"alg": alg, "kid": kid}), b"x", TokenError::Signature);
        check(
            json!({"alg": alg, "kid": kid}),
            &[0; 64],
            TokenError::Signature,
        );
    }
}

#[test]
fn a_public_key_is_no_secret() {
    let bench = Bench::new();
    let public = bench.rs.public().unwrap();
    let der = public.parse_for(Algorithm::Rs256).unwrap();
    let lines: Vec<String> = STANDARD
        .encode(&der)
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8(line.to_vec()).unwrap())
        .collect();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        lines.join("\n")
    );
    let jwk = json!(public.to_jwk()).to_string();
    let thumbprint = public.thumbprint();
    let secrets: [&[u8]; 8] = [
        pem.as_bytes(),
        &[pem.as_bytes(), b"\n"].concat(),
        &pem.replace('\n', "\r\n").into_bytes(),
        der.as_ref(),
        &[der.as_ref(), b"\n"].concat(),
        jwk.as_bytes(),
        thumbprint.as_bytes(),
        b"",
    ];
    for secret in secrets {
        let check = |header: Value, expected: TokenError| {
            let input = input(&header, &claims(&json!({})));
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            let tag = hmac::sign(&key, input.as_bytes());
            let outcome = bench.verify(&with_signature(&input, tag.as_ref()));
            assert_eq!(outcome.err(), Some(expected), "{header}");
        };
        check(json!({"alg": "HS256", "kid": "rs"}), TokenError::UnknownKey);
        check(json!({"alg": "HS256", "kid": "hs"}), TokenError::Signature);
        check(json!({"alg": "HS256"}), TokenError::Signature);
        check(json!({"alg": "RS256", "kid": "rs"}), TokenError::Signature);
    }
    for length in [0, 1, 31] {
        assert!(VerifyingKey::secret("h".into(), &SecretBytes::new(vec![7; length])).is_none());
    }
}

#[test]
fn a_key_checks_its_own_algorithm_alone() {
    let bench = Bench::new();
    let check = |header: Value, expected: TokenError| {
        let text = signed(&bench.es, &header, &claims(&json!({})));
        assert_eq!(bench.verify(&text).err(), Some(expected), "{header}");
    };
    check(json!({"alg": "ES256", "kid": "rs"}), TokenError::UnknownKey);
    check(json!({"alg": "ES256", "kid": "ES"}), TokenError::UnknownKey);
    check(json!({"alg": "ES384", "kid": "es"}), TokenError::UnknownKey);
    check(json!({"alg": "RS256", "kid": "es"}), TokenError::UnknownKey);
    check(json!({"alg": "RS512", "kid": "rs"}), TokenError::UnknownKey);
    check(json!({"alg": "RS256", "kid": "rs"}), TokenError::Signature);
    check(
        json!({"alg": "ES256", "kid": "../es"}),
        TokenError::UnknownKey,
    );
    check(
        json!({"alg": "ES256", "kid": "es' OR '1'='1"}),
        TokenError::UnknownKey,
    );
    check(json!({"alg": "ES256", "kid": "es\0"}), TokenError::Header);
    check(
        json!({"alg": "ES256", "kid": "e".repeat(10_240)}),
        TokenError::Header,
    );
}

#[test]
fn a_token_cannot_bring_its_own_key() {
    let bench = Bench::new();
    let (own, _) = private(Algorithm::Es256);
    let jwk = own.public().unwrap().to_jwk();
    let check = |name: &str, value: Value| {
        let mut header = es256();
        header[name] = value;
        let text = signed(&own, &header, &claims(&json!({})));
        assert_eq!(
            bench.verify(&text).err(),
            Some(TokenError::Header),
            "{name}"
        );
    };
    check("jwk", json!(jwk));
    check("jku", json!("https://evil.example/jwks.json"));
    check("x5u", json!("https://evil.example/cert.pem"));
    check("x5c", json!(["MIIB"]));
    check("crit", json!(["exp"]));
    check("b64", json!(false));
    check("zip", json!("DEF"));
    check("enc", json!("A256GCM"));
}

#[test]
fn a_token_without_kid_needs_a_single_key() {
    let bench = Bench::new();
    let text = signed(&bench.es, &json!({"alg": "ES256"}), &claims(&json!({})));
    assert!(bench.verify(&text).is_ok());
    let (other, _) = private(Algorithm::Es256);
    let keys = [
        bench.es.verifying("a").unwrap(),
        other.verifying("b").unwrap(),
    ];
    let bench = Bench {
        keys: keys.into_iter().collect(),
        ..Bench::new()
    };
    assert_eq!(bench.verify(&text).err(), Some(TokenError::UnknownKey));
}

#[test]
fn a_retired_key_checks_nothing() {
    let bench = Bench::new();
    let text = signed(&bench.es, &es256(), &claims(&json!({})));
    let check = |until: Timestamp, expected: Result<Option<Timestamp>, TokenError>| {
        let key = bench.es.verifying("es").unwrap().trusted_until(Some(until));
        let bench = Bench {
            keys: [key].into_iter().collect(),
            ..Bench::new()
        };
        let found = bench.verify(&text).map(|claims| claims.trusted_until());
        assert_eq!(found, expected);
    };
    let moment = Duration::from_millis(1);
    check(NOW.plus(moment), Ok(Some(NOW.plus(moment))));
    check(NOW, Err(TokenError::UnknownKey));
    check(NOW.minus(moment), Err(TokenError::UnknownKey));
}

#[test]
fn an_ecdsa_signature_is_two_whole_numbers_and_nothing_else() {
    let bench = Bench::new();
    let input = input(&es256(), &claims(&json!({})));
    let good = bench.es.sign(input.as_bytes()).unwrap();
    assert!(bench.verify(&with_signature(&input, &good)).is_ok());
    let (r, s) = good.split_at(32);
    let zero = [0; 32];
    // The order of P-256: a number that is zero in its field.
    let order = STANDARD
        .decode("/////wAAAAD//////////7zm+q2nF56E87nKwvxjJVE=")
        .unwrap();
    let der = EcdsaKeyPair::from_private_key_der(
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        bench.es_bytes.expose(),
    )
    .and_then(|pair| Ok(pair.sign(&SystemRandom::new(), input.as_bytes())?))
    .unwrap();
    let bad: [&[u8]; 12] = [
        der.as_ref(),
        &[&zero, s].concat(),
        &[r, &zero].concat(),
        &[zero, zero].concat(),
        &[&order, s].concat(),
        &[r, &order].concat(),
        &[&order[..], &order].concat(),
        &[s, r].concat(),
        &good[..63],
        &good[1..],
        &[&good[..], &[0]].concat(),
        &[&[0][..], r, &[0], s].concat(),
    ];
    for signature in bad {
        let outcome = bench.verify(&with_signature(&input, signature));
        assert_eq!(outcome.err(), Some(TokenError::Signature), "{signature:?}");
    }
}

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

#[derive(Clone, Debug)]
enum Mutation {
    Replace(usize, u8),
    Insert(usize, u8),
    Remove(usize),
    Swap(usize, usize),
    Cut(usize),
}

impl Mutation {
    fn apply(&self, text: &mut Vec<u8>) {
        let length = text.len();
        match *self {
            Self::Replace(at, byte) => text[at % length] = byte,
            Self::Insert(at, byte) => text.insert(at % length, byte),
            Self::Remove(at) => {
                text.remove(at % length);
            }
            Self::Swap(one, other) => text.swap(one % length, other % length),
            Self::Cut(at) => text.truncate(at % length + 1),
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let byte = prop_oneof![b'A'..=b'Z', b'a'..=b'z', b'0'..=b'9', b' '..=b'~'];
    let at = 0..10_000_usize;
    prop_oneof![
        4 => (at.clone(), byte.clone()).prop_map(|(at, byte)| Mutation::Replace(at, byte)),
        1 => (at.clone(), byte).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        1 => at.clone().prop_map(Mutation::Remove),
        1 => (at.clone(), at.clone()).prop_map(|(one, other)| Mutation::Swap(one, other)),
        1 => at.prop_map(Mutation::Cut),
    ]
}

#[test]
fn a_changed_token_is_never_accepted() {
    let bench = Bench::new();
    let good = signed(&bench.es, &es256(), &claims(&json!({})));
    let mutations = prop::collection::vec(mutation(), 1..4);
    proptest!(ProptestConfig::with_cases(2_000), |(mutations in mutations)| {
        let mut text = good.clone().into_bytes();
        for mutation in mutations {
            if text.is_empty() {
                break;
            }
            mutation.apply(&mut text);
        }
        let text = String::from_utf8(text).unwrap();
        prop_assert_eq!(bench.verify(&text).is_ok(), text == good, "{}", text);
    });
}
