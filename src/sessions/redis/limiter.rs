//! Counts of attempts in the same Redis server, shared by all replicas.
//!
//! One script judges and counts an attempt in all of its buckets, in one round trip. The keys share
//! the hash tag of the sessions, so that a Redis Cluster runs it whole, and on the server that the link
//! leads to; they expire by themselves. The rule is that of [`limit::judge`](crate::limit::judge), over
//! again in Lua; one suite of tests holds the two together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use redis::{FromRedisValue, Script, ScriptInvocation};

use super::link::Link;
use super::{RedisSessions, unavailable, unreadable};
use crate::clock::Timestamp;
use crate::limit::{Admitted, Bucket, Charge, Key, Plan, Refused, Role, State, Verdict};
use crate::limiter::{Aftermath, Limiter};
use crate::sessions::stored::Unreadable;
use crate::unavailable::Unavailable;

/// Counts in a Redis server.
pub struct RedisLimiter {
    link: Arc<Link>,
    /// What the keys start with.
    prefix: String,
    admit: Script,
    settle: Script,
}

impl RedisSessions {
    /// A limiter where these sessions are, over the same connection.
    pub fn limiter(&self) -> RedisLimiter {
        RedisLimiter {
            link: Arc::clone(&self.link),
            prefix: self.keys.limit_prefix.clone(),
            admit: Script::new(include_str!("limit.lua")),
            settle: Script::new(include_str!("settle.lua")),
        }
    }
}

impl RedisLimiter {
    fn key(&self, key: Key) -> String {
        format!("{}{key}", self.prefix)
    }

    async fn invoke<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, Unavailable> {
        self.link.invoke(script).await.map_err(unavailable)
    }
}

#[async_trait]
impl Limiter for RedisLimiter {
    async fn admit(&self, plan: &Plan, now: Timestamp) -> Result<Verdict, Unavailable> {
        let mut script = self.admit.prepare_invoke();
        for charge in &plan.charges {
            script.key(self.key(charge.key));
        }
        if let Some(key) = plan.familiar {
            script.key(self.key(key));
        }
        script
            .arg(micros(now))
            .arg(span(plan.max_delay))
            .arg(plan.charges.len());
        for charge in &plan.charges {
            charge_arguments(&mut script, charge);
        }
        let answer: (String, Vec<i64>) = self.invoke(&script).await?;
        read_verdict(&answer).ok_or_else(|| unreadable(Unreadable("verdict")))
    }

    async fn settle(&self, after: &Aftermath, now: Timestamp) -> Result<(), Unavailable> {
        let mut script = self.settle.prepare_invoke();
        for charge in &after.given_back {
            script.key(self.key(charge.key));
        }
        let familiar_for = after.familiar.map_or(0, |(_, time)| span(time));
        if let Some((key, _)) = after.familiar {
            script.key(self.key(key));
        }
        script
            .arg(micros(now))
            .arg(span(after.max_delay))
            .arg(after.given_back.len())
            .arg(familiar_for);
        for charge in &after.given_back {
            charge_arguments(&mut script, charge);
        }
        self.invoke(&script).await
    }
}

fn charge_arguments(script: &mut ScriptInvocation<'_>, charge: &Charge) {
    let role = match (charge.role, charge.bucket) {
        (Role::Refuses, Bucket::Pair) => "pair",
        (Role::Refuses, Bucket::Address | Bucket::Account) => "refuses",
        (Role::RefusesStrangers, _) => "strangers",
        (Role::Presses, _) => "presses",
        (Role::Grows, _) => "grows",
    };
    let tolerance = charge.quota.tolerance();
    script.arg(role).arg(charge.quota.interval()).arg(tolerance);
}

/// `admitted`, whether familiar, whether fresh, then index, instant and tries of each charge; or
/// `refused`, the index of the charge and the wait.
fn read_verdict((word, numbers): &(String, Vec<i64>)) -> Option<Verdict> {
    match (word.as_str(), numbers.as_slice()) {
        ("admitted", [familiar, fresh, counted @ ..]) => {
            let counted = counted.chunks_exact(3).map(|chunk| {
                let [index, at, tries] = <[i64; 3]>::try_from(chunk).ok()?;
                let tries = tries.try_into().ok()?;
                Some((usize::try_from(index).ok()?, State { at, tries }))
            });
            Some(Verdict::Admitted(Admitted {
                familiar: *familiar == 1,
                fresh: *fresh == 1,
                counted: counted.collect::<Option<_>>()?,
            }))
        }
        ("refused", [charge, wait]) => Some(Verdict::Refused(Refused {
            charge: usize::try_from(*charge).ok()?,
            retry_after: Duration::from_micros(u64::try_from(*wait).ok()?),
        })),
        _ => None,
    }
}

impl fmt::Debug for RedisLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLimiter")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

fn micros(now: Timestamp) -> i64 {
    now.as_millis().saturating_mul(1000)
}

fn span(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
