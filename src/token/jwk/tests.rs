use super::*;

/// The key of RFC 7638 §3.1.
const RFC_7638_MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

fn rsa(more: &Value) -> Value {
    let mut jwk = json!({"kty": "RSA", "n": RFC_7638_MODULUS, "e": "AQAB", "kid": "r"});
    let more = more.as_object().cloned().unwrap_or_default();
    jwk.as_object_mut().unwrap().extend(more);
    jwk
}

fn usable(jwk: &Value) -> Option<Algorithm> {
    let text = json!({"keys": [jwk]}).to_string();
    let keys = KeySet::from_jwks(text.as_bytes()).ok()?;
    let found = [
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::EdDsa,
        Algorithm::Hs256,
    ];
    found
        .into_iter()
        .find(|algorithm| keys == keys_of(jwk, *algorithm))
}

fn keys_of(jwk: &Value, algorithm: Algorithm) -> KeySet {
    let jwk = jwk.as_object().unwrap();
    let kid = jwk.get("kid").and_then(Value::as_str).map(Into::into);
    PublicKey::from_jwk(jwk)
        .and_then(|public| VerifyingKey::public(kid, algorithm, &public))
        .into_iter()
        .collect()
}

#[test]
fn the_thumbprint_is_that_of_rfc_7638() {
    let jwk = rsa(&json!({"alg": "RS256"}));
    let key = PublicKey::from_jwk(jwk.as_object().unwrap()).unwrap();
    assert_eq!(
        key.thumbprint(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
}

#[test]
fn a_key_has_one_algorithm() {
    let check = |more: Value, expected: Option<Algorithm>| {
        assert_eq!(usable(&rsa(&more)), expected, "{more}");
    };
    check(json!({}), Some(Algorithm::Rs256));
    check(
        json!({"alg": "RS256", "use": "sig"}),
        Some(Algorithm::Rs256),
    );
    check(json!({"alg": "RS512"}), Some(Algorithm::Rs512));
    check(json!({"alg": "PS256"}), Some(Algorithm::Ps256));
    check(json!({"key_ops": ["verify"]}), Some(Algorithm::Rs256));
    for alg in ["HS256", "none", "ES256", "EdDSA", "RSA-OAEP", ""] {
        check(json!({"alg": alg}), None);
    }
    check(json!({"alg": 1}), None);
    check(json!({"use": "enc"}), None);
    check(json!({"key_ops": ["encrypt"]}), None);
    check(json!({"key_ops": "verify"}), None);
    check(json!({"kid": 7}), None);
    check(json!({"kid": "a\0"}), None);
}

#[test]
fn weak_and_odd_keys_are_skipped() {
    let modulus = URL_SAFE_NO_PAD.decode(RFC_7638_MODULUS).unwrap();
    let check = |modulus: &[u8], exponent: &[u8], expected: Option<Algorithm>| {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk = rsa(&json!({"n": encode(modulus), "e": encode(exponent)}));
        assert_eq!(usable(&jwk), expected, "{} {exponent:?}", modulus.len());
    };
    check(&modulus, &[1, 0, 1], Some(Algorithm::Rs256));
    check(&modulus[..128], &[1, 0, 1], None);
    check(&modulus[..255], &[1, 0, 1], None);
    check(&[&[0x40], &modulus[1..]].concat(), &[1, 0, 1], None);
    check(&[&[0], &modulus[1..]].concat(), &[1, 0, 1], None);
    check(&modulus.repeat(5), &[1, 0, 1], None);
    for exponent in [&[][..], &[0], &[1], &[2], &[1, 0], &[0, 3], &[1; 9]] {
        check(&modulus, exponent, None);
    }
    check(&[], &[1, 0, 1], None);
}

#[test]
fn a_secret_is_never_taken_from_a_set() {
    let secret = URL_SAFE_NO_PAD.encode([7; 32]);
    assert_eq!(
        usable(&json!({"kty": "oct", "k": secret, "alg": "HS256", "kid": "h"})),
        None
    );
}

#[test]
fn a_point_must_lie_on_its_curve_and_be_whole() {
    // RFC 7515 appendix A.3.
    let (x, y) = (
        "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    );
    let check = |crv: &str, x: &str, y: &str, expected: Option<Algorithm>| {
        let jwk = json!({"kty": "EC", "crv": crv, "x": x, "y": y});
        assert_eq!(usable(&jwk), expected, "{crv} {x} {y}");
    };
    check("P-256", x, y, Some(Algorithm::Es256));
    check("P-256", y, x, None);
    check("P-384", x, y, None);
    check("secp256k1", x, y, None);
    check("P-256", &x.replace("f83O", ""), y, None);
    check("P-256", &format!("{x}="), y, None);
    check("P-256", "", "", None);
}

#[test]
fn a_set_without_a_good_key_is_an_error() {
    let check = |text: &str, expected: JwksError| {
        assert_eq!(
            KeySet::from_jwks(text.as_bytes()).err(),
            Some(expected),
            "{text:.40}"
        );
    };
    check(r#"{"keys":[]}"#, JwksError::NoUsableKey);
    check(r#"{"keys":[{}]}"#, JwksError::NoUsableKey);
    for text in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"keys":{}}"#,
        r#"{"keys":[1]}"#,
        "<html>",
    ] {
        check(text, JwksError::Malformed);
    }
    check(&"[".repeat(100_000), JwksError::Malformed);
}

#[test]
fn a_bad_key_does_not_spoil_the_others() {
    let text = json!({"keys": [{"kty": "oct", "k": "AA"}, rsa(&json!({})), {"kty": "PQ"}]});
    let keys = KeySet::from_jwks(text.to_string().as_bytes()).unwrap();
    assert_eq!(keys.len(), 1);
    assert!(keys.knows("r") && !keys.knows("q"));
}
