//! The orderly end: nothing new comes in, what is in flight may finish.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Tells every part that the gateway stops, and knows how many connections are still open.
#[derive(Clone, Debug)]
pub struct Drain(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    begun: watch::Sender<bool>,
    open: TaskTracker,
}

impl Drain {
    /// Not begun, nothing open.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            begun: watch::Sender::new(false),
            open: TaskTracker::new(),
        }))
    }

    /// Begins; a second time changes nothing.
    pub fn begin(&self) {
        self.0.begun.send_replace(true);
        self.0.open.close();
    }

    /// Whether it has begun: readiness is over.
    pub fn has_begun(&self) -> bool {
        *self.0.begun.borrow()
    }

    /// Resolves when it begins; at once when it has.
    pub async fn begun(&self) {
        let mut begun = self.0.begun.subscribe();
        if begun.wait_for(|begun| *begun).await.is_err() {
            // Cannot be: the sender lives as long as `self`. If it were, nobody could begin.
            std::future::pending::<()>().await;
        }
    }

    /// Waits until every connection is closed, at most for `limit`; how many were left.
    pub async fn finished(&self, limit: Duration) -> usize {
        match tokio::time::timeout(limit, self.0.open.wait()).await {
            Ok(()) => 0,
            Err(_elapsed) => self.0.open.len(),
        }
    }

    /// How many connections are open.
    pub fn open_connections(&self) -> usize {
        self.0.open.len()
    }

    /// Keeps the gateway from stopping, within the limit, until it is dropped.
    pub(super) fn connection(&self) -> TaskTrackerToken {
        self.0.open.token()
    }

    /// The watch that pingora's accept loops look at.
    pub(super) fn watch(&self) -> watch::Receiver<bool> {
        self.0.begun.subscribe()
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_waits_for_what_is_open_and_no_longer() {
        let drain = Drain::new();
        let connection = drain.connection();
        drain.begin();
        let waiting = tokio::spawn({
            let drain = drain.clone();
            async move { drain.finished(Duration::from_secs(30)).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(connection);
        assert_eq!(waiting.await.unwrap(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn it_gives_up_after_the_limit_and_says_how_many_were_left() {
        let drain = Drain::new();
        let _open = (drain.connection(), drain.connection());
        drain.begin();
        assert_eq!(drain.finished(Duration::from_secs(30)).await, 2);
    }

    #[tokio::test]
    async fn who_asks_late_is_told_at_once() {
        let drain = Drain::new();
        assert!(!drain.has_begun());
        drain.begin();
        drain.begin();
        assert!(drain.has_begun());
        drain.begun().await;
    }
}
