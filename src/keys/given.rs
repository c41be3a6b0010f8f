//! A key ring that the operator gives: its text, or one private key in PEM.

use std::sync::Arc;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;

use super::ring::{KeyRing, RingKey, SESSION_SECRET_BYTES, SessionSecret, usual_kid};
use super::{RingError, SigningAlgorithm, format};
use crate::clock::Timestamp;
use crate::secret::{SecretBytes, SecretText};
use crate::token::signing::PrivateKey;

/// Keeps what is derived from a signing key apart from all else that may ever be derived from it.
const SESSION_SECRET_LABEL: &[u8] = b"doorward session secret v1";

/// Nobody can tell when a key in PEM was made.
const UNKNOWN: Timestamp = Timestamp::from_seconds(0);

/// Reads what the operator gave.
pub(super) fn parse(text: &SecretText) -> Result<KeyRing, RingError> {
    if text.expose().trim_start().starts_with("-----BEGIN ") {
        from_pem(text.expose())
    } else {
        format::parse(text.expose())
    }
}

/// The kind of the key tells its algorithm.
fn from_pem(pem: &str) -> Result<KeyRing, RingError> {
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_no_key| RingError::Pem)?;
    let bytes = SecretBytes::new(der.secret_der().to_vec());
    let session_secret = derive_session_secret(&bytes).ok_or(RingError::Pem)?;
    let kinds = [
        SigningAlgorithm::Es256,
        SigningAlgorithm::EdDsa,
        SigningAlgorithm::Rs256,
    ];
    let (algorithm, private) = kinds
        .into_iter()
        .find_map(|algorithm| {
            let private = PrivateKey::read(algorithm.into(), &bytes).ok()?;
            Some((algorithm, private))
        })
        .ok_or(RingError::Pem)?;
    let kid = usual_kid(&private);
    // A weak RSA key signs, but nothing would verify what it signed.
    private.verifying(&kid).map_err(|_weak| RingError::Pem)?;
    Ok(KeyRing {
        newest: RingKey {
            kid,
            algorithm,
            created_at: UNKNOWN,
            retirement: None,
            bytes,
            private: Arc::new(private),
        },
        older: Vec::new(),
        session_secrets: vec![SessionSecret {
            created_at: UNKNOWN,
            bytes: session_secret,
        }],
    })
}

/// HKDF (RFC 5869): every replica that is given the same key derives the same secret.
fn derive_session_secret(key: &SecretBytes) -> Option<SecretBytes> {
    let mut secret = vec![0; SESSION_SECRET_BYTES];
    Salt::none(HKDF_SHA256)
        .extract(key.expose())
        .expand(&[SESSION_SECRET_LABEL], HKDF_SHA256)
        .and_then(|material| material.fill(&mut secret))
        .ok()?;
    Some(SecretBytes::new(secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::algorithm::Algorithm;

    fn pem(algorithm: &'static rcgen::SignatureAlgorithm) -> SecretText {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        SecretText::new(key.serialize_pem())
    }

    #[test]
    fn a_single_pem_key_is_a_whole_ring_and_the_same_one_each_time() {
        let check = |algorithm: &'static rcgen::SignatureAlgorithm, expected: Algorithm| {
            let pem = pem(algorithm);
            let (one, other) = (parse(&pem).unwrap(), parse(&pem).unwrap());
            assert_eq!(one.newest().private().algorithm(), expected);
            assert_eq!(one.newest().kid(), other.newest().kid());
            let value = one.session_signer().derive("x").unwrap();
            assert!(other.session_signer().derived("x", &value));
        };
        check(&rcgen::PKCS_ECDSA_P256_SHA256, Algorithm::Es256);
        check(&rcgen::PKCS_ED25519, Algorithm::EdDsa);
        check(&rcgen::PKCS_RSA_SHA256, Algorithm::Rs256);
    }

    #[test]
    fn another_key_derives_another_secret() {
        let ring = || parse(&pem(&rcgen::PKCS_ED25519)).unwrap().session_signer();
        let value = ring().derive("x").unwrap();
        assert!(!ring().derived("x", &value));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let check = |text: &str, expected: RingError| {
            assert_eq!(parse(&text.into()).err(), Some(expected), "{text:.40}");
        };
        check("", RingError::Empty);
        check("-----BEGIN PRIVATE KEY-----", RingError::Pem);
        check(pem(&rcgen::PKCS_ECDSA_P384_SHA384).expose(), RingError::Pem);
        let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        check(certificate, RingError::Pem);
        assert!(matches!(
            parse(&"secret".into()),
            Err(RingError::Json { .. })
        ));
    }
}
