//! The sessions that ended, and those that somebody wants to know the end of.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::Notify;

use super::Revocations;
use crate::clock::Timestamp;
use crate::id::SessionId;

/// In how many parts the memory is locked; a power of two. Requests only read, so this is to keep a
/// burst of ends from holding all of them up at once.
const SHARDS: usize = 16;

/// What is remembered, in parts that are locked one by one and never across an await.
#[derive(Debug, Default)]
pub(super) struct Memory {
    shards: [RwLock<Shard>; SHARDS],
}

#[derive(Debug, Default)]
struct Shard {
    /// Ended sessions, and until when they are remembered.
    ended: HashMap<SessionId, Timestamp>,
    /// Live sessions that are watched.
    watched: HashMap<SessionId, Watched>,
}

#[derive(Debug)]
struct Watched {
    bell: Arc<Notify>,
    watchers: usize,
}

impl Memory {
    /// Whether this session has ended.
    pub(super) fn holds(&self, session: SessionId) -> bool {
        self.shard(session).read().ended.contains_key(&session)
    }

    /// Remembers a session as ended, and wakes those who watch it.
    pub(super) fn insert(&self, session: SessionId, until: Timestamp) {
        let mut shard = self.shard(session).write();
        // Told again, as after an outage, it has not ended any later.
        shard.ended.entry(session).or_insert(until);
        if let Some(watched) = shard.watched.get(&session) {
            watched.bell.notify_waiters();
        }
    }

    /// Forgets the sessions whose time is over.
    pub(super) fn forget_until(&self, now: Timestamp) {
        for shard in &self.shards {
            let mut shard = shard.write();
            shard.ended.retain(|_, until| *until > now);
            // A burst of ends must not cost its memory for ever.
            let room = 2 * shard.ended.len();
            shard.ended.shrink_to(room);
        }
    }

    /// The sessions that are remembered as ended, but for those that `told` has.
    pub(super) fn all_but(&self, told: &HashSet<SessionId>) -> Vec<SessionId> {
        let of_shard = |shard: &RwLock<Shard>| -> Vec<SessionId> {
            let shard = shard.read();
            let untold = shard.ended.keys().filter(|session| !told.contains(session));
            untold.copied().collect()
        };
        self.shards.iter().flat_map(of_shard).collect()
    }

    /// Starts to watch a session; `None` where it has ended.
    fn watch(&self, session: SessionId) -> Option<Arc<Notify>> {
        let mut shard = self.shard(session).write();
        if shard.ended.contains_key(&session) {
            return None;
        }
        let watched = shard.watched.entry(session).or_insert_with(|| Watched {
            bell: Arc::new(Notify::new()),
            watchers: 0,
        });
        watched.watchers += 1;
        Some(Arc::clone(&watched.bell))
    }

    /// Ends one watch of a session.
    fn unwatch(&self, session: SessionId) {
        let mut shard = self.shard(session).write();
        let Some(watched) = shard.watched.get_mut(&session) else {
            return;
        };
        watched.watchers = watched.watchers.saturating_sub(1);
        if watched.watchers == 0 {
            shard.watched.remove(&session);
        }
    }

    /// The last byte of an id is random, whatever version of UUID it is.
    fn shard(&self, session: SessionId) -> &RwLock<Shard> {
        let [.., last] = *session.as_bytes();
        #[expect(
            clippy::indexing_slicing,
            reason = "a remainder is less than its divisor"
        )]
        &self.shards[usize::from(last) % SHARDS]
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        let mut sizes = (0, 0);
        for shard in &self.shards {
            let shard = shard.read();
            sizes.0 += shard.ended.len();
            sizes.1 += shard.watched.len();
        }
        sizes
    }
}

/// A watch of one session, which ends with this value.
pub(super) struct Watch {
    revocations: Arc<Revocations>,
    session: SessionId,
    /// None where the session had ended already.
    bell: Option<Arc<Notify>>,
}

impl Watch {
    /// Starts to watch a session.
    pub(super) fn new(revocations: Arc<Revocations>, session: SessionId) -> Self {
        let bell = revocations.memory.watch(session);
        Self {
            revocations,
            session,
            bell,
        }
    }

    /// Waits until the session has ended.
    pub(super) async fn ended(self) {
        let Some(bell) = &self.bell else {
            return;
        };
        let mut rung = pin!(bell.notified());
        // Listens before it looks, so that no end falls between the two.
        rung.as_mut().enable();
        if !self.revocations.memory.holds(self.session) {
            rung.await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.bell.is_some() {
            self.revocations.memory.unwatch(self.session);
        }
    }
}
