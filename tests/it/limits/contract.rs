//! Memory and Redis judge alike: one sequence of attempts, told by each, step by step.

use std::time::Duration;

use doorward::clock::Timestamp;
use doorward::limit::{
    Account, Attempt, Bucket, Network, Plan, Policy, Purpose, Quota, Rules, Verdict,
};
use doorward::limiter::memory::MemoryLimiter;
use doorward::limiter::{Aftermath, Limiter};

use crate::support::redis::{RedisServer, sessions_at};

/// In the future, so that no Redis server clears a key away whose time, by the test, has not come.
const START: Timestamp = Timestamp::from_seconds(4_000_000_000);

fn policy() -> Policy {
    let mut policy = super::policy();
    policy.sign_in = Rules {
        address: Quota::parse("40/1m"),
        pair: Quota::parse("7/1m"),
        pressure: Quota::parse("12/5m"),
        ..Rules::default()
    };
    policy.admin_sign_in = Rules {
        pair: Quota::parse("3/1m"),
        pressure: Quota::parse("4/1m"),
        ..Rules::default()
    };
    policy.reset.account = Quota::parse("4/1h");
    policy.reset.strangers = Quota::parse("2/1h");
    policy
}

/// Small numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn plan(dice: &mut Dice, policy: &Policy) -> Plan {
    let purpose = match dice.roll(10) {
        0 => Purpose::Reset,
        1 | 2 => Purpose::AdminSignIn,
        _ => Purpose::SignIn,
    };
    let address = format!("192.0.2.{}", dice.roll(6));
    let account = Account::new(
        match dice.roll(3) {
            0 => "ann",
            1 => "ann@example.com",
            _ => "bob",
        },
        None,
    );
    let attempt = Attempt {
        purpose,
        network: Network::of(address.parse().unwrap()),
        account: Some(&account),
    };
    Plan::of(&attempt, policy)
}

#[tokio::test]
async fn memory_and_redis_judge_alike() {
    let server = RedisServer::start();
    let redis = server.sessions().limiter();
    let memory = MemoryLimiter::new(10_000);
    let policy = policy();
    let (mut dice, mut now) = (Dice(7), START);
    let (mut refused, mut growing, mut familiar) = (0, 0, 0);
    for step in 0..1500 {
        now = now.plus(Duration::from_millis(dice.roll(4000)));
        if dice.roll(100) == 0 {
            now = now.plus(Duration::from_mins(dice.roll(20)));
        }
        let plan = plan(&mut dice, &policy);
        let verdict = memory.admit(&plan, now).await.unwrap();
        assert_eq!(
            redis.admit(&plan, now).await.unwrap(),
            verdict,
            "step {step}: {plan:?}"
        );
        match verdict {
            Verdict::Refused(it) => {
                refused += 1;
                growing += usize::from(it.retry_after > Duration::from_mins(1));
            }
            Verdict::Admitted(admitted) => {
                familiar += usize::from(admitted.familiar);
                let mut after = match dice.roll(4) {
                    0 => Aftermath::of(&plan, &admitted, |_| false),
                    1 => Aftermath::of(&plan, &admitted, |it| it.bucket == Bucket::Address),
                    _ => continue,
                };
                let right = plan.familiar.filter(|_| dice.roll(8) == 0);
                after.familiar = right.map(|key| (key, Duration::from_mins(5)));
                memory.settle(&after, now).await.unwrap();
                redis.settle(&after, now).await.unwrap();
            }
        }
    }
    assert!(
        refused > 60 && growing > 10 && familiar > 10,
        "{refused} {growing} {familiar}"
    );
}

#[tokio::test]
async fn what_redis_keeps_ends_by_itself_and_names_nobody() {
    let server = RedisServer::start();
    let redis = sessions_at(server.address(), "shop:").limiter();
    let mut dice = Dice(7);
    for _ in 0..20 {
        redis
            .admit(&plan(&mut dice, &policy()), START)
            .await
            .unwrap();
    }
    let keys: Vec<String> = redis::from_redis_value(server.command(&["KEYS", "*"]).await).unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        assert!(
            key.starts_with("shop:{sessions}:limit:") && !key.contains("ann"),
            "{key}"
        );
        let left: i64 = redis::from_redis_value(server.command(&["PTTL", &key]).await).unwrap();
        assert!((1..=3_601_000).contains(&left), "{key} {left}");
    }
}

#[tokio::test]
async fn memory_is_bounded_and_the_attacked_account_stays_guarded() {
    let memory = MemoryLimiter::new(1_000);
    let policy = policy();
    let attack = |address: u32| {
        let account = Account::new("ann", None);
        let attempt = Attempt {
            purpose: Purpose::SignIn,
            network: Network::of(std::net::Ipv4Addr::from_bits(address).into()),
            account: Some(&account),
        };
        Plan::of(&attempt, &policy)
    };
    for address in 0..20_000 {
        memory.admit_now(&attack(address), START);
    }
    assert!(memory.len() <= 1_000, "{}", memory.len());
    // A network that comes again is still told to wait after its free tries.
    let verdicts: Vec<_> = (0..4)
        .map(|_| memory.admit_now(&attack(77), START))
        .collect();
    assert!(
        matches!(verdicts.last(), Some(Verdict::Refused(_))),
        "{verdicts:?}"
    );
}
