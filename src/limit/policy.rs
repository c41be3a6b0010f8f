//! Which quotas count for what: `[limits]`.

use std::time::Duration;

use super::{Purpose, Quota};

/// What counts for one purpose; what is left out is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// What one network may try, whichever accounts it aims at.
    pub address: Option<Quota>,
    /// What one network may try against one account.
    pub pair: Option<Quota>,
    /// What may be tried against one account at all, from wherever.
    pub account: Option<Quota>,
    /// The same for networks that the account does not know, all together, and for each that it knows alone.
    pub strangers: Option<Quota>,
    /// Above this, the account is under pressure: who was never seen there waits longer each time.
    pub pressure: Option<Quota>,
}

/// All of `[limits]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Sign-ins with a password.
    pub sign_in: Rules,
    /// Those at the admin's entrance, on top.
    pub admin_sign_in: Rules,
    /// Refreshes; the account is the session.
    pub refresh: Rules,
    /// Asking for a new password.
    pub reset: Rules,
    /// One-time codes.
    pub code: Rules,
    /// New accounts.
    pub sign_up: Rules,
    /// API keys that are none.
    pub api_key: Rules,
    /// The longest wait that grows under pressure.
    pub max_delay: Duration,
    /// For how long an account knows a network from which it was signed in to.
    pub familiar_for: Duration,
    /// How many buckets are kept in memory at most.
    pub max_entries: usize,
}

impl Policy {
    /// The rules for one purpose.
    pub const fn rules(&self, purpose: Purpose) -> &Rules {
        match purpose {
            Purpose::SignIn => &self.sign_in,
            Purpose::AdminSignIn => &self.admin_sign_in,
            Purpose::Refresh => &self.refresh,
            Purpose::Reset => &self.reset,
            Purpose::Code => &self.code,
            Purpose::SignUp => &self.sign_up,
            Purpose::ApiKey => &self.api_key,
        }
    }

    /// Nothing is limited.
    pub const fn off() -> Self {
        let rules = Rules {
            address: None,
            pair: None,
            account: None,
            strangers: None,
            pressure: None,
        };
        Self {
            sign_in: rules,
            admin_sign_in: rules,
            refresh: rules,
            reset: rules,
            code: rules,
            sign_up: rules,
            api_key: rules,
            max_delay: Duration::from_mins(15),
            familiar_for: Duration::from_hours(24 * 30),
            max_entries: 100_000,
        }
    }
}
