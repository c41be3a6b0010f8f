//! Following the log of a session store: from its start, through outages, for as long as the gateway
//! runs.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use super::Revocations;
use super::lost::Lost;
use crate::id::random_bytes;
use crate::sessions::SessionStore;
use crate::unavailable::Unavailable;

/// How long one reading of the log waits for news at the most. An outage is noticed, and the memory made
/// fresh again, about as often.
const LONGEST_PATIENCE: Duration = Duration::from_secs(1);

/// What is read is as old as the question, so that a quiet log is known up to between one and two
/// patiences ago: a quarter of the staleness leaves half of it for answers that are late.
fn patience(max_staleness: Duration) -> Duration {
    LONGEST_PATIENCE.min(max_staleness / 4)
}

/// How often the memory is searched for what can be forgotten. Each time costs a look at every entry.
const FORGET_EVERY: Duration = Duration::from_secs(10);

impl Revocations {
    /// Keeps this memory in step with `store`; never returns. Spawn it on a runtime that lives as
    /// long as the gateway, once.
    ///
    /// After each failure the log is read again from as far back as the memory reaches, not from
    /// where reading had stopped: a store that comes back may be another server, which had not yet
    /// heard all of the old one, and a place in the old one's log says nothing certain about its
    /// log. Whatever ended meanwhile is in there either way, and noting an end twice does no harm. What
    /// the old server had told and the new one never heard of, it is told: see [`Lost`].
    pub async fn follow(self: Arc<Self>, store: Arc<dyn SessionStore>) {
        let mut outage = Outage::default();
        loop {
            let Err(error) = self.follow_until_failure(&*store, &mut outage).await;
            outage.begin(&error);
            tokio::time::sleep(outage.pause()).await;
        }
    }

    async fn follow_until_failure(
        &self,
        store: &dyn SessionStore,
        outage: &mut Outage,
    ) -> Result<Infallible, Unavailable> {
        let mut forgot_at = self.clock.now();
        let mut cursor = store.log_start(forgot_at.minus(self.config.keep)).await?;
        // The first reading only says whether there is a store; to wait for news would keep a
        // gateway that has just started, or healed, from serving.
        let mut patience = Duration::ZERO;
        let mut lost = Lost::at_start();
        loop {
            // What ended before the question is in the answer; what ended while it travelled may
            // not be. So the memory is as fresh as the question.
            let asked_at = self.clock.now();
            let page = store.ended_after(&cursor, patience).await?;
            lost.heard(&page.ended);
            for ended in page.ended {
                self.note(ended);
            }
            cursor = page.next;
            if !page.more {
                self.heard_up_to(asked_at);
                outage.end();
                lost.all_heard(&self.memory);
                lost.tell_some(store, asked_at).await?;
                patience = if lost.is_waiting() {
                    Duration::ZERO
                } else {
                    self::patience(self.config.max_staleness)
                };
            }
            if asked_at.since(forgot_at) >= FORGET_EVERY {
                self.memory.forget_until(asked_at);
                forgot_at = asked_at;
            }
        }
    }
}

/// A row of failures: told to the log once at its beginning and once at its end.
#[derive(Default)]
struct Outage {
    failures: u32,
}

impl Outage {
    const FIRST_PAUSE: Duration = Duration::from_millis(50);
    const LONGEST_PAUSE: Duration = Duration::from_secs(1);

    fn begin(&mut self, error: &Unavailable) {
        if self.failures == 0 {
            let cause: &dyn std::error::Error = &*error.source;
            tracing::warn!(
                cause,
                "{error}: ended sessions are not heard of until it is back"
            );
        }
        self.failures = self.failures.saturating_add(1);
    }

    fn end(&mut self) {
        if self.failures > 0 {
            tracing::info!(
                failures = self.failures,
                "the session store is back; its log was read again"
            );
        }
        self.failures = 0;
    }

    /// Doubles with each failure, up to a second, and is cut by chance to something between a half
    /// and the whole, so that replicas do not all come back in the same instant.
    fn pause(&self) -> Duration {
        let doubled = Self::FIRST_PAUSE.saturating_mul(1 << self.failures.min(6));
        let [chance] = random_bytes();
        let part = 128 + u32::from(chance) / 2;
        Self::LONGEST_PAUSE.min(doubled) * part / 256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_log_is_fresh_at_every_staleness_that_may_be_configured() {
        for (seconds, expected) in [(1, 250), (3, 750), (5, 1000), (3600, 1000)] {
            let max_staleness = Duration::from_secs(seconds);
            assert_eq!(patience(max_staleness), Duration::from_millis(expected));
        }
    }

    #[test]
    fn pauses_grow_from_fifty_milliseconds_to_a_second() {
        let check = |failures, shortest, longest| {
            let pause = Outage { failures }.pause();
            let bounds = Duration::from_millis(shortest)..=Duration::from_millis(longest);
            assert!(bounds.contains(&pause), "{failures}: {pause:?}");
        };
        check(1, 50, 100);
        check(3, 200, 400);
        check(5, 500, 1000);
        check(u32::MAX, 500, 1000);
    }
}
