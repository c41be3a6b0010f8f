//! What attackers try, each against a set of good keys.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::*;
use crate::secret::SecretBytes;
use crate::token::algorithm::Algorithm;
use crate::token::key::VerifyingKey;
use crate::token::signing::PrivateKey;

mod claims;
mod mutations;

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
