//! The keys in memory, in parts that are locked one by one and never across an await.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::RwLock;

use super::known::Known;
use crate::api_key::KeyHash;
use crate::clock::Timestamp;
use crate::id::ApiKeyId;

/// In how many parts the memory is locked. Requests only read, so this is to keep the loading of many
/// keys from holding all of them up at once.
const SHARDS: usize = 64;

/// What is remembered.
#[derive(Debug)]
pub(super) struct Memory {
    by_hash: [RwLock<HashMap<KeyHash, Arc<Known>>>; SHARDS],
    by_id: [RwLock<HashMap<ApiKeyId, Arc<Known>>>; SHARDS],
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            by_hash: std::array::from_fn(|_| RwLock::default()),
            by_id: std::array::from_fn(|_| RwLock::default()),
        }
    }
}

/// Whether what is put in was read before or after what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The later change counts.
    Later,
    /// This one: the store may be another one, whose numbers say nothing of the old one's.
    Last,
}

impl Memory {
    pub(super) fn by_hash(&self, hash: &KeyHash) -> Option<Arc<Known>> {
        let [first, ..] = hash.as_bytes();
        shard(&self.by_hash, *first).read().get(hash).cloned()
    }

    pub(super) fn by_id(&self, id: ApiKeyId) -> Option<Arc<Known>> {
        self.shard_of(id).read().get(&id).cloned()
    }

    pub(super) fn put(&self, known: Known, word: Word) {
        let mut ids = self.shard_of(known.id).write();
        if let Some(before) = ids.get(&known.id) {
            if word == Word::Later && known.changed <= before.changed {
                return;
            }
            known.succeed(before);
        }
        let [first, ..] = *known.hash.as_bytes();
        let known = Arc::new(known);
        ids.insert(known.id, Arc::clone(&known));
        // Under the lock of the ids, so that both say the same of a key.
        shard(&self.by_hash, first)
            .write()
            .insert(known.hash, known);
    }

    /// Keeps only those that `wanted` says.
    pub(super) fn retain(&self, wanted: impl Fn(&Known) -> bool) {
        for ids in &self.by_id {
            let mut ids = ids.write();
            ids.retain(|_, known| {
                let is_wanted = wanted(known);
                if !is_wanted {
                    let [first, ..] = *known.hash.as_bytes();
                    shard(&self.by_hash, first).write().remove(&known.hash);
                }
                is_wanted
            });
        }
    }

    /// Forgets the keys that ended before `before`.
    pub(super) fn forget_until(&self, before: Timestamp) {
        self.retain(|known| known.ends_at().is_none_or(|end| end >= before));
    }

    /// Those that are remembered.
    pub(super) fn ids(&self) -> HashSet<ApiKeyId> {
        let ids = self.by_id.iter();
        ids.flat_map(|ids| ids.read().keys().copied().collect::<Vec<_>>())
            .collect()
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.iter().map(|ids| ids.read().len()).sum()
    }

    /// The last byte of an id is random, whatever version of UUID it is.
    fn shard_of(&self, id: ApiKeyId) -> &RwLock<HashMap<ApiKeyId, Arc<Known>>> {
        let [.., last] = *id.as_bytes();
        shard(&self.by_id, last)
    }
}

fn shard<T>(shards: &[T; SHARDS], byte: u8) -> &T {
    #[expect(
        clippy::indexing_slicing,
        reason = "a remainder is less than its divisor"
    )]
    &shards[usize::from(byte) % SHARDS]
}
