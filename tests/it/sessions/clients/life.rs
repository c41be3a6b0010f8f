//! The pure model: a session by its rules alone.

use std::time::Duration;

use doorward::clock::Timestamp;
use doorward::session::{Bounds, Lifetimes};

/// In milliseconds.
pub(super) const HOUR: u64 = 3_600_000;

/// Ages that are not much more than the idle times, so that many a story reaches them.
pub(super) const fn lifetimes() -> Lifetimes {
    const fn bounds(idle: u64, absolute: u64) -> Bounds {
        Bounds {
            idle: Duration::from_millis(idle * HOUR),
            absolute: Duration::from_millis(absolute * HOUR),
        }
    }
    Lifetimes {
        access: Duration::from_mins(15),
        grace: Duration::from_secs(30),
        web: bounds(12, 12),
        remembered: bounds(7 * 24, 8 * 24),
        native: bounds(30 * 24, 31 * 24),
    }
}

/// A session by what happened to it, and by nothing that a store says.
pub(super) struct Life {
    pub(super) user: usize,
    pub(super) bounds: Bounds,
    pub(super) opened_at: Timestamp,
    /// When the token of each generation but the first was made.
    pub(super) rotated_at: Vec<Timestamp>,
    pub(super) over: bool,
}

/// What is to become of a token that is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It wins the next generation.
    Wins,
    /// It gets what the winner got.
    Shares,
    /// It ends the session.
    Betrays,
    /// There is no session any more.
    TooLate,
}

impl Life {
    pub(super) fn newest(&self) -> u32 {
        u32::try_from(self.rotated_at.len()).unwrap()
    }

    pub(super) fn moved_at(&self) -> Timestamp {
        *self.rotated_at.last().unwrap_or(&self.opened_at)
    }

    pub(super) fn ends_at(&self) -> Timestamp {
        self.opened_at.plus(self.bounds.absolute)
    }

    pub(super) fn expires_at(&self) -> Timestamp {
        self.moved_at().plus(self.bounds.idle).min(self.ends_at())
    }

    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        !self.over && now < self.expires_at()
    }

    pub(super) fn fate(&self, shown: u32, now: Timestamp) -> Fate {
        let age = now.as_millis() - self.moved_at().as_millis();
        let grace = i64::try_from(lifetimes().grace.as_millis()).unwrap();
        match self.newest().checked_sub(shown) {
            _ if !self.is_live(now) => Fate::TooLate,
            Some(0) => Fate::Wins,
            Some(1) if age <= grace => Fate::Shares,
            Some(_) => Fate::Betrays,
            None => panic!("generation {shown} was never given out"),
        }
    }
}
