//! Keys that check signatures, and sets of them. A key fixes its algorithm; a token only names it.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::ParsedPublicKey;

use super::TokenError;
use super::algorithm::Algorithm;
use super::jwk::PublicKey;
use super::unverified::UnverifiedToken;
use crate::clock::Timestamp;
use crate::secret::SecretBytes;

/// The fewest bytes of a secret for HS256 (RFC 7518 §3.2): as many as its hash has.
pub const MIN_SECRET_BYTES: usize = 32;

/// A key that checks the signatures of one algorithm.
#[derive(Clone, Debug)]
pub struct VerifyingKey {
    kid: Option<Box<str>>,
    algorithm: Algorithm,
    material: Material,
    /// SHA-256 over the key itself, so that two sets can be told apart.
    fingerprint: [u8; 32],
    until: Option<Timestamp>,
}

#[derive(Clone, Debug)]
enum Material {
    Public(Box<ParsedPublicKey>),
    Secret(Box<hmac::Key>),
}

impl VerifyingKey {
    /// The key `public`, for signatures of `algorithm`; `None` where the two do not fit or the key is
    /// too weak.
    pub fn public(kid: Option<Box<str>>, algorithm: Algorithm, public: &PublicKey) -> Option<Self> {
        let parsed = public.parse_for(algorithm)?;
        Some(Self {
            kid,
            algorithm,
            fingerprint: sha256(parsed.as_ref()),
            material: Material::Public(Box::new(parsed)),
            until: None,
        })
    }

    /// A secret for HS256; `None` if it is shorter than [`MIN_SECRET_BYTES`]. An empty one signs what
    /// anybody can sign.
    pub fn secret(kid: Box<str>, secret: &SecretBytes) -> Option<Self> {
        if secret.expose().len() < MIN_SECRET_BYTES {
            return None;
        }
        Some(Self {
            kid: Some(kid),
            algorithm: Algorithm::Hs256,
            fingerprint: sha256(secret.expose()),
            material: Material::Secret(Box::new(hmac::Key::new(
                hmac::HMAC_SHA256,
                secret.expose(),
            ))),
            until: None,
        })
    }

    /// The same key, which from `until` on checks nothing any more.
    #[must_use]
    pub fn trusted_until(self, until: Option<Timestamp>) -> Self {
        Self { until, ..self }
    }

    /// From when on it checks nothing any more.
    pub const fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// Its algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Checks the signature of `token`.
    pub(super) fn check(&self, token: &UnverifiedToken<'_>) -> Result<(), TokenError> {
        let good = match &self.material {
            Material::Public(key) => key
                .verify_sig(token.signing_input, &token.signature)
                .is_ok(),
            Material::Secret(key) => {
                hmac::verify(key, token.signing_input, &token.signature).is_ok()
            }
        };
        if good {
            Ok(())
        } else {
            Err(TokenError::Signature)
        }
    }

    fn lives_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.kid == other.kid
            && self.algorithm == other.algorithm
            && self.until == other.until
            && self.fingerprint == other.fingerprint
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// The keys of one issuer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeySet(Vec<VerifyingKey>);

impl KeySet {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a key has this name, whatever its algorithm.
    pub fn knows(&self, kid: &str) -> bool {
        self.0.iter().any(|key| key.kid.as_deref() == Some(kid))
    }

    /// The key that `token` names, if it is of the token's algorithm and lives at `now`.
    ///
    /// A token without a `kid` is checked only where the issuer has a single key of its algorithm:
    /// nothing is tried out.
    pub(super) fn find(
        &self,
        token: &UnverifiedToken<'_>,
        now: Timestamp,
    ) -> Result<&VerifyingKey, TokenError> {
        let mut fitting = self.0.iter().filter(|key| {
            key.algorithm == token.algorithm
                && key.lives_at(now)
                && (token.kid.is_none() || key.kid == token.kid)
        });
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (None, _) | (Some(_), Some(_)) => Err(TokenError::UnknownKey),
        }
    }
}

impl FromIterator<VerifyingKey> for KeySet {
    fn from_iter<I: IntoIterator<Item = VerifyingKey>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
    }
}
