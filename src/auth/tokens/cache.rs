//! The memory of tokens that were verified already: bounded, and of good tokens only, so that nobody
//! can push them out with bad ones.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use super::SourceName;
use crate::clock::Timestamp;
use crate::identity::Identity;
use crate::token::key::KeySet;

/// A token's name in the cache: its SHA-256. The token itself is not kept, and two tokens that differ
/// in any bit, the signature included, have two names.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Name([u8; 32]);

impl Name {
    pub(super) fn of(token: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Self(hash)
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

pub(super) struct Cache(quick_cache::sync::Cache<Name, Entry>);

impl Cache {
    pub(super) fn of(entries: usize) -> Self {
        Self(quick_cache::sync::Cache::new(entries))
    }

    pub(super) fn recall(&self, name: &Name) -> Option<Entry> {
        self.0.get(name)
    }

    pub(super) fn remember(&self, name: Name, entry: Entry) {
        self.0.insert(name, entry);
    }

    pub(super) fn forget(&self, name: &Name) {
        self.0.remove(name);
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
