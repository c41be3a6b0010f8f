//! Counts in memory: for one replica, or for what each replica may count for itself.
//!
//! Bounded. What has run out is cleared away as others come; where that makes no room, the bucket goes
//! that would have been full again first, and so never the one of an account that is being attacked,
//! which lies furthest ahead. One lock: an attempt touches some six buckets that must be judged together,
//! and a judgement takes a few microseconds (0010-limits.md has the figures).

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;

use super::{Aftermath, Limiter};
use crate::clock::Timestamp;
use crate::limit::{Charge, Found, Key, Micros, Plan, Settled, State, Verdict, judge, settle};
use crate::unavailable::Unavailable;

/// Counts in memory.
#[derive(Debug)]
pub struct MemoryLimiter {
    tables: Mutex<Tables>,
}

#[derive(Debug)]
struct Tables {
    buckets: Table<State>,
    /// Apart, so that no flood of strangers drives out who is known.
    familiar: Table<()>,
}

impl MemoryLimiter {
    /// A limiter that keeps at most `max_entries` buckets, and as many notes of who is known.
    pub fn new(max_entries: usize) -> Self {
        Self {
            tables: Mutex::new(Tables {
                buckets: Table::new(max_entries),
                familiar: Table::new(max_entries),
            }),
        }
    }

    /// Judges an attempt, and counts it where it may go on.
    pub fn admit_now(&self, plan: &Plan, now: Timestamp) -> Verdict {
        let mut tables = self.tables.lock();
        tables.clear_run_out(now);
        let verdict = judge(plan, &tables.find(plan, now), now);
        if let Verdict::Admitted(admitted) = &verdict {
            for (index, state) in &admitted.counted {
                if let Some(charge) = plan.charges.get(*index) {
                    tables.hold(charge, *state, plan.max_delay);
                }
            }
        }
        verdict
    }

    /// Notes what is known of an attempt afterwards.
    pub fn settle_now(&self, after: &Aftermath, now: Timestamp) {
        let mut tables = self.tables.lock();
        for charge in &after.given_back {
            let Some(state) = tables.buckets.get(&charge.key).copied() else {
                continue;
            };
            match settle(charge, state, now) {
                Settled::Holds(state) => tables.hold(charge, state, after.max_delay),
                Settled::Full => tables.buckets.remove(&charge.key),
            }
        }
        if let Some((key, span)) = after.familiar {
            let end = now.plus(span).as_millis().saturating_mul(1000);
            tables.familiar.insert(key, (), end);
        }
    }

    /// How many buckets and notes there are.
    pub fn len(&self) -> usize {
        let tables = self.tables.lock();
        tables.buckets.entries.len() + tables.familiar.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[async_trait]
impl Limiter for MemoryLimiter {
    async fn admit(&self, plan: &Plan, now: Timestamp) -> Result<Verdict, Unavailable> {
        Ok(self.admit_now(plan, now))
    }

    async fn settle(&self, after: &Aftermath, now: Timestamp) -> Result<(), Unavailable> {
        self.settle_now(after, now);
        Ok(())
    }
}

impl Tables {
    fn find(&self, plan: &Plan, now: Timestamp) -> Found {
        let now = now.as_millis().saturating_mul(1000);
        let keys = plan.charges.iter().map(|charge| charge.key);
        Found {
            states: keys.map(|key| self.buckets.get(&key).copied()).collect(),
            familiar: plan
                .familiar
                .is_some_and(|key| self.familiar.is_live(&key, now)),
        }
    }

    fn hold(&mut self, charge: &Charge, state: State, max_delay: Duration) {
        let end = state.ends(charge.role, max_delay);
        self.buckets.insert(charge.key, state, end);
    }

    fn clear_run_out(&mut self, now: Timestamp) {
        let now = now.as_millis().saturating_mul(1000);
        self.buckets.clear_run_out(now);
        self.familiar.clear_run_out(now);
    }
}

/// A bounded map whose entries end.
#[derive(Debug)]
struct Table<T> {
    entries: HashMap<Key, (T, Micros)>,
    by_end: BTreeSet<(Micros, Key)>,
    capacity: usize,
}

impl<T> Table<T> {
    /// More than an attempt adds, so that clearing keeps up, and few enough that nobody waits for it.
    const CLEARED_AT_ONCE: usize = 32;

    fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            by_end: BTreeSet::new(),
            capacity: capacity.max(1),
        }
    }

    fn get(&self, key: &Key) -> Option<&T> {
        self.entries.get(key).map(|(value, _)| value)
    }

    fn is_live(&self, key: &Key, now: Micros) -> bool {
        self.entries.get(key).is_some_and(|(_, end)| *end > now)
    }

    fn insert(&mut self, key: Key, value: T, end: Micros) {
        self.remove(&key);
        while self.entries.len() >= self.capacity {
            let Some((_, first)) = self.by_end.pop_first() else {
                break;
            };
            self.entries.remove(&first);
        }
        self.by_end.insert((end, key));
        self.entries.insert(key, (value, end));
    }

    fn remove(&mut self, key: &Key) {
        if let Some((_, end)) = self.entries.remove(key) {
            self.by_end.remove(&(end, *key));
        }
    }

    fn clear_run_out(&mut self, now: Micros) {
        for _ in 0..Self::CLEARED_AT_ONCE {
            match self.by_end.first() {
                Some((end, key)) if *end <= now => {
                    let key = *key;
                    self.remove(&key);
                }
                Some(_) | None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_gives_up_what_ends_first_and_never_more_than_it_must() {
        let mut table = Table::new(3);
        let key = |byte| Key::from_bytes([byte; 16]);
        for (byte, end) in [(1, 100), (2, 900), (3, 50), (4, 70), (2, 950), (5, 60)] {
            table.insert(key(byte), (), end);
        }
        let held = |byte: u8| table.get(&key(byte)).is_some();
        assert!(held(1) && held(2) && held(5) && !held(3) && !held(4));
        assert_eq!((table.entries.len(), table.by_end.len()), (3, 3));
    }

    #[test]
    fn what_has_run_out_is_cleared_as_others_come() {
        let mut table = Table::new(1_000);
        for byte in 0..100 {
            table.insert(Key::from_bytes([byte; 16]), (), i64::from(byte));
        }
        for _ in 0..4 {
            table.clear_run_out(89);
        }
        assert_eq!((table.entries.len(), table.by_end.len()), (10, 10));
    }
}
