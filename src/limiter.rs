//! Where attempts are counted: in the memory of this process, or in a Redis server for several replicas.
//!
//! What the counts mean is the business of [`limit`](crate::limit).

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::limit::{Admitted, Charge, Key, Plan, Verdict};
use crate::unavailable::Unavailable;

pub mod memory;

/// Counts attempts. Judged and counted in one step, so that two at once are two.
#[async_trait]
pub trait Limiter: Send + Sync + fmt::Debug {
    /// Judges an attempt, and counts it where it may go on.
    async fn admit(&self, plan: &Plan, now: Timestamp) -> Result<Verdict, Unavailable>;

    /// What is known of an attempt that was admitted, afterwards.
    async fn settle(&self, after: &Aftermath, now: Timestamp) -> Result<(), Unavailable>;
}

/// What follows from an attempt that was admitted.
#[derive(Clone, Debug, Default)]
pub struct Aftermath {
    /// The charges that are taken back.
    pub given_back: Vec<Charge>,
    /// The network that the account knows from now on, and for how long.
    pub familiar: Option<(Key, Duration)>,
    /// How long a growing wait may be, as in the plan.
    pub max_delay: Duration,
}

impl Aftermath {
    /// Takes back what was counted of an attempt, but for the charges that `stay`.
    pub fn of(plan: &Plan, admitted: &Admitted, stay: impl Fn(&Charge) -> bool) -> Self {
        let counted = admitted.counted.iter();
        let charges = counted.filter_map(|(index, _)| plan.charges.get(*index));
        Self {
            given_back: charges.filter(|charge| !stay(charge)).copied().collect(),
            familiar: None,
            max_delay: plan.max_delay,
        }
    }
}
