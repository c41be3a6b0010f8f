//! Keys that sign.

use std::fmt;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use aws_lc_rs::{hmac, rsa};

use super::algorithm::Algorithm;
use super::jwk::PublicKey;
use super::key::{MIN_SECRET_BYTES, VerifyingKey};
use crate::id::random_bytes;
use crate::secret::SecretBytes;

/// The text is no key of the kind that was asked for, or a weak one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a usable private key for {}", .0.as_str())]
pub struct UnusableKey(pub Algorithm);

/// The cryptographic library did not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key could not sign")]
pub struct SigningFailed;

/// A private key of one algorithm.
pub struct PrivateKey(Kind);

enum Kind {
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Hmac {
        key: Box<hmac::Key>,
        secret: SecretBytes,
    },
}

impl PrivateKey {
    /// A new key: the bytes that [`read`](Self::read) takes.
    pub fn generate(algorithm: Algorithm) -> Result<SecretBytes, UnusableKey> {
        let unusable = || UnusableKey(algorithm);
        let bytes = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .and_then(|pair| Ok(pair.to_pkcs8v1()?.as_ref().to_vec())),
            Algorithm::Rs256 => RsaKeyPair::generate(rsa::KeySize::Rsa2048)
                .and_then(|pair| Ok(pair.as_der()?.as_ref().to_vec())),
            Algorithm::EdDsa => {
                Ed25519KeyPair::generate().and_then(|pair| Ok(pair.to_pkcs8v1()?.as_ref().to_vec()))
            }
            Algorithm::Hs256 => Ok(random_bytes::<MIN_SECRET_BYTES>().to_vec()),
            Algorithm::Es384 | Algorithm::Rs384 | Algorithm::Rs512 | Algorithm::Ps256 => {
                return Err(unusable());
            }
        };
        bytes.map(SecretBytes::new).or(Err(unusable()))
    }

    /// Reads a key: DER of PKCS#8 (RFC 5208), of PKCS#1 for RSA and of SEC 1 for EC as well; for HS256
    /// the secret itself, 32 bytes or more.
    pub fn read(algorithm: Algorithm, bytes: &SecretBytes) -> Result<Self, UnusableKey> {
        let der = bytes.expose();
        let kind = match algorithm {
            Algorithm::Es256 => {
                EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
                    .ok()
                    .map(Kind::Ecdsa)
            }
            Algorithm::Rs256 => RsaKeyPair::from_pkcs8(der)
                .or_else(|_not_pkcs8| RsaKeyPair::from_der(der))
                .ok()
                .map(Kind::Rsa),
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(der).ok().map(Kind::Ed25519),
            Algorithm::Hs256 => (der.len() >= MIN_SECRET_BYTES).then(|| Kind::Hmac {
                key: Box::new(hmac::Key::new(hmac::HMAC_SHA256, der)),
                secret: bytes.clone(),
            }),
            Algorithm::Es384 | Algorithm::Rs384 | Algorithm::Rs512 | Algorithm::Ps256 => None,
        };
        kind.map(Self).ok_or(UnusableKey(algorithm))
    }

    /// How it signs.
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            Kind::Ecdsa(_) => Algorithm::Es256,
            Kind::Rsa(_) => Algorithm::Rs256,
            Kind::Ed25519(_) => Algorithm::EdDsa,
            Kind::Hmac { .. } => Algorithm::Hs256,
        }
    }

    /// Its public half; a secret has none.
    pub fn public(&self) -> Option<PublicKey> {
        match &self.0 {
            Kind::Ecdsa(pair) => {
                let (_uncompressed, point) = pair.public_key().as_ref().split_first()?;
                point.try_into().ok().map(PublicKey::P256)
            }
            Kind::Rsa(pair) => Some(PublicKey::Rsa {
                modulus: pair
                    .public_key()
                    .modulus()
                    .big_endian_without_leading_zero()
                    .to_vec(),
                exponent: pair
                    .public_key()
                    .exponent()
                    .big_endian_without_leading_zero()
                    .to_vec(),
            }),
            Kind::Ed25519(pair) => pair
                .public_key()
                .as_ref()
                .try_into()
                .ok()
                .map(PublicKey::Ed25519),
            Kind::Hmac { .. } => None,
        }
    }

    /// The key that checks what this one signs, under the name `kid`.
    pub fn verifying(&self, kid: &str) -> Result<VerifyingKey, UnusableKey> {
        let algorithm = self.algorithm();
        let key = match &self.0 {
            Kind::Hmac { secret, .. } => VerifyingKey::secret(kid.into(), secret),
            Kind::Ecdsa(_) | Kind::Rsa(_) | Kind::Ed25519(_) => self
                .public()
                .and_then(|public| VerifyingKey::public(Some(kid.into()), algorithm, &public)),
        };
        key.ok_or(UnusableKey(algorithm))
    }

    /// The signature over `message`, in the form that a JWS has it (for ES256 r and s, 64 bytes).
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        let random = SystemRandom::new();
        match &self.0 {
            Kind::Ecdsa(pair) => pair
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec()),
            Kind::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map(|()| signature)
            }
            Kind::Ed25519(pair) => pair
                .try_sign(message)
                .map(|signature| signature.as_ref().to_vec()),
            Kind::Hmac { key, .. } => Ok(hmac::sign(key, message).as_ref().to_vec()),
        }
        .or(Err(SigningFailed))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, …)", self.algorithm().as_str())
    }
}
