//! In which buckets an attempt is counted.

use std::time::Duration;

use super::{Account, Key, Network, Policy, Purpose, Quota, Rules};

/// What is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// By the client's network.
    Address,
    /// By the account, wherever the client is.
    Account,
    /// By both together.
    Pair,
}

impl Bucket {
    /// Its name in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Account => "account",
            Self::Pair => "pair",
        }
    }
}

/// What an empty bucket means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The attempt is refused.
    Refuses,
    /// The attempt of a network that the account does not know is refused; others are not counted here.
    RefusesStrangers,
    /// The account is under pressure; by itself that refuses nobody.
    Presses,
    /// Under pressure the attempts of an address that the account does not know have to wait, each
    /// longer than the one before.
    Grows,
}

/// One bucket in which an attempt is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Names the bucket.
    pub key: Key,
    /// What it counts by.
    pub bucket: Bucket,
    /// What it allows.
    pub quota: Quota,
    /// What follows when it is empty.
    pub role: Role,
}

/// An attempt, before it is judged.
#[derive(Clone, Debug)]
pub struct Attempt<'a> {
    /// What is tried.
    pub purpose: Purpose,
    /// From where.
    pub network: Network,
    /// Against which account.
    pub account: Option<&'a Account>,
}

/// Everything in which an attempt is counted: all of it, or nothing where any of it refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The buckets.
    pub charges: Vec<Charge>,
    /// Where it is noted that the account was signed in to from this network before.
    pub familiar: Option<Key>,
    /// The longest wait that grows.
    pub max_delay: Duration,
}

impl Plan {
    /// Whether one more refusal is worth a line in the audit log: an attack should be seen there, but
    /// not fill the disk. By network, and altogether.
    pub fn of_line(network: Network) -> Self {
        let line = |key, per_minute| Charge {
            key,
            bucket: Bucket::Address,
            quota: Quota::new(per_minute, Duration::from_mins(1)),
            role: Role::Refuses,
        };
        Self {
            charges: vec![
                line(Key::new("line", Some(network), None), 6),
                line(Key::new("lines", None, None), 120),
            ],
            familiar: None,
            max_delay: Duration::ZERO,
        }
    }

    /// The buckets of `attempt`.
    pub fn of(attempt: &Attempt<'_>, policy: &Policy) -> Self {
        let mut charges = Vec::with_capacity(8);
        for purpose in counted_as(attempt.purpose) {
            add(&mut charges, (*purpose, policy.rules(*purpose)), attempt);
        }
        Self {
            charges,
            familiar: familiar(attempt),
            max_delay: policy.max_delay,
        }
    }
}

/// Whoever tries the admin's entrance tries a password like everybody else: two entrances are not twice
/// as many attempts.
const fn counted_as(purpose: Purpose) -> &'static [Purpose] {
    match purpose {
        Purpose::SignIn => &[Purpose::SignIn],
        Purpose::AdminSignIn => &[Purpose::SignIn, Purpose::AdminSignIn],
        Purpose::Refresh => &[Purpose::Refresh],
        Purpose::Reset => &[Purpose::Reset],
        Purpose::Code => &[Purpose::Code],
        Purpose::SignUp => &[Purpose::SignUp],
        Purpose::ApiKey => &[Purpose::ApiKey],
    }
}

fn add(charges: &mut Vec<Charge>, (purpose, rules): (Purpose, &Rules), attempt: &Attempt<'_>) {
    let named = |what: &str| format!("{}:{what}", purpose.as_str());
    let network = Some(attempt.network);
    if let Some(quota) = rules.address {
        charges.push(Charge {
            key: Key::new(&named("address"), network, None),
            bucket: Bucket::Address,
            quota,
            role: Role::Refuses,
        });
    }
    let Some(account) = attempt.account else {
        return;
    };
    for name in account.names().filter(|_| rules.pair.is_some()) {
        charges.extend(rules.pair.map(|quota| Charge {
            key: Key::new(&named("pair"), network, Some(name)),
            bucket: Bucket::Pair,
            quota,
            role: Role::Refuses,
        }));
    }
    let subject = Some(account.subject());
    if let Some(quota) = rules.account {
        charges.push(Charge {
            key: Key::new(&named("account"), None, subject),
            bucket: Bucket::Account,
            quota,
            role: Role::Refuses,
        });
    }
    if let Some(quota) = rules.strangers {
        charges.push(Charge {
            key: Key::new(&named("strangers"), None, subject),
            bucket: Bucket::Account,
            quota,
            role: Role::RefusesStrangers,
        });
        charges.push(Charge {
            key: Key::new(&named("own"), network, subject),
            bucket: Bucket::Pair,
            quota,
            role: Role::Refuses,
        });
    }
    if let Some(quota) = rules.pressure {
        charges.push(Charge {
            key: Key::new(&named("pressure"), None, subject),
            bucket: Bucket::Account,
            quota,
            role: Role::Presses,
        });
        charges.push(Charge {
            key: Key::new(&named("growing"), network, subject),
            bucket: Bucket::Account,
            quota,
            role: Role::Grows,
        });
    }
}

/// One note for both entrances: it is the same account, and the same person.
fn familiar(attempt: &Attempt<'_>) -> Option<Key> {
    match attempt.purpose {
        Purpose::SignIn | Purpose::AdminSignIn | Purpose::Code | Purpose::Reset => {
            let subject = attempt.account?.subject();
            Some(Key::new("familiar", Some(attempt.network), Some(subject)))
        }
        Purpose::Refresh | Purpose::SignUp | Purpose::ApiKey => None,
    }
}
