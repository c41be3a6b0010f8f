//! API keys: what every replica remembers of them, so that no request has to ask a store, and what can be
//! done with them.
//!
//! [`ApiKeys::follow`] keeps the memory in step with the store, about once a second; what this process
//! changes itself it remembers at once, changes of the accounts that own keys included. Ends do not wait for
//! that: they are also written into the log of ended sessions, which every replica hears within milliseconds,
//! and so is a word that some account has changed, at which all of them look into the store at once.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use http::HeaderName;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::api_keys::ApiKeyStore;
use crate::clock::{SharedClock, Timestamp};
use crate::id::ApiKeyId;
use crate::revocation::Revocations;
use crate::sessions::SessionStore;

mod authority;
mod follow;
mod judge;
mod known;
mod manage;
mod memory;

pub use self::authority::{KeyCall, KeyError, Whose};
pub use self::judge::KeyRefusal;
pub use self::manage::{Made, NewApiKey, Succession};

use self::follow::Progress;
use self::known::Known;
use self::memory::Memory;

/// How API keys are treated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The header in which they are welcome beside `Authorization`, if any.
    pub header: Option<HeaderName>,
    /// How long the memory of keys is trusted without a word from the store.
    pub max_staleness: Duration,
    /// How many keys that hold one owner may have.
    pub max_per_owner: u32,
}

/// What the keys are made of.
#[derive(Debug)]
pub struct Parts {
    /// How they are treated.
    pub settings: Settings,
    /// Keeps them.
    pub store: Arc<dyn ApiKeyStore>,
    /// Tells every replica of their ends.
    pub sessions: Arc<dyn SessionStore>,
    /// Hears of them.
    pub revocations: Arc<Revocations>,
    /// Tells the time.
    pub clock: SharedClock,
}

/// The API keys of a gateway.
pub struct ApiKeys {
    parts: Parts,
    memory: Memory,
    progress: tokio::sync::Mutex<Progress>,
    /// In milliseconds since the Unix epoch: up to when the changes of the store are known here.
    heard_at: AtomicI64,
    /// Rung each time the store was heard.
    heard: Notify,
    /// Rung each time something that is remembered has changed.
    changed: Notify,
    /// Rung to have the store asked at once.
    wanted: Notify,
    /// Uses that are not stored yet; each key at most once a minute.
    uses: Mutex<Vec<(ApiKeyId, Timestamp)>>,
}

impl ApiKeys {
    /// The most keys that a gateway holds in memory: about half a gigabyte.
    pub const MOST: usize = 1_000_000;

    /// Before any word from the store.
    const NEVER: i64 = i64::MIN;

    /// No keys yet. They are known once the store is [followed](Self::follow).
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            parts,
            memory: Memory::default(),
            progress: tokio::sync::Mutex::new(Progress::anew(HashSet::new())),
            heard_at: AtomicI64::new(Self::NEVER),
            heard: Notify::new(),
            changed: Notify::new(),
            wanted: Notify::new(),
            uses: Mutex::default(),
        })
    }

    /// The header in which keys are welcome beside `Authorization`.
    pub const fn header(&self) -> Option<&HeaderName> {
        self.parts.settings.header.as_ref()
    }

    /// How many keys are remembered, ended ones included.
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the store was heard lately, so that this replica can tell which keys hold.
    pub fn is_fresh(&self) -> bool {
        self.is_fresh_at(self.now())
    }

    /// For how long nothing was heard from the store; `None` before its first word.
    pub fn staleness(&self) -> Option<Duration> {
        match self.heard_at.load(Ordering::Acquire) {
            Self::NEVER => None,
            heard_at => Some(self.now().since(Timestamp::from_millis(heard_at))),
        }
    }

    /// Waits until the memory is fresh: first after the start, and again after each outage.
    pub async fn wait_until_fresh(&self) {
        loop {
            let heard = self.heard.notified();
            if self.is_fresh() {
                return;
            }
            heard.await;
        }
    }

    /// As for ended sessions, a store that was heard in the future was heard before the clock was set
    /// back: beyond the staleness nothing is known then.
    fn is_fresh_at(&self, now: Timestamp) -> bool {
        let heard_at = self.heard_at.load(Ordering::Acquire);
        let heard = Timestamp::from_millis(heard_at);
        let bound = self.parts.settings.max_staleness;
        heard_at != Self::NEVER && now.since(heard) <= bound && heard.since(now) <= bound
    }

    fn heard_up_to(&self, at: Timestamp) {
        self.heard_at.store(at.as_millis(), Ordering::Release);
        self.heard.notify_waiters();
    }

    fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    fn known(&self, id: ApiKeyId) -> Option<Arc<Known>> {
        self.memory.by_id(id)
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys")
            .field("settings", &self.parts.settings)
            .finish_non_exhaustive()
    }
}
