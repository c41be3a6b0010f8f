//! The rule, over a table of states that stands for a store.

use std::collections::HashMap;

use super::*;
use crate::clock::Timestamp;
use crate::id::UserId;

/// A store as simple as can be.
struct Counts {
    policy: Policy,
    states: HashMap<Key, State>,
    familiar: Vec<Key>,
    now: Timestamp,
}

impl Counts {
    fn new() -> Self {
        let quota = |text| Quota::parse(text);
        let mut policy = Policy::off();
        policy.sign_in = Rules {
            address: quota("20/1m"),
            pair: quota("5/1m"),
            pressure: quota("10/10m"),
            ..Rules::default()
        };
        policy.admin_sign_in.pair = quota("2/1m");
        policy.reset.account = quota("1/1h");
        Self {
            policy,
            states: HashMap::new(),
            familiar: Vec::new(),
            now: Timestamp::from_seconds(1_800_000_000),
        }
    }

    fn plan(&self, purpose: Purpose, address: &str, account: &Account) -> Plan {
        let network = Network::of(address.parse().unwrap());
        Plan::of(
            &Attempt {
                purpose,
                network,
                account: Some(account),
            },
            &self.policy,
        )
    }

    fn attempt(&mut self, purpose: Purpose, address: &str, name: &str) -> Verdict {
        let plan = self.plan(purpose, address, &Account::new(name, None));
        self.judge(&plan)
    }

    fn judge(&mut self, plan: &Plan) -> Verdict {
        let found = Found {
            states: plan
                .charges
                .iter()
                .map(|it| self.states.get(&it.key).copied())
                .collect(),
            familiar: plan
                .familiar
                .is_some_and(|key| self.familiar.contains(&key)),
        };
        let verdict = judge(plan, &found, self.now);
        if let Verdict::Admitted(admitted) = &verdict {
            for (index, state) in &admitted.counted {
                self.states.insert(plan.charges[*index].key, *state);
            }
        }
        verdict
    }

    fn admitted(&mut self, address: &str, name: &str) -> bool {
        matches!(
            self.attempt(Purpose::SignIn, address, name),
            Verdict::Admitted(_)
        )
    }

    /// How long an attempt has to wait, in seconds; it is not counted where it need not.
    fn wait(&mut self, address: &str, name: &str) -> u64 {
        match self.attempt(Purpose::SignIn, address, name) {
            Verdict::Refused(refused) => refused.retry_after.as_secs(),
            Verdict::Admitted(_) => 0,
        }
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    /// Ten networks that the account has never seen get it under pressure.
    fn press(&mut self, name: &str) {
        for network in 0..10 {
            assert!(self.admitted(&format!("198.51.100.{network}"), name));
        }
    }
}

const HOME: &str = "192.0.2.1";

#[test]
fn so_many_at_once_and_then_one_by_one() {
    let mut counts = Counts::new();
    for _ in 0..5 {
        assert!(counts.admitted(HOME, "ann"));
    }
    assert_eq!(counts.wait(HOME, "ann"), 12);
    counts.pass(11);
    assert_eq!(
        counts.wait(HOME, "ann"),
        1,
        "knocking on does not put it off"
    );
    counts.pass(1);
    assert!(counts.admitted(HOME, "ann"));
    assert!(!counts.admitted(HOME, "ann"));
    assert!(counts.admitted(HOME, "bob") && counts.admitted("192.0.2.2", "ann"));
}

#[test]
fn an_address_is_limited_over_all_accounts_and_by_its_64() {
    let mut counts = Counts::new();
    for user in 0..20 {
        assert!(counts.admitted(&format!("2001:db8::{user:x}"), &format!("user{user}")));
    }
    assert!(!counts.admitted("2001:db8::ffff", "another"));
    assert!(counts.admitted("2001:db8:0:1::", "another"));
}

#[test]
fn names_of_one_account_share_whoever_has_it() {
    let mut counts = Counts::new();
    let user = Some(UserId::from_bytes([1; 16]));
    for name in [
        "jd77",
        "john@example.com",
        " JD77",
        "John@Example.com",
        "jd77",
    ] {
        let plan = counts.plan(Purpose::SignIn, HOME, &Account::new(name, user));
        assert!(
            matches!(counts.judge(&plan), Verdict::Admitted(_)),
            "{name}"
        );
    }
    let plan = counts.plan(
        Purpose::SignIn,
        HOME,
        &Account::new("john@example.com", user),
    );
    assert!(matches!(counts.judge(&plan), Verdict::Refused(_)));
    // Nobody's names behave alike: `eve`, `eve@…`.
    for name in ["eve", " EVE ", "eve@example.com", "eve", "Eve"] {
        assert!(counts.admitted("192.0.2.7", name));
    }
    assert!(!counts.admitted("192.0.2.7", "eve@example.com"));
}

#[test]
fn two_entrances_are_not_twice_as_many_attempts() {
    let mut counts = Counts::new();
    let mut admitted = 0;
    for _ in 0..5 {
        for purpose in [Purpose::AdminSignIn, Purpose::SignIn] {
            let verdict = counts.attempt(purpose, HOME, "ann");
            admitted += usize::from(matches!(verdict, Verdict::Admitted(_)));
        }
    }
    assert_eq!(admitted, 5);
    let mut counts = Counts::new();
    for expected in [true, true, false] {
        let verdict = counts.attempt(Purpose::AdminSignIn, HOME, "ann");
        assert_eq!(matches!(verdict, Verdict::Admitted(_)), expected);
    }
    assert!(
        counts.admitted(HOME, "ann"),
        "the stricter limit is that of the admin's entrance alone"
    );
}

#[test]
fn under_pressure_a_new_address_has_three_tries_and_then_waits_longer_each_time() {
    let mut counts = Counts::new();
    counts.press("ann");
    let mut waits = Vec::new();
    for _ in 0..8 {
        // The attack goes on, from new addresses each time.
        for network in 0..20 {
            let address = format!("203.0.{}.{network}", waits.len());
            assert!(
                counts.admitted(&address, "ann"),
                "no stranger locks a newcomer out"
            );
        }
        assert!(counts.admitted(HOME, "ann"));
        let wait = counts.wait(HOME, "ann");
        waits.push(wait);
        counts.pass(wait);
    }
    // To ask for the wait is a try, where there is none: the first wait comes after three.
    assert_eq!(waits[..6], [0, 60, 120, 240, 480, 900]);
}

#[test]
fn a_known_address_does_not_notice_the_pressure() {
    let mut counts = Counts::new();
    let plan = counts.plan(Purpose::SignIn, HOME, &Account::new("ann", None));
    counts.familiar.extend(plan.familiar);
    counts.press("ann");
    let before = counts.states.clone();
    for _ in 0..5 {
        assert!(counts.admitted(HOME, "ann"));
    }
    assert_eq!(counts.wait(HOME, "ann"), 12, "its own limit still counts");
    let pressure = plan
        .charges
        .iter()
        .find(|it| it.role == Role::Presses)
        .unwrap();
    assert_eq!(counts.states[&pressure.key], before[&pressure.key]);
}

#[test]
fn pressure_ends_and_forgets() {
    let mut counts = Counts::new();
    counts.press("ann");
    for address in 0..200 {
        assert!(counts.admitted(&format!("203.0.113.{address}"), "ann"));
    }
    for _ in 0..3 {
        assert!(counts.admitted(HOME, "ann"));
    }
    assert_eq!(counts.wait(HOME, "ann"), 60);
    counts.pass(25 * 60);
    for _ in 0..5 {
        assert!(counts.admitted(HOME, "ann"), "as if nothing had been");
    }
}

#[test]
fn what_is_no_guess_is_refused_for_the_account_wherever_from() {
    let mut counts = Counts::new();
    assert!(matches!(
        counts.attempt(Purpose::Reset, HOME, "ann"),
        Verdict::Admitted(_)
    ));
    assert!(matches!(
        counts.attempt(Purpose::Reset, "192.0.2.9", "ann"),
        Verdict::Refused(_)
    ));
}

#[test]
fn a_clock_that_was_wrong_locks_nobody_out() {
    let mut counts = Counts::new();
    for _ in 0..5 {
        assert!(counts.admitted(HOME, "ann"));
    }
    counts.now = counts.now.minus(Duration::from_hours(5));
    assert!(counts.admitted(HOME, "ann"));
}

#[test]
fn an_attempt_that_is_taken_back_was_never_made() {
    let mut counts = Counts::new();
    counts.press("ann");
    let plan = counts.plan(Purpose::SignIn, HOME, &Account::new("ann", None));
    for _ in 0..50 {
        let Verdict::Admitted(admitted) = counts.judge(&plan) else {
            panic!("was counted")
        };
        assert!(admitted.fresh && !admitted.familiar);
        for (index, state) in admitted.counted {
            let charge = &plan.charges[index];
            match settle(charge, state, counts.now) {
                Settled::Holds(state) => counts.states.insert(charge.key, state),
                Settled::Full => counts.states.remove(&charge.key),
            };
        }
    }
}

#[test]
fn strangers_use_up_what_is_theirs_and_leave_a_known_network_its_own() {
    let mut counts = Counts::new();
    counts.policy.reset = Rules {
        strangers: Quota::parse("3/1h"),
        ..Rules::default()
    };
    let plan = counts.plan(Purpose::Reset, HOME, &Account::new("ann", None));
    counts.familiar.extend(plan.familiar);
    let mut asks = |address: &str, name: &str| {
        let verdict = counts.attempt(Purpose::Reset, address, name);
        matches!(verdict, Verdict::Admitted(_))
    };
    for name in ["ann", "nobody"] {
        for network in 0..3 {
            assert!(asks(&format!("198.51.100.{network}"), name), "{name}");
        }
        assert!(!asks("198.51.100.3", name), "{name}");
    }
    for _ in 0..3 {
        assert!(asks(HOME, "ann"), "the owner at home");
    }
    assert!(!asks(HOME, "ann") && !asks(HOME, "nobody"));
}
