//! Which sessions have ended: in memory on every replica, so that no request has to ask a store.
//!
//! [`Revocations`] judges and remembers; [`Revocations::follow`] keeps the memory in step with the log
//! of the session store. What is done about an ended or unknown session is left to
//! [`auth`](crate::auth).

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::{SharedClock, Timestamp};
use crate::id::SessionId;
use crate::sessions::Ended;

mod follow;
mod lost;
pub mod mark;
mod memory;

use memory::{Memory, Watch};

/// How the memory of ended sessions is kept.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How long an ended session is remembered: as long as its access tokens can live, leeway
    /// included, and a little more, as one may be made in the instant in which the session ends.
    /// After that they are refused for their age.
    pub keep: Duration,
    /// How long the memory is trusted without a word from the store.
    pub max_staleness: Duration,
}

/// How a session stands, by all that this replica knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has not ended.
    Live,
    /// It has ended: its access tokens are refused.
    Ended,
    /// The store was not heard for too long to tell.
    Unknown,
}

/// The memory of ended sessions of one replica.
#[derive(Debug)]
pub struct Revocations {
    config: Config,
    clock: SharedClock,
    memory: Memory,
    /// In milliseconds since the Unix epoch: up to when the log of the store is known here.
    heard_at: AtomicI64,
    /// Rung each time the store was heard.
    heard: Notify,
    /// Rung at each [mark].
    accounts_changed: Notify,
}

impl Revocations {
    /// Before any word from a store. No real time is that early, so it is too old for any staleness.
    const NEVER: i64 = i64::MIN;

    /// An empty memory. It trusts itself only once it [follows](Self::follow) a store.
    pub fn new(config: Config, clock: SharedClock) -> Arc<Self> {
        Arc::new(Self {
            config,
            clock,
            memory: Memory::default(),
            heard_at: AtomicI64::new(Self::NEVER),
            heard: Notify::new(),
            accounts_changed: Notify::new(),
        })
    }

    /// How a session stands at `now`. Waits for nothing and allocates nothing.
    ///
    /// A credential without a session was made by somebody else: no store of ours could tell of its
    /// end, so it is never `Unknown`. An end that is known stays known, however stale the rest is.
    pub fn check(&self, session: Option<SessionId>, now: Timestamp) -> Standing {
        let Some(session) = session else {
            return Standing::Live;
        };
        if self.memory.holds(session) {
            Standing::Ended
        } else if self.is_fresh_at(now) {
            Standing::Live
        } else {
            Standing::Unknown
        }
    }

    /// Remembers an end at once: what this replica ended itself need not come back to it by the log.
    ///
    /// Counted from now and not from `ended.at`, which another replica's clock has told.
    pub fn note(&self, ended: Ended) {
        if mark::is_one(ended.session) {
            self.accounts_changed.notify_one();
            return;
        }
        let until = self.clock.now().plus(self.config.keep);
        self.memory.insert(ended.session, until);
    }

    /// Whether the store was heard lately, so that this replica can tell live from ended.
    pub fn is_fresh(&self) -> bool {
        self.is_fresh_at(self.clock.now())
    }

    /// For how long nothing was heard from the store; `None` before its first word.
    pub fn staleness(&self) -> Option<Duration> {
        match self.heard_at.load(Ordering::Acquire) {
            Self::NEVER => None,
            heard_at => Some(self.clock.now().since(Timestamp::from_millis(heard_at))),
        }
    }

    /// Waits until the memory is fresh: until the log was read to its end, first after the start and
    /// again after each outage.
    pub async fn wait_until_fresh(&self) {
        loop {
            let heard = self.heard.notified();
            if self.is_fresh() {
                return;
            }
            heard.await;
        }
    }

    /// Waits until an account has changed since the last time: for one who waits. Marks that come while
    /// nobody does count once.
    pub async fn accounts_changed(&self) {
        self.accounts_changed.notified().await;
    }

    /// Waits until a session ends: for tunnels and streams, which must not outlive it. For ever where
    /// it does not end early; dropped, it leaves nothing behind.
    pub fn ended(self: &Arc<Self>, session: SessionId) -> impl Future<Output = ()> + Send + use<> {
        let watch = Watch::new(Arc::clone(self), session);
        watch.ended()
    }

    /// A store whose last word lies in the future was heard before the clock was set back. Within
    /// the staleness that is let pass, as the clocks of computers jitter; beyond, nothing is known.
    fn is_fresh_at(&self, now: Timestamp) -> bool {
        let heard_at = self.heard_at.load(Ordering::Acquire);
        let heard = Timestamp::from_millis(heard_at);
        let bound = self.config.max_staleness;
        heard_at != Self::NEVER && now.since(heard) <= bound && heard.since(now) <= bound
    }

    /// Notes that all ends up to `at` are known here.
    fn heard_up_to(&self, at: Timestamp) {
        self.heard_at.store(at.as_millis(), Ordering::Release);
        self.heard.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
