//! What can happen to clients and their sessions.

use proptest::prelude::*;

use super::life::HOUR;

/// Things and clients are named by their number, which counts round.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Into a jar of its own; of one of two users.
    SignIn {
        user: usize,
        client: usize,
    },
    /// A tab shows the token of a jar: it is looked up.
    Show {
        jar: usize,
    },
    /// Its refresh reaches the store.
    Refresh {
        tab: usize,
    },
    /// Its answer reaches the jar.
    Receive {
        tab: usize,
    },
    /// Its answer is lost.
    Lose {
        tab: usize,
    },
    /// Somebody copies the jar as it is now into one of their own.
    Steal {
        jar: usize,
    },
    SignOut {
        jar: usize,
    },
    SignOutAll {
        user: usize,
    },
    Wait {
        millis: u64,
    },
    SetBack {
        millis: u64,
    },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let any = 0..12_usize;
    // Up to and over the grace, the life of an access token, an idle time and an age.
    let waits = prop_oneof![
        6 => prop_oneof![Just(1), Just(999), Just(29_999), Just(30_000), Just(30_001)],
        1 => prop_oneof![Just(900_000), Just(6 * HOUR), Just(12 * HOUR - 1), Just(12 * HOUR)],
        1 => prop_oneof![Just(7 * 24 * HOUR - 1), Just(7 * 24 * HOUR), Just(30 * 24 * HOUR)],
    ];
    prop_oneof![
        1 => (0..2_usize, 0..3_usize).prop_map(|(user, client)| Step::SignIn { user, client }),
        8 => any.clone().prop_map(|jar| Step::Show { jar }),
        8 => any.clone().prop_map(|tab| Step::Refresh { tab }),
        6 => any.clone().prop_map(|tab| Step::Receive { tab }),
        2 => any.clone().prop_map(|tab| Step::Lose { tab }),
        2 => any.clone().prop_map(|jar| Step::Steal { jar }),
        1 => any.prop_map(|jar| Step::SignOut { jar }),
        1 => (0..2_usize).prop_map(|user| Step::SignOutAll { user }),
        5 => waits.prop_map(|millis| Step::Wait { millis }),
        1 => prop_oneof![Just(1), Just(2000)].prop_map(|millis| Step::SetBack { millis }),
    ]
}
