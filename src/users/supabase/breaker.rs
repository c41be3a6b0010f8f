//! A circuit breaker: a server that fails again and again is left alone for a while, so that nobody
//! waits for it in vain and it has the peace to come back.
//!
//! Closed, all may ask. After some failures without a success between them it opens: nobody may. When
//! its time is over one may ask, and what comes of that closes it or opens it anew.

use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::{SharedClock, Timestamp};

/// So many failures in a row are no coincidence.
const FAILURES: u32 = 5;

/// Long enough for a restart, short enough that nobody notices that it is over.
const OPEN_FOR: Duration = Duration::from_secs(10);

/// Lets questions through, or not.
#[derive(Debug)]
pub(super) struct Breaker {
    clock: SharedClock,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Timestamp,
    },
    /// One is asking.
    HalfOpen,
}

/// Leave to ask once. Dropped without a word (the caller went away) it changes nothing, but that the
/// next one may try.
#[derive(Debug)]
#[must_use]
pub(super) struct Leave<'b> {
    breaker: &'b Breaker,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Usual,
    Probe,
    Told,
}

/// It is open.
#[derive(Debug, thiserror::Error)]
#[error("it failed {FAILURES} times in a row and is left alone for a while")]
pub(super) struct Open;

impl Breaker {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            state: Mutex::new(State::Closed { failures: 0 }),
        }
    }

    /// Leave to ask, if there is any.
    pub(super) fn leave(&self) -> Result<Leave<'_>, Open> {
        let mut state = self.state.lock();
        let kind = match *state {
            State::Closed { .. } => Kind::Usual,
            State::Open { until } if until <= self.clock.now() => {
                *state = State::HalfOpen;
                Kind::Probe
            }
            State::Open { .. } | State::HalfOpen => return Err(Open),
        };
        Ok(Leave {
            breaker: self,
            kind,
        })
    }
}

impl Leave<'_> {
    /// The server answered.
    pub(super) fn succeeded(mut self) {
        *self.breaker.state.lock() = State::Closed { failures: 0 };
        self.kind = Kind::Told;
    }

    /// It did not, or said itself that it cannot.
    pub(super) fn failed(mut self) {
        let open = State::Open {
            until: self.breaker.clock.now().plus(OPEN_FOR),
        };
        let mut state = self.breaker.state.lock();
        *state = match *state {
            State::Closed { failures } if failures + 1 < FAILURES => State::Closed {
                failures: failures + 1,
            },
            State::Closed { .. } | State::HalfOpen => open,
            // Asked before it opened: no reason to stay open longer.
            already @ State::Open { .. } => already,
        };
        self.kind = Kind::Told;
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if self.kind == Kind::Probe {
            *self.breaker.state.lock() = State::Open {
                until: self.breaker.clock.now(),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::ManualClock;

    fn breaker() -> (Breaker, Arc<ManualClock>) {
        let clock = ManualClock::at(Timestamp::from_seconds(1_800_000_000));
        (Breaker::new(clock.clone()), clock)
    }

    fn fail(breaker: &Breaker, times: u32) {
        for _ in 0..times {
            breaker.leave().unwrap().failed();
        }
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_them_does_not() {
        let (breaker, _clock) = breaker();
        fail(&breaker, FAILURES - 1);
        breaker.leave().unwrap().succeeded();
        fail(&breaker, FAILURES - 1);
        assert!(breaker.leave().is_ok());
        fail(&breaker, 1);
        assert!(breaker.leave().is_err());
    }

    #[test]
    fn after_a_while_one_may_try_and_decides_for_all() {
        let (breaker, clock) = breaker();
        fail(&breaker, FAILURES);
        clock.advance(Duration::from_millis(9_999));
        assert!(breaker.leave().is_err());
        clock.advance(Duration::from_millis(1));
        let probe = breaker.leave().unwrap();
        assert!(breaker.leave().is_err());
        probe.failed();
        assert!(breaker.leave().is_err());
        clock.advance(OPEN_FOR);
        let probe = breaker.leave().unwrap();
        probe.succeeded();
        fail(&breaker, FAILURES - 1);
        assert!(breaker.leave().is_ok());
    }

    #[test]
    fn one_who_goes_away_leaves_the_try_to_the_next() {
        let (breaker, clock) = breaker();
        fail(&breaker, FAILURES);
        clock.advance(OPEN_FOR);
        drop(breaker.leave().unwrap());
        assert!(breaker.leave().is_ok());
    }

    #[test]
    fn those_who_asked_before_it_opened_do_not_keep_it_open() {
        let (breaker, clock) = breaker();
        let late = breaker.leave().unwrap();
        fail(&breaker, FAILURES);
        clock.advance(Duration::from_secs(9));
        late.failed();
        clock.advance(Duration::from_secs(1));
        assert!(breaker.leave().is_ok());
    }
}
