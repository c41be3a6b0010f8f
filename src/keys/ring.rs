//! The gateway's own keys: what signs its tokens, what still verifies them, and the session secrets.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use bytes::Bytes;
use serde_json::{Value, json};

use super::SigningAlgorithm;
use crate::clock::Timestamp;
use crate::id::random_bytes;
use crate::secret::SecretBytes;
use crate::session::{SessionSigner, hex};
use crate::token::key::KeySet;
use crate::token::signing::{PrivateKey, UnusableKey};

/// The bytes of a session secret: as many as the hash that it keys has.
pub const SESSION_SECRET_BYTES: usize = 32;

/// For how long a new key is only shown before it signs. Replicas look at the ring once a second: one that
/// did not know the key yet would refuse its tokens.
pub const SHOWN_FIRST: Duration = Duration::from_secs(5);

/// All keys of the gateway. One signs: the newest, once it was shown for long enough. The older ones verify
/// until their last token ends.
#[derive(Clone, Debug)]
pub struct KeyRing {
    pub(super) newest: RingKey,
    pub(super) older: Vec<RingKey>,
    /// The newest first, which makes refresh tokens; all of them check.
    pub(super) session_secrets: Vec<SessionSecret>,
}

/// A key of the ring.
#[derive(Clone, Debug)]
pub struct RingKey {
    pub(super) kid: Box<str>,
    pub(super) algorithm: SigningAlgorithm,
    pub(super) created_at: Timestamp,
    pub(super) retirement: Option<Retirement>,
    pub(super) bytes: SecretBytes,
    pub(super) private: Arc<PrivateKey>,
}

/// The end of a key, which may lie ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retirement {
    /// When it signs its last token.
    pub retired_at: Timestamp,
    /// When its last token ends; from then on it verifies nothing.
    pub verifies_until: Timestamp,
}

/// What may be told of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// Its name.
    pub kid: Box<str>,
    /// How it signs.
    pub algorithm: SigningAlgorithm,
    /// When it was made, where that is known.
    pub created_at: Option<Timestamp>,
    /// What it is good for.
    pub standing: Standing,
}

/// What a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It signs, and verifies.
    Signs,
    /// It verifies until its last token ends.
    Verifies(Retirement),
    /// Its last token has ended; the next rotation takes it out of the ring.
    IsOver(Retirement),
}

/// A secret of [`SESSION_SECRET_BYTES`] or more.
#[derive(Clone, Debug)]
pub struct SessionSecret {
    pub(super) created_at: Timestamp,
    pub(super) bytes: SecretBytes,
}

/// The change to a new signing key.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// How the new key signs.
    pub algorithm: SigningAlgorithm,
    /// The present.
    pub now: Timestamp,
    /// How long the old key goes on verifying after its last token: the life of one, and the leeway.
    pub retire_after: Duration,
}

impl Rotation {
    /// For how long an old key verifies, where tokens live for `access` and are accepted for `leeway`
    /// beyond it.
    pub fn after_last_token(access: Duration, leeway: Duration) -> Duration {
        access.saturating_add(leeway)
    }
}

impl KeyRing {
    /// A ring of one new key and one new session secret.
    pub fn generate(algorithm: SigningAlgorithm, now: Timestamp) -> Result<Self, UnusableKey> {
        Ok(Self {
            newest: RingKey::generate(algorithm, now)?,
            older: Vec::new(),
            session_secrets: vec![SessionSecret {
                created_at: now,
                bytes: SecretBytes::new(random_bytes::<SESSION_SECRET_BYTES>().to_vec()),
            }],
        })
    }

    /// The ring after a rotation: a new key that signs after [`SHOWN_FIRST`], when the one before it
    /// retires; those whose last token has ended are gone. Session secrets stay, so nobody has to sign in again.
    pub fn rotated(&self, rotation: Rotation) -> Result<Self, UnusableKey> {
        let now = rotation.now;
        let retired_at = now.plus(SHOWN_FIRST);
        let retirement = Retirement {
            retired_at,
            verifies_until: retired_at.plus(rotation.retire_after),
        };
        let older = self.keys().filter(|key| key.lives_at(now)).cloned();
        let older = older.map(|key| RingKey {
            retirement: key.retirement.or(Some(retirement)),
            ..key
        });
        Ok(Self {
            newest: RingKey::generate(rotation.algorithm, now)?,
            older: older.collect(),
            session_secrets: self.session_secrets.clone(),
        })
    }

    /// The newest key, which signs, or will when all others have retired.
    pub const fn newest(&self) -> &RingKey {
        &self.newest
    }

    /// The keys that sign at `now` and later until they retire, with when they do; the first to do so
    /// comes first. Then it is the turn of the newest.
    pub fn retiring(&self, now: Timestamp) -> Vec<(&RingKey, Timestamp)> {
        let ends = |key: &RingKey| key.retirement.map(|end| end.retired_at);
        let older = self.older.iter().filter_map(|key| Some((key, ends(key)?)));
        let mut retiring: Vec<_> = older.filter(|(_, end)| now < *end).collect();
        retiring.sort_by_key(|(_, end)| *end);
        retiring
    }

    /// All keys, the newest first.
    pub fn keys(&self) -> impl Iterator<Item = &RingKey> {
        std::iter::once(&self.newest).chain(&self.older)
    }

    /// What may be told of the keys, the newest first.
    pub fn facts(&self, now: Timestamp) -> Vec<KeyFacts> {
        self.keys().map(|key| key.facts(now)).collect()
    }

    /// What checks tokens at `now` and later.
    pub fn verifying(&self, now: Timestamp) -> Result<KeySet, UnusableKey> {
        let live = self.keys().filter(|key| key.lives_at(now));
        live.map(|key| {
            let until = key.retirement.map(|retirement| retirement.verifies_until);
            Ok(key.private.verifying(&key.kid)?.trusted_until(until))
        })
        .collect()
    }

    /// The public keys that verify at `now`, as a JSON Web Key Set (RFC 7517 §5). Keys for HS256 have
    /// no public half and are not in it.
    pub fn jwks(&self, now: Timestamp) -> Bytes {
        let live = self.keys().filter(|key| key.lives_at(now));
        let keys: Vec<Value> = live.filter_map(RingKey::public_jwk).collect();
        Bytes::from(json!({ "keys": keys }).to_string())
    }

    /// Keys for another purpose, one from each session secret and in their order: the first for what is
    /// new, all of them to check. They outlive a rotation, as the secrets do (HKDF, RFC 5869).
    pub fn derived(&self, label: &[u8]) -> Vec<SecretBytes> {
        let derive = |secret: &SessionSecret| {
            let mut key = vec![0; SESSION_SECRET_BYTES];
            Salt::none(HKDF_SHA256)
                .extract(secret.bytes.expose())
                .expand(&[label], HKDF_SHA256)
                .and_then(|material| material.fill(&mut key))
                .ok()?;
            Some(SecretBytes::new(key))
        };
        self.session_secrets.iter().filter_map(derive).collect()
    }

    /// Signs and checks refresh tokens with the session secrets.
    pub fn session_signer(&self) -> SessionSigner {
        let secrets = self.session_secrets.iter();
        let secrets: Vec<_> = secrets.map(|secret| secret.bytes.clone()).collect();
        SessionSigner::new(&secrets)
    }
}

impl RingKey {
    fn generate(algorithm: SigningAlgorithm, now: Timestamp) -> Result<Self, UnusableKey> {
        let bytes = PrivateKey::generate(algorithm.into())?;
        let private = PrivateKey::read(algorithm.into(), &bytes)?;
        Ok(Self {
            kid: usual_kid(&private),
            algorithm,
            created_at: now,
            retirement: None,
            bytes,
            private: Arc::new(private),
        })
    }

    /// Its name: in tokens, the key set, and logs.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// How it signs.
    pub const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// When it was made; the Unix epoch where that is not known.
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Since when it signs no more, and until when it verifies; `None` while it lives.
    pub const fn retirement(&self) -> Option<Retirement> {
        self.retirement
    }

    /// The private key.
    pub const fn private(&self) -> &Arc<PrivateKey> {
        &self.private
    }

    fn facts(&self, now: Timestamp) -> KeyFacts {
        let standing = match self.retirement {
            None => Standing::Signs,
            Some(retirement) if self.lives_at(now) => Standing::Verifies(retirement),
            Some(retirement) => Standing::IsOver(retirement),
        };
        KeyFacts {
            kid: self.kid.clone(),
            algorithm: self.algorithm,
            created_at: Some(self.created_at).filter(|made| made.as_millis() != 0),
            standing,
        }
    }

    fn lives_at(&self, now: Timestamp) -> bool {
        self.retirement
            .is_none_or(|retirement| now < retirement.verifies_until)
    }

    fn public_jwk(&self) -> Option<Value> {
        let mut jwk = self.private.public()?.to_jwk();
        jwk.insert("alg".to_owned(), json!(self.private.algorithm().as_str()));
        jwk.insert("use".to_owned(), json!("sig"));
        jwk.insert("kid".to_owned(), json!(self.kid));
        Some(Value::Object(jwk))
    }
}

/// The thumbprint of the public key (RFC 7638), the same on every replica. A secret gets a random name:
/// its thumbprint would let everybody who sees a token test guesses (RFC 7638 §7).
pub(super) fn usual_kid(private: &PrivateKey) -> Box<str> {
    match private.public() {
        Some(public) => public.thumbprint().into(),
        None => hex(&random_bytes::<16>()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: Timestamp = Timestamp::from_seconds(1_000);
    const ALL: [SigningAlgorithm; 4] = [
        SigningAlgorithm::Es256,
        SigningAlgorithm::Rs256,
        SigningAlgorithm::EdDsa,
        SigningAlgorithm::Hs256,
    ];

    fn rotation(now: Timestamp) -> Rotation {
        Rotation {
            algorithm: SigningAlgorithm::EdDsa,
            now,
            retire_after: Duration::from_mins(16),
        }
    }

    #[test]
    fn an_old_key_verifies_until_its_last_token_ends() {
        let old = KeyRing::generate(SigningAlgorithm::Es256, MADE).unwrap();
        let turned = MADE.plus(Duration::from_secs(10));
        let ring = old.rotated(rotation(turned)).unwrap();
        let retired = turned.plus(SHOWN_FIRST);
        let last = retired.plus(Duration::from_millis(959_999));
        let over = retired.plus(Duration::from_mins(16));
        assert_eq!(ring.verifying(last).unwrap().len(), 2);
        let left = ring.verifying(over).unwrap();
        assert!(left.knows(ring.newest().kid()) && !left.knows(old.newest().kid()));
        // It is out of the ring itself at the next rotation, and retires only once.
        assert_eq!(ring.rotated(rotation(last)).unwrap().keys().count(), 3);
        assert_eq!(ring.rotated(rotation(over)).unwrap().keys().count(), 2);
        let twice = ring.rotated(rotation(last)).unwrap();
        let oldest = twice.keys().last().and_then(RingKey::retirement).unwrap();
        assert_eq!(oldest.verifies_until, over);
    }

    #[test]
    fn an_old_key_signs_until_everybody_has_seen_the_new_one() {
        let at = |seconds| MADE.plus(Duration::from_secs(seconds));
        let first = KeyRing::generate(SigningAlgorithm::Es256, MADE).unwrap();
        let second = first.rotated(rotation(at(10))).unwrap();
        let third = second.rotated(rotation(at(12))).unwrap();
        let [one, two] = [&first, &second].map(|ring| ring.newest().kid());
        let retiring = |ring: &KeyRing, seconds| -> Vec<String> {
            let keys = ring.retiring(at(seconds)).into_iter();
            keys.map(|(key, _)| key.kid().to_owned()).collect()
        };
        assert!(retiring(&first, 0).is_empty());
        assert_eq!(retiring(&second, 14), [one]);
        assert!(retiring(&second, 15).is_empty());
        assert_eq!(retiring(&third, 14), [one, two]);
        assert_eq!(retiring(&third, 16), [two]);
        assert!(retiring(&third, 17).is_empty());
    }

    #[test]
    fn the_public_set_shows_public_keys_only() {
        for algorithm in ALL {
            let ring = KeyRing::generate(algorithm, MADE).unwrap();
            let shown: Value = serde_json::from_slice(&ring.jwks(MADE)).unwrap();
            let keys = shown["keys"].as_array().unwrap();
            if algorithm == SigningAlgorithm::Hs256 {
                assert!(keys.is_empty(), "{shown}");
                continue;
            }
            assert_eq!(keys.len(), 1);
            assert_eq!(keys[0]["kid"], ring.newest().kid());
            assert_eq!(keys[0]["use"], "sig");
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(keys[0].get(private).is_none(), "{private}");
            }
            let read = KeySet::from_jwks(&ring.jwks(MADE)).unwrap();
            assert_eq!(read, ring.verifying(MADE).unwrap());
        }
    }

    #[test]
    fn refresh_tokens_outlive_a_rotation() {
        let ring = KeyRing::generate(SigningAlgorithm::Es256, MADE).unwrap();
        let value = ring.session_signer().derive("x").unwrap();
        let keys = |ring: &KeyRing, label: &[u8]| -> Vec<Vec<u8>> {
            let keys = ring.derived(label).into_iter();
            keys.map(|key| key.expose().to_vec()).collect()
        };
        let derived = keys(&ring, b"one");
        assert_ne!(derived, keys(&ring, b"another"));
        let ring = ring.rotated(rotation(MADE)).unwrap();
        assert!(ring.session_signer().derived("x", &value));
        assert_eq!(keys(&ring, b"one"), derived);
    }
}
