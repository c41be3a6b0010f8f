//! The memory of tokens that were verified already: bounded, and of good tokens only, so that nobody
//! can push them out with bad ones.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use super::SourceName;
use crate::clock::Timestamp;
use crate::identity::Identity;
use crate::token::key::KeySet;

/// What a token is known by in the cache: the SHA-256 of its signature, and what is signed as it
/// stands. So the cache holds no token, as that would need the signature; and as all of the rest is
/// compared, two tokens that differ in any bit are two. The signature is the short part: a hash of all
/// of it costs some four times as much, for every request.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    signature: SignatureHash,
    signed: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct SignatureHash([u8; 32]);

impl<'a> Name<'a> {
    pub(super) fn of(token: &'a str) -> Self {
        // Without a dot it is no token, and is never put in.
        let (signed, signature) = token.rsplit_once('.').unwrap_or(("", token));
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, signature.as_bytes()).as_ref());
        Self {
            signature: SignatureHash(hash),
            signed,
        }
    }
}

/// What verification found, and what it rests on.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) identity: Arc<Identity>,
    /// The keys it was verified with. Other keys, other verdict: held here, so that the address of a
    /// set that is gone cannot come back as that of another.
    pub(super) keys: Arc<KeySet>,
    /// Whose keys those are.
    pub(super) source: SourceName,
    /// When the key that signed it stops counting.
    pub(super) trusted_until: Option<Timestamp>,
}

#[derive(Clone)]
struct Kept {
    signed: Arc<str>,
    entry: Entry,
}

pub(super) struct Cache(quick_cache::sync::Cache<SignatureHash, Kept>);

impl Cache {
    pub(super) fn of(entries: usize) -> Self {
        Self(quick_cache::sync::Cache::new(entries))
    }

    pub(super) fn recall(&self, name: &Name<'_>) -> Option<Entry> {
        let kept = self.0.get(&name.signature)?;
        (*kept.signed == *name.signed).then_some(kept.entry)
    }

    pub(super) fn remember(&self, name: Name<'_>, entry: Entry) {
        let kept = Kept {
            signed: name.signed.into(),
            entry,
        };
        self.0.insert(name.signature, kept);
    }

    pub(super) fn forget(&self, name: &Name<'_>) {
        self.0.remove(&name.signature);
    }

    pub(super) fn clear(&self) {
        self.0.clear();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({} of {})", self.0.len(), self.0.capacity())
    }
}
