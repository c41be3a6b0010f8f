//! Whether a connection is still there, found out before somebody needs it.
//!
//! Servers, and what stands between, close connections that nobody used for a while. Whoever asks next
//! would learn it by a failure, of which nobody knows whether what was asked has happened.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::line::Ends;
use super::way::{Reached, Way};

/// How often it is asked: often enough that a cut is rarely met by anybody, and no load to a server.
const EVERY: Duration = Duration::from_millis(250);

/// A connection that is asked now and then.
#[derive(Clone)]
pub(super) struct Watched {
    pub(super) reached: Reached,
    /// Whether it failed to answer.
    ended: Arc<AtomicBool>,
}

impl Watched {
    /// Begins to ask, for as long as somebody has the connection.
    pub(super) fn new(way: Arc<Way>, reached: Reached) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        tokio::spawn(watch(way, reached.clone(), Arc::downgrade(&ended)));
        Self { reached, ended }
    }
}

impl Ends for Watched {
    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }
}

async fn watch(way: Arc<Way>, mut reached: Reached, ended: Weak<AtomicBool>) {
    loop {
        tokio::time::sleep(EVERY).await;
        if ended.strong_count() == 0 {
            return;
        }
        if way.confirm(&mut reached).await.is_err() {
            if let Some(ended) = ended.upgrade() {
                ended.store(true, Ordering::Relaxed);
            }
            return;
        }
    }
}
