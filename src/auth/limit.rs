//! What comes too soon: the limits of sign-in, refresh and all else that can be tried again and again.
//!
//! Every face signs in and refreshes through here, so that no entrance goes round them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Auth, Caller};
use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::limit::{
    Account, Admitted, Attempt, Bucket, Charge, Limited, Network, Plan, Policy, Purpose, Quota,
    State, Verdict,
};
use crate::limiter::memory::MemoryLimiter;
use crate::limiter::{Aftermath, Limiter};
use crate::password;
use crate::unavailable::Unavailable;

use self::room::{Place, Room, Standing};

mod room;

/// The limits, and where attempts are counted.
pub struct Limits {
    policy: Policy,
    /// What protects accounts: all replicas count together.
    shared: Arc<dyn Limiter>,
    /// What protects this replica, and needs no round trip.
    local: MemoryLimiter,
    room: Arc<Room>,
}

/// Why something may not be tried.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// It comes too soon.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// Where attempts are counted is away.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// An attempt that may go on, and is counted.
#[derive(Debug)]
pub struct Pass {
    purpose: Purpose,
    plan: Plan,
    admitted: Admitted,
}

/// What is left of what one network may try, whichever accounts it aims at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How many there are at all.
    pub limit: u32,
    /// How many are left.
    pub remaining: u32,
    /// When there are as many as that again.
    pub reset: Duration,
}

impl Pass {
    /// What is left after this attempt, by the tightest of the quotas for the network; none where it has
    /// no quota.
    fn allowance(&self, now: Timestamp) -> Option<Allowance> {
        let counted = self.admitted.counted.iter();
        let charges = counted.filter_map(|(index, state)| {
            let charge = self.plan.charges.get(*index)?;
            (charge.bucket == Bucket::Address).then(|| allowance(charge.quota, (*state, now)))
        });
        charges.min_by_key(|allowance| allowance.remaining)
    }
}

fn allowance(quota: Quota, (state, now): (State, Timestamp)) -> Allowance {
    let ahead = state
        .at
        .saturating_sub(now.as_millis().saturating_mul(1000));
    let room = quota.tolerance().saturating_sub(ahead).max(0);
    let left = room.checked_div(quota.interval()).unwrap_or(0);
    Allowance {
        limit: quota.count(),
        remaining: u32::try_from(left).unwrap_or(u32::MAX).min(quota.count()),
        reset: Duration::from_micros(u64::try_from(ahead).unwrap_or(0)),
    }
}

/// A pass with a place before the pool of hashes.
pub(super) struct SignInPass {
    pass: Pass,
    place: Place,
}

/// Why a sign-in does not get as far as its password.
pub(super) enum Kept {
    /// It comes too soon, or nobody can say.
    Limit(LimitError),
    /// Too many that nobody knows are waiting already.
    NoRoom,
}

/// What came of an attempt that was admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// It was right: no guess, and whoever made it is known from now on.
    Right,
    /// It was wrong.
    Wrong,
    /// Nobody looked: that is not the client's fault.
    Unjudged,
}

impl Limits {
    /// Limits over `shared`, before a pool of hashes of this size.
    pub fn new(policy: Policy, shared: Arc<dyn Limiter>, pool: &password::Config) -> Self {
        Self {
            local: MemoryLimiter::new(policy.max_entries),
            room: Arc::new(Room::before(pool)),
            policy,
            shared,
        }
    }

    /// What guards accounts against guessing counts for all replicas together. What only keeps one
    /// client from taking too much of a replica is counted by each for itself: a refresh should not
    /// cost one more round trip.
    fn counts_together(purpose: Purpose) -> bool {
        match purpose {
            Purpose::SignIn
            | Purpose::AdminSignIn
            | Purpose::Reset
            | Purpose::Code
            | Purpose::SignUp => true,
            Purpose::Refresh | Purpose::ApiKey => false,
        }
    }
}

impl Auth {
    /// Counts an attempt, or refuses it. To be asked before anything that costs or tells.
    pub async fn limit(
        &self,
        purpose: Purpose,
        caller: &Caller,
        account: Option<&Account>,
    ) -> Result<Pass, LimitError> {
        let limits = &self.parts.limits;
        let attempt = Attempt {
            purpose,
            network: Network::of(caller.address),
            account,
        };
        let plan = Plan::of(&attempt, &limits.policy);
        let verdict = if Limits::counts_together(purpose) && !plan.charges.is_empty() {
            limits.shared.admit(&plan, self.now()).await?
        } else {
            limits.local.admit_now(&plan, self.now())
        };
        match verdict {
            Verdict::Admitted(admitted) => Ok(Pass {
                purpose,
                plan,
                admitted,
            }),
            Verdict::Refused(refused) => {
                let charge = plan.charges.get(refused.charge);
                let limited = Limited {
                    purpose,
                    bucket: charge.map_or(Bucket::Address, |charge| charge.bucket),
                    quota: charge.map_or(FALLBACK, |charge| charge.quota),
                    retry_after: refused.retry_after,
                };
                self.parts.metrics.limited(&limited);
                Err(limited.into())
            }
        }
    }

    /// Takes an attempt back, as if it had not been made: an API key that was right after all.
    pub async fn forgive(&self, pass: Pass) {
        let after = Aftermath::of(&pass.plan, &pass.admitted, |_| false);
        self.settle(pass.purpose, &after).await;
    }

    /// Counts a sign-in against its account, by whichever name; before its password is looked at.
    pub(super) async fn admit_sign_in(
        &self,
        (purpose, caller): (Purpose, &Caller),
        (login, user): (&str, Option<UserId>),
    ) -> Result<SignInPass, Kept> {
        let account = Account::new(login, user);
        let limit = self.limit(purpose, caller, Some(&account)).await;
        let pass = limit.map_err(Kept::Limit)?;
        let room = Arc::clone(&self.parts.limits.room);
        if let Some(place) = Room::enter(room, account.key(), standing(&pass)) {
            return Ok(SignInPass { pass, place });
        }
        self.forgive(pass).await;
        Err(Kept::NoRoom)
    }

    /// What is left for the network of an attempt.
    pub(super) fn allowance_after(&self, pass: &SignInPass) -> Option<Allowance> {
        pass.pass.allowance(self.now())
    }

    /// Notes what came of a sign-in. One that was right is taken out of all buckets but that of the
    /// address, which keeps its owner from having hashes computed without end.
    pub(super) async fn settle_sign_in(&self, pass: SignInPass, came: Came) {
        let SignInPass { pass, place } = pass;
        drop(place);
        let by_address = |charge: &Charge| charge.bucket == Bucket::Address;
        let after = match came {
            Came::Wrong => return,
            Came::Unjudged => Aftermath::of(&pass.plan, &pass.admitted, |_| false),
            Came::Right => Aftermath {
                familiar: pass
                    .plan
                    .familiar
                    .map(|key| (key, self.parts.limits.policy.familiar_for)),
                ..Aftermath::of(&pass.plan, &pass.admitted, by_address)
            },
        };
        self.settle(pass.purpose, &after).await;
    }

    /// Notes that somebody signed in otherwise than by a password: their account knows the network now.
    pub(super) async fn note_familiar(&self, user: UserId, caller: &Caller) {
        let account = Account::new("", Some(user));
        let limits = &self.parts.limits;
        let attempt = Attempt {
            purpose: Purpose::SignIn,
            network: Network::of(caller.address),
            account: Some(&account),
        };
        let plan = Plan::of(&attempt, &limits.policy);
        let after = Aftermath {
            given_back: Vec::new(),
            familiar: plan.familiar.map(|key| (key, limits.policy.familiar_for)),
            max_delay: plan.max_delay,
        };
        self.settle(attempt.purpose, &after).await;
    }

    /// Counts a refresh.
    pub(super) async fn limit_refresh(
        &self,
        session: SessionId,
        caller: &Caller,
    ) -> Result<(), LimitError> {
        let account = Account::of_id(session.as_bytes());
        let limit = self.limit(Purpose::Refresh, caller, Some(&account));
        limit.await.map(|_counted| ())
    }

    /// Whether a refusal of this caller is worth a line in the audit log; the metrics count them all.
    pub(super) fn is_worth_a_line(&self, caller: &Caller) -> bool {
        let plan = Plan::of_line(Network::of(caller.address));
        let verdict = self.parts.limits.local.admit_now(&plan, self.now());
        matches!(verdict, Verdict::Admitted(_))
    }

    /// What cannot be noted runs out by itself; it is no reason to refuse what was done already.
    async fn settle(&self, purpose: Purpose, after: &Aftermath) {
        if after.given_back.is_empty() && after.familiar.is_none() {
            return;
        }
        let limits = &self.parts.limits;
        if !Limits::counts_together(purpose) {
            limits.local.settle_now(after, self.now());
        } else if let Err(error) = limits.shared.settle(after, self.now()).await {
            tracing::warn!(%error, "what came of an attempt could not be noted");
        }
    }
}

/// What a refusal of no charge at all would be told by; there is none such.
const FALLBACK: Quota = Quota::new(1, Duration::from_secs(1));

const fn standing(pass: &Pass) -> Standing {
    match (pass.admitted.familiar, pass.admitted.fresh) {
        (true, _) => Standing::Familiar,
        (false, true) => Standing::Fresh,
        (false, false) => Standing::Repeated,
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits")
            .field("policy", &self.policy)
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}
