//! Seals: keyed hashes, each over what came before it. Whoever can write where the trail is kept, and
//! does not have the key ring, can make none.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use serde::{Serialize, Serializer};

use crate::secret::{SecretBytes, same_bytes};

/// Under which name the keys are derived from the key ring.
pub const KEY_LABEL: &[u8] = b"doorward audit trail v1";

const ENTRY_LABEL: &[u8] = b"doorward audit entry v1:";
const HEAD_LABEL: &[u8] = b"doorward audit head v1:";
const LINE_LABEL: &[u8] = b"doorward audit line v1:";

/// A seal: HMAC-SHA256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; Self::BYTES]);

impl Hash {
    /// The bytes of one.
    pub const BYTES: usize = 32;
    /// Before the first entry.
    pub const NONE: Self = Self([0; Self::BYTES]);

    /// From its bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {} hexadecimal digits", 2 * Hash::BYTES)]
pub struct NotAHash;

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
        let digits = digits.ok_or(NotAHash)?;
        let pairs = digits.chunks(2).map(|pair| match pair {
            [high, low] => u8::try_from(high << 4 | low).or(Err(NotAHash)),
            _ => Err(NotAHash),
        });
        let bytes: Vec<u8> = pairs.collect::<Result<_, _>>()?;
        Self::from_slice(&bytes).ok_or(NotAHash)
    }
}

/// What makes and checks seals. The first key makes them, all of them check.
#[derive(Clone)]
pub struct SealKeys {
    newest: hmac::Key,
    older: Vec<hmac::Key>,
}

impl SealKeys {
    /// With these keys, the newest first; `None` without any.
    pub fn new(keys: &[SecretBytes]) -> Option<Self> {
        let mut keys = keys
            .iter()
            .map(|key| hmac::Key::new(HMAC_SHA256, key.expose()));
        Some(Self {
            newest: keys.next()?,
            older: keys.collect(),
        })
    }

    /// These keys, and those of `other` to check with.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.older.push(other.newest);
        self.older.extend(other.older);
        self
    }

    pub(super) fn entry(&self, previous: &Hash, canonical: &[u8]) -> Hash {
        sign(&self.newest, &[ENTRY_LABEL, previous.as_bytes(), canonical])
    }

    pub(super) fn is_entry(&self, (previous, canonical): (&Hash, &[u8]), hash: &Hash) -> bool {
        self.made(&[ENTRY_LABEL, previous.as_bytes(), canonical], hash)
    }

    pub(super) fn head(&self, seq: i64, hash: &Hash) -> Hash {
        sign(
            &self.newest,
            &[HEAD_LABEL, &seq.to_be_bytes(), hash.as_bytes()],
        )
    }

    pub(super) fn is_head(&self, (seq, hash): (i64, &Hash), seal: &Hash) -> bool {
        self.made(&[HEAD_LABEL, &seq.to_be_bytes(), hash.as_bytes()], seal)
    }

    pub(super) fn line(&self, line: &[u8]) -> Hash {
        sign(&self.newest, &[LINE_LABEL, line])
    }

    pub(super) fn is_line(&self, line: &[u8], hash: &Hash) -> bool {
        self.made(&[LINE_LABEL, line], hash)
    }

    fn made(&self, parts: &[&[u8]], hash: &Hash) -> bool {
        let mut keys = std::iter::once(&self.newest).chain(&self.older);
        keys.any(|key| same_bytes(sign(key, parts).as_bytes(), hash.as_bytes()))
    }
}

impl fmt::Debug for SealKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKeys(…)")
    }
}

/// The labels are no prefixes of each other, so that a seal of one kind is none of another.
fn sign(key: &hmac::Key, parts: &[&[u8]]) -> Hash {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(part);
    }
    // SHA-256 has 32 bytes, so nothing is ever cut off or filled up here.
    Hash::from_slice(context.sign().as_ref()).unwrap_or(Hash::NONE)
}
