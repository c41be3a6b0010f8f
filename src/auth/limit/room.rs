//! The room before the pool of hashes: who may wait there, so that strangers leave places to others.
//!
//! The pool takes whoever comes first. Without this room a flood against one account would keep it full,
//! and everybody else out. So sign-ins from networks that their account does not know share half of the
//! places, those against one account a quarter of that; and of this again half is for those who tried
//! nothing lately. The other half of the pool is for those who signed in from there before.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::limit::Key;
use crate::password;

/// How well an account knows who is trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It was signed in to from this network before.
    Familiar,
    /// Never seen, and nothing tried lately.
    Fresh,
    /// Never seen, and wrong a moment ago.
    Repeated,
}

/// Counts the strangers before the pool.
#[derive(Debug)]
pub(super) struct Room {
    strangers: usize,
    of_one_account: usize,
    repeated: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    altogether: usize,
    /// Only accounts with somebody in the room, and so no more than there are places.
    by_account: HashMap<Key, usize>,
}

/// A place; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Option<(Arc<Room>, Key)>);

impl Room {
    /// The room before a pool of this size.
    pub(super) fn before(pool: &password::Config) -> Self {
        let places = pool.max_concurrent.saturating_add(pool.max_waiting);
        let strangers = (places / 2).max(pool.max_concurrent).max(1);
        let of_one_account = (strangers / 4).max(1);
        Self {
            strangers,
            of_one_account,
            repeated: (of_one_account / 2).max(1),
            taken: Mutex::default(),
        }
    }

    /// A place for somebody of this standing who aims at `account`; none: the room is full.
    pub(super) fn enter(room: Arc<Self>, account: Key, standing: Standing) -> Option<Place> {
        let most = match standing {
            Standing::Familiar => return Some(Place(None)),
            Standing::Fresh => room.of_one_account,
            Standing::Repeated => room.repeated,
        };
        {
            let mut taken = room.taken.lock();
            let here = taken.by_account.get(&account).copied().unwrap_or(0);
            if here >= most || taken.altogether >= room.strangers {
                return None;
            }
            taken.by_account.insert(account, here + 1);
            taken.altogether += 1;
        }
        Some(Place(Some((room, account))))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((room, account)) = self.0.take() else {
            return;
        };
        let mut taken = room.taken.lock();
        taken.altogether = taken.altogether.saturating_sub(1);
        match taken.by_account.get_mut(&account) {
            Some(here) if *here > 1 => *here -= 1,
            Some(_) | None => {
                taken.by_account.remove(&account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key {
        Key::from_bytes([byte; 16])
    }

    #[test]
    fn strangers_leave_places_to_each_other_and_to_those_who_are_known() {
        let pool = password::Config {
            max_concurrent: 1,
            max_waiting: 63,
            ..password::Config::default()
        };
        let room = Arc::new(Room::before(&pool));
        let enter = |account, standing| Room::enter(Arc::clone(&room), key(account), standing);
        let fill = |account, standing| -> Vec<_> {
            std::iter::from_fn(|| enter(account, standing))
                .take(100)
                .collect()
        };
        let repeated = fill(1, Standing::Repeated);
        let fresh = fill(1, Standing::Fresh);
        assert_eq!((repeated.len(), fresh.len()), (4, 4));
        let others: Vec<_> = (2..9)
            .flat_map(|account| fill(account, Standing::Fresh))
            .collect();
        assert_eq!(
            others.len(),
            24,
            "half of the pool is for those who are known"
        );
        assert!(enter(1, Standing::Familiar).is_some());
        drop((repeated, fresh));
        assert_eq!(fill(1, Standing::Fresh).len(), 8);
        drop(others);
        assert_eq!(room.taken.lock().altogether, 0);
        assert!(room.taken.lock().by_account.is_empty());
    }

    #[test]
    fn the_smallest_pool_has_room_for_one() {
        let pool = password::Config {
            max_concurrent: 1,
            max_waiting: 0,
            ..password::Config::default()
        };
        let room = Arc::new(Room::before(&pool));
        let place = Room::enter(Arc::clone(&room), key(1), Standing::Repeated);
        assert!(place.is_some());
        assert!(Room::enter(Arc::clone(&room), key(2), Standing::Fresh).is_none());
    }
}
