//! How often something may be tried: the rules, without a place to keep the counts in.
//!
//! An attempt is counted in several buckets at once ([`Plan`]); whether it may go on is judged from
//! what they hold ([`judge`]). Where that is kept, in memory or in Redis, is left to
//! [`limiter`](crate::limiter); what follows from a refusal to [`auth`](crate::auth).
//! `docs/decisions/0010-limits.md` argues for the rules.

use std::time::Duration;

mod gcra;
mod key;
mod plan;
mod policy;
mod quota;

pub use self::gcra::{Admitted, Found, Micros, Refused, Settled, State, Verdict, judge, settle};
pub use self::key::{Account, Key, Network};
pub use self::plan::{Attempt, Bucket, Charge, Plan, Role};
pub use self::policy::{Policy, Rules};
pub use self::quota::Quota;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A sign-in with a password, at any entrance.
    SignIn,
    /// A sign-in at the admin's entrance; counted as a [`SignIn`](Self::SignIn) as well.
    AdminSignIn,
    /// A refresh.
    Refresh,
    /// Asking for a way to a new password: it sends mail to somebody.
    Reset,
    /// Trying a one-time code.
    Code,
    /// Making an account.
    SignUp,
    /// Showing an API key that is none.
    ApiKey,
}

impl Purpose {
    /// Its name in headers, metrics and keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::AdminSignIn => "admin-sign-in",
            Self::Refresh => "refresh",
            Self::Reset => "reset",
            Self::Code => "code",
            Self::SignUp => "sign-up",
            Self::ApiKey => "api-key",
        }
    }
}

/// An attempt that comes too soon: what a client is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts ({}, by {})", purpose.as_str(), bucket.as_str())]
pub struct Limited {
    /// What was tried.
    pub purpose: Purpose,
    /// Which bucket was empty. For metrics and the audit log.
    pub bucket: Bucket,
    /// What that bucket allows.
    pub quota: Quota,
    /// When the same attempt is welcome.
    pub retry_after: Duration,
}

#[cfg(test)]
mod tests;
