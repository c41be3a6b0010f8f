//! JSON Web Keys (RFC 7517): public keys and sets of them, read and written.
//!
//! Only public keys are read: a symmetric key that came over a wire is no secret, and taking it would
//! let anybody who sees the set sign.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::algorithm::Algorithm;
use super::key::{KeySet, VerifyingKey};
use super::unverified::is_kid;
use crate::user::JsonObject;

/// What a set of keys must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// Not `{"keys": […]}`.
    #[error("not a JSON Web Key Set")]
    Malformed,
    /// There may be keys, but none that could check a signature here.
    #[error("no key in it that can be used")]
    NoUsableKey,
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// A point on P-256: 32 bytes of x, 32 of y.
    P256([u8; 64]),
    /// A point on P-384: 48 bytes of x, 48 of y.
    P384([u8; 96]),
    /// An Ed25519 key.
    Ed25519([u8; 32]),
    /// An RSA key, big-endian without leading zeros.
    Rsa {
        /// The modulus.
        modulus: Vec<u8>,
        /// The exponent.
        exponent: Vec<u8>,
    },
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<JsonObject>,
}

impl KeySet {
    /// Reads a JSON Web Key Set (RFC 7517 §5), and skips the keys in it that are of no use here: for
    /// encryption, symmetric, too weak, of unknown kinds. `keys` of `{}` is what an outage looks like,
    /// so a set without any good key is an error.
    pub fn from_jwks(text: &[u8]) -> Result<Self, JwksError> {
        let Ok(jwks) = serde_json::from_slice::<Jwks>(text) else {
            return Err(JwksError::Malformed);
        };
        let keys: Self = jwks.keys.iter().filter_map(verifying_key).collect();
        if keys.is_empty() {
            return Err(JwksError::NoUsableKey);
        }
        Ok(keys)
    }
}

fn verifying_key(jwk: &JsonObject) -> Option<VerifyingKey> {
    let public = PublicKey::from_jwk(jwk)?;
    if !is_for_verifying(jwk) {
        return None;
    }
    let kid = match jwk.get("kid") {
        None => None,
        Some(kid) => Some(kid.as_str().filter(|kid| is_kid(kid))?.into()),
    };
    let algorithm = match jwk.get("alg") {
        None => public.usual_algorithm(),
        Some(alg) => Algorithm::parse(alg.as_str()?)?,
    };
    VerifyingKey::public(kid, algorithm, &public)
}

/// RFC 7517 §4.2 and §4.3: what is not said is allowed.
fn is_for_verifying(jwk: &JsonObject) -> bool {
    let used_for_signatures = jwk.get("use").is_none_or(|usage| usage == "sig");
    let may_verify = jwk.get("key_ops").is_none_or(|operations| {
        let operations = operations.as_array();
        operations.is_some_and(|list| list.iter().any(|operation| operation == "verify"))
    });
    used_for_signatures && may_verify
}

impl PublicKey {
    /// Reads a public JSON Web Key; `None` for those of other kinds (`oct` above all).
    pub fn from_jwk(jwk: &JsonObject) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        match (text("kty")?, text("crv")) {
            ("EC", Some("P-256")) => point(&bytes("x")?, &bytes("y")?).map(Self::P256),
            ("EC", Some("P-384")) => point(&bytes("x")?, &bytes("y")?).map(Self::P384),
            ("OKP", Some("Ed25519")) => bytes("x")?.try_into().ok().map(Self::Ed25519),
            ("RSA", _) => Some(Self::Rsa {
                modulus: bytes("n")?,
                exponent: bytes("e")?,
            }),
            _ => None,
        }
    }

    /// The key as a JSON Web Key, without a name.
    pub fn to_jwk(&self) -> JsonObject {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk = match self {
            Self::P256(point) => {
                let (x, y) = point.split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
            }
            Self::P384(point) => {
                let (x, y) = point.split_at(48);
                json!({"kty": "EC", "crv": "P-384", "x": encode(x), "y": encode(y)})
            }
            Self::Ed25519(x) => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(x)}),
            Self::Rsa { modulus, exponent } => {
                json!({"kty": "RSA", "n": encode(modulus), "e": encode(exponent)})
            }
        };
        match jwk {
            Value::Object(jwk) => jwk,
            _ => JsonObject::new(),
        }
    }

    /// The base64url SHA-256 thumbprint (RFC 7638): a name that every holder of the key finds alike.
    pub fn thumbprint(&self) -> String {
        // The required members in lexicographic order without white space, which is how a map that is
        // sorted by name prints itself (RFC 7638 §3.3).
        let members: std::collections::BTreeMap<_, _> = self.to_jwk().into_iter().collect();
        let canonical = json!(members).to_string();
        URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
    }

    /// What a key without `alg` signs with. RSA keys could do several; RS256 is the one that every
    /// issuer of such keys uses (OpenID Connect Core 1.0 §15.1), and a key has one algorithm here.
    const fn usual_algorithm(&self) -> Algorithm {
        match self {
            Self::P256(_) => Algorithm::Es256,
            Self::P384(_) => Algorithm::Es384,
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::Rsa { .. } => Algorithm::Rs256,
        }
    }

    /// The key made ready for `algorithm`; `None` where they do not fit, and for weak RSA keys.
    pub(super) fn parse_for(&self, algorithm: Algorithm) -> Option<ParsedPublicKey> {
        match (self, algorithm) {
            (Self::P256(point), Algorithm::Es256) => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, uncompressed(point)).ok()
            }
            (Self::P384(point), Algorithm::Es384) => {
                ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, uncompressed(point)).ok()
            }
            (Self::Ed25519(key), Algorithm::EdDsa) => ParsedPublicKey::new(&ED25519, key).ok(),
            (Self::Rsa { modulus, exponent }, _) => {
                let parameters = rsa_parameters(algorithm)?;
                if !is_strong(modulus, exponent) {
                    return None;
                }
                let key = RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                };
                key.to_parsed_public_key(parameters).ok()
            }
            (Self::P256(_) | Self::P384(_) | Self::Ed25519(_), _) => None,
        }
    }
}

const fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa | Algorithm::Hs256 => None,
    }
}

/// 2048 to 8192 bits (RFC 7518 §3.3; above, checking one signature is an attack by itself), and an odd
/// exponent of 3 to 64 bits: with the exponent 1 every message is its own signature.
fn is_strong(modulus: &[u8], exponent: &[u8]) -> bool {
    let bits = match modulus.first() {
        Some(0) | None => return false,
        Some(first) => modulus.len() * 8 - usize::try_from(first.leading_zeros()).unwrap_or(0),
    };
    let odd = exponent.last().is_some_and(|last| last & 1 == 1);
    let more_than_one = exponent.len() > 1 || exponent.first().is_some_and(|byte| *byte > 1);
    (2048..=8192).contains(&bits)
        && odd
        && more_than_one
        && exponent.len() <= 8
        && exponent.first() != Some(&0)
}

/// Both coordinates at full length: RFC 7518 §6.2.1.2 allows no shorter ones.
fn point<const N: usize>(x: &[u8], y: &[u8]) -> Option<[u8; N]> {
    if x.len() * 2 != N {
        return None;
    }
    [x, y].concat().try_into().ok()
}

/// SEC 1 §2.3.3.
fn uncompressed(point: &[u8]) -> Vec<u8> {
    [&[4], point].concat()
}

#[cfg(test)]
mod tests;
