//! The judgement: the generic cell rate algorithm, over all buckets of an attempt at once.
//!
//! A bucket is one instant, the "theoretical arrival time" of the algorithm: when it will be full
//! again. Each attempt moves it on by what one costs; where that would lead further ahead of the
//! present than the quota tolerates, the attempt is refused and nothing is moved, so that whoever knocks
//! on does not put his own return off. `limit.lua` beside the Redis limiter says the same; one suite of
//! tests holds the two together.

use std::time::Duration;

use super::{Charge, Plan, Role};
use crate::clock::Timestamp;

/// Microseconds since the Unix epoch: finer than a [`Timestamp`], as a quota may give back more than one
/// in a millisecond.
pub type Micros = i64;

/// How many attempts of an unknown address need not wait under pressure: a person at a new place gets a
/// password wrong twice.
const FREE_TRIES: u32 = 3;

/// What a bucket holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// When it is full again; for a growing one, when the next attempt is welcome.
    pub at: Micros,
    /// How many attempts it has seen: for a growing one alone.
    pub tries: u32,
}

/// What was found of the buckets of a plan.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// One for each charge, in order; none: a full bucket.
    pub states: Vec<Option<State>>,
    /// Whether the account knows the network.
    pub familiar: bool,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may go on, and is counted.
    Admitted(Admitted),
    /// It comes too soon, and is not counted.
    Refused(Refused),
}

/// An attempt that may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Whether the account knows the network.
    pub familiar: bool,
    /// Whether the network tried nothing against this account of late.
    pub fresh: bool,
    /// What was counted: the index of each charge, and what its bucket holds now.
    pub counted: Vec<(usize, State)>,
}

/// An attempt that comes too soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The charge with the longest wait.
    pub charge: usize,
    /// When the same attempt is welcome.
    pub retry_after: Duration,
}

/// Judges an attempt by what its buckets hold.
pub fn judge(plan: &Plan, found: &Found, now: Timestamp) -> Verdict {
    let now = micros(now);
    let most = duration(plan.max_delay);
    let pressed = !found.familiar
        && each(plan, found).any(|(charge, state)| {
            charge.role == Role::Presses && wait(charge, start(charge, state, (now, most)), now) > 0
        });
    let mut counted = Vec::with_capacity(plan.charges.len());
    let mut refused: Option<(usize, Micros)> = None;
    let mut fresh = true;
    for (index, (charge, state)) in each(plan, found).enumerate() {
        let start = start(charge, state, (now, most));
        let (wait, next) = match charge.role {
            Role::Presses | Role::RefusesStrangers if found.familiar => continue,
            Role::Refuses | Role::RefusesStrangers => {
                (wait(charge, start, now), moved(charge, start))
            }
            Role::Presses => {
                let end = now
                    .saturating_add(charge.quota.tolerance())
                    .saturating_add(most);
                let next = moved(charge, start);
                (
                    0,
                    State {
                        at: next.at.min(end),
                        ..next
                    },
                )
            }
            Role::Grows if !pressed => continue,
            Role::Grows => (start.at - now, grown(charge, start, (now, most))),
        };
        fresh &= !is_of_pair(charge) || start == empty(now);
        if wait > 0 && refused.is_none_or(|(_, longest)| wait > longest) {
            refused = Some((index, wait));
        }
        counted.push((index, next));
    }
    match refused {
        Some((charge, wait)) => Verdict::Refused(Refused {
            charge,
            retry_after: Duration::from_micros(wait.unsigned_abs()),
        }),
        None => Verdict::Admitted(Admitted {
            familiar: found.familiar,
            fresh,
            counted,
        }),
    }
}

/// What becomes of a bucket when one attempt is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It holds this.
    Holds(State),
    /// It is full again.
    Full,
}

/// Takes one attempt out of a bucket again.
pub fn settle(charge: &Charge, state: State, now: Timestamp) -> Settled {
    let now = micros(now);
    let state = match charge.role {
        Role::Refuses | Role::RefusesStrangers | Role::Presses => State {
            at: state.at.saturating_sub(charge.quota.interval()),
            tries: 0,
        },
        Role::Grows => State {
            at: now,
            tries: state.tries.saturating_sub(1),
        },
    };
    if state.at <= now && state.tries == 0 {
        Settled::Full
    } else {
        Settled::Holds(state)
    }
}

impl State {
    /// When a bucket of this role that holds this is as good as none.
    pub fn ends(self, role: Role, max_delay: Duration) -> Micros {
        match role {
            Role::Refuses | Role::RefusesStrangers | Role::Presses => self.at,
            // Who tried is remembered for as long as he might have to wait.
            Role::Grows => self.at.saturating_add(duration(max_delay)),
        }
    }
}

fn each<'a>(plan: &'a Plan, found: &'a Found) -> impl Iterator<Item = (&'a Charge, Option<State>)> {
    let states = found.states.iter().copied().chain(std::iter::repeat(None));
    plan.charges.iter().zip(states)
}

/// What a bucket holds at `now`. One that is full from further ahead than any attempt could have moved it
/// was written by another clock or under another quota, and would be nobody's fault for hours.
fn start(charge: &Charge, state: Option<State>, (now, most): (Micros, Micros)) -> State {
    let Some(state) = state else {
        return empty(now);
    };
    let (furthest, kept) = match charge.role {
        Role::Refuses | Role::RefusesStrangers => (charge.quota.tolerance(), 0),
        Role::Presses => (charge.quota.tolerance().saturating_add(most), 0),
        Role::Grows => (most, most),
    };
    let ahead = state.at.saturating_sub(now);
    if ahead > furthest || ahead <= kept.saturating_neg() {
        return empty(now);
    }
    State {
        at: state.at.max(now),
        ..state
    }
}

const fn empty(now: Micros) -> State {
    State { at: now, tries: 0 }
}

fn moved(charge: &Charge, start: State) -> State {
    State {
        at: start.at.saturating_add(charge.quota.interval()),
        tries: 0,
    }
}

fn wait(charge: &Charge, start: State, now: Micros) -> Micros {
    moved(charge, start).at - now - charge.quota.tolerance()
}

/// The first tries are free; then the wait begins with what the account gives back, and doubles.
fn grown(charge: &Charge, start: State, (now, most): (Micros, Micros)) -> State {
    let tries = start.tries.saturating_add(1);
    let wait = match tries.checked_sub(FREE_TRIES) {
        None => 0,
        Some(doublings) => {
            let factor = 1_i64.checked_shl(doublings.min(40)).unwrap_or(i64::MAX);
            charge.quota.interval().saturating_mul(factor).min(most)
        }
    };
    State {
        at: now.saturating_add(wait),
        tries,
    }
}

fn is_of_pair(charge: &Charge) -> bool {
    charge.bucket == super::Bucket::Pair || charge.role == Role::Grows
}

fn micros(now: Timestamp) -> Micros {
    now.as_millis().saturating_mul(1000)
}

fn duration(span: Duration) -> Micros {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}
