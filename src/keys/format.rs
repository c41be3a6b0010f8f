//! The text of a key ring.
//!
//! ```json
//! {
//!   "version": 1,
//!   "keys": [
//!     {
//!       "kid": "…",
//!       "algorithm": "ES256 | RS256 | EdDSA | HS256",
//!       "created_at": "2026-11-21T03:39:45.000Z",
//!       "retired_at": "…",
//!       "verifies_until": "…",
//!       "key": "base64url of the PKCS#8 DER; for HS256 of the secret"
//!     }
//!   ],
//!   "session_secrets": [{ "created_at": "…", "secret": "base64url of 32 bytes" }]
//! }
//! ```
//!
//! The first key signs, all of them verify. `retired_at` and `verifies_until` stand together or not at
//! all; a second key without them is one that is made known before it signs. The first session secret
//! makes refresh tokens, all of them check.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::ring::{KeyRing, Retirement, RingKey, SESSION_SECRET_BYTES, SessionSecret};
use super::{RingError, SigningAlgorithm};
use crate::clock::Timestamp;
use crate::secret::{SecretBytes, SecretText};
use crate::token::algorithm::Algorithm;
use crate::token::signing::PrivateKey;

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RingText {
    version: u32,
    keys: Vec<KeyText>,
    session_secrets: Vec<SecretEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyText {
    kid: String,
    algorithm: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retired_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verifies_until: Option<String>,
    key: Wiped,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretEntry {
    created_at: String,
    secret: Wiped,
}

/// A secret in base64url, wiped when dropped.
struct Wiped(Zeroizing<String>);

impl Serialize for Wiped {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Wiped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// Reads the text of a ring.
pub(super) fn parse(text: &str) -> Result<KeyRing, RingError> {
    if text.trim().is_empty() {
        return Err(RingError::Empty);
    }
    let ring: RingText = serde_json::from_str(text).map_err(|error| RingError::Json {
        line: error.line(),
        column: error.column(),
    })?;
    if ring.version != VERSION {
        return Err(RingError::Version(ring.version));
    }
    let session_secrets = session_secrets(&ring.session_secrets)?;
    let mut keys = keys(&ring.keys)?.into_iter();
    Ok(KeyRing {
        newest: keys.next().ok_or(RingError::Lacks("key"))?,
        older: keys.collect(),
        session_secrets,
    })
}

fn keys(texts: &[KeyText]) -> Result<Vec<RingKey>, RingError> {
    let mut keys: Vec<RingKey> = Vec::new();
    for (number, text) in (1..).zip(texts) {
        let wrong = |problem| RingError::Key { number, problem };
        let key = key(text).map_err(wrong)?;
        if keys.iter().any(|other| other.kid == key.kid) {
            return Err(wrong("its kid is that of another key"));
        }
        if number == 1 && key.retirement.is_some() {
            return Err(wrong("the first key must not be retired, as it signs"));
        }
        keys.push(key);
    }
    Ok(keys)
}

fn key(text: &KeyText) -> Result<RingKey, &'static str> {
    if text.kid.is_empty() || !text.kid.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("its kid is not printable ASCII without spaces");
    }
    let algorithm = algorithm(&text.algorithm).ok_or("its algorithm is not known")?;
    let bytes = secret(&text.key).ok_or("it is not base64url")?;
    let private = PrivateKey::read(algorithm.into(), &bytes)
        .and_then(|private| private.verifying(&text.kid).map(|_| private))
        .map_err(|_unusable| "it is no key of its algorithm, or a weak one")?;
    Ok(RingKey {
        kid: text.kid.as_str().into(),
        algorithm,
        created_at: time(&text.created_at)?,
        retirement: retirement(text)?,
        bytes,
        private: Arc::new(private),
    })
}

fn retirement(text: &KeyText) -> Result<Option<Retirement>, &'static str> {
    match (&text.retired_at, &text.verifies_until) {
        (None, None) => Ok(None),
        (Some(retired_at), Some(verifies_until)) => Ok(Some(Retirement {
            retired_at: time(retired_at)?,
            verifies_until: time(verifies_until)?,
        })),
        (Some(_), None) | (None, Some(_)) => {
            Err("retired_at and verifies_until stand together or not at all")
        }
    }
}

fn session_secrets(entries: &[SecretEntry]) -> Result<Vec<SessionSecret>, RingError> {
    if entries.is_empty() {
        return Err(RingError::Lacks("session secret"));
    }
    let read = |(number, entry): (usize, &SecretEntry)| {
        let wrong = |problem| RingError::SessionSecret { number, problem };
        let bytes = secret(&entry.secret).ok_or_else(|| wrong("it is not base64url"))?;
        if bytes.expose().len() < SESSION_SECRET_BYTES {
            return Err(wrong("it is shorter than 32 bytes"));
        }
        Ok(SessionSecret {
            created_at: time(&entry.created_at).map_err(wrong)?,
            bytes,
        })
    };
    (1..).zip(entries).map(read).collect()
}

/// The text of `ring`.
pub(super) fn render(ring: &KeyRing) -> Result<SecretText, serde_json::Error> {
    let keys = ring.keys().map(|key| KeyText {
        kid: key.kid.to_string(),
        algorithm: Algorithm::from(key.algorithm).as_str().to_owned(),
        created_at: key.created_at.to_string(),
        retired_at: key.retirement.map(|end| end.retired_at.to_string()),
        verifies_until: key.retirement.map(|end| end.verifies_until.to_string()),
        key: encode(&key.bytes),
    });
    let session_secrets = ring.session_secrets.iter().map(|secret| SecretEntry {
        created_at: secret.created_at.to_string(),
        secret: encode(&secret.bytes),
    });
    let text = RingText {
        version: VERSION,
        keys: keys.collect(),
        session_secrets: session_secrets.collect(),
    };
    Ok(SecretText::new(serde_json::to_string_pretty(&text)? + "\n"))
}

fn encode(secret: &SecretBytes) -> Wiped {
    Wiped(Zeroizing::new(URL_SAFE_NO_PAD.encode(secret.expose())))
}

fn secret(text: &Wiped) -> Option<SecretBytes> {
    URL_SAFE_NO_PAD
        .decode(text.0.as_str())
        .ok()
        .map(SecretBytes::new)
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    text.parse::<jiff::Timestamp>()
        .map(|time| Timestamp::from_millis(time.as_millisecond()))
        .map_err(|_no_time| "one of its times is not RFC 3339 in UTC")
}

fn algorithm(text: &str) -> Option<SigningAlgorithm> {
    match Algorithm::parse(text)? {
        Algorithm::Es256 => Some(SigningAlgorithm::Es256),
        Algorithm::Rs256 => Some(SigningAlgorithm::Rs256),
        Algorithm::EdDsa => Some(SigningAlgorithm::EdDsa),
        Algorithm::Hs256 => Some(SigningAlgorithm::Hs256),
        Algorithm::Es384 | Algorithm::Rs384 | Algorithm::Rs512 | Algorithm::Ps256 => None,
    }
}

#[cfg(test)]
mod tests;
