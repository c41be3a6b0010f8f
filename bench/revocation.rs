//! How soon a replica refuses what another one ended, and what the memory of ended sessions costs.
//! Started by `bench/revocation.sh`, which gives it a Redis server of its own.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program for people at a terminal, which stops loudly where it cannot go on"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use doorward::clock::{Clock as _, SharedClock, SystemClock};
use doorward::id::{SessionId, UserId};
use doorward::revocation::{Config, Revocations, Standing};
use doorward::session::{ClientKind, Generation, Persistence, Session, SessionKind, Subject};
use doorward::sessions::redis::place::{Node, Place, Transport};
use doorward::sessions::redis::{RedisConfig, RedisSessions};
use doorward::sessions::{Ended, SessionStore};
use doorward::user::Email;

/// How many replicas hear of each end.
const REPLICAS: usize = 3;
const ENTRIES: u32 = 1_000_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().and_then(|port| port.parse().ok());
    let ends = arguments.next().and_then(|ends| ends.parse().ok());
    let (Some(port), Some(ends)) = (port, ends) else {
        println!("usage: revocation-bench PORT ENDS");
        return;
    };
    latency(port, ends).await;
    memory();
}

fn replica() -> Arc<Revocations> {
    let clock: SharedClock = Arc::new(SystemClock);
    let config = Config {
        keep: Duration::from_secs(16 * 60 + 30),
        max_staleness: Duration::from_secs(30),
    };
    Revocations::new(config, clock)
}

fn store(port: u16) -> RedisSessions {
    RedisSessions::connect(&RedisConfig {
        place: Place::Server {
            node: Node {
                host: "127.0.0.1".to_owned(),
                port,
            },
            transport: Transport::Plain,
            database: 0,
        },
        login: None,
        key_prefix: "bench:".to_owned(),
    })
}

/// From the acknowledged end of a session to its refusal on the last of the replicas.
async fn latency(port: u16, ends: u32) {
    let here = store(port);
    let mut replicas = Vec::new();
    for _ in 0..REPLICAS {
        let replica = replica();
        tokio::spawn(Arc::clone(&replica).follow(Arc::new(store(port))));
        replica.wait_until_fresh().await;
        replicas.push(replica);
    }
    let mut delays = Vec::new();
    for _ in 0..ends {
        let session = sign_in(&here).await;
        let heard: Vec<_> = replicas
            .iter()
            .map(|one| tokio::spawn(one.ended(session)))
            .collect();
        let ended = here.end(session, SystemClock.now()).await;
        ended
            .expect("Redis is there")
            .expect("the session was live");
        let acknowledged = Instant::now();
        for one in heard {
            one.await.expect("the replica hears");
        }
        delays.push(acknowledged.elapsed());
        let now = SystemClock.now();
        let refused = |one: &Arc<Revocations>| one.check(Some(session), now) == Standing::Ended;
        assert!(replicas.iter().all(refused), "heard of, and not refused");
    }
    delays.sort();
    let at = |part: usize| delays.get((delays.len() * part / 100).min(delays.len() - 1));
    let shown = |part| at(part).map_or(0.0, |delay| delay.as_secs_f64() * 1e3);
    println!(
        "acknowledged end to refusal on the last of {REPLICAS} replicas, {ends} ends: \
         p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms",
        shown(50),
        shown(99),
        shown(100)
    );
}

async fn sign_in(store: &RedisSessions) -> SessionId {
    let now = SystemClock.now();
    let session = Session {
        id: SessionId::new(now),
        subject: Subject {
            user: UserId::new(now),
            email: Email::parse("bench@example.com").expect("an address"),
            roles: [].into_iter().collect(),
        },
        kind: SessionKind::User,
        client: ClientKind::Web,
        persistence: Persistence::Browser,
        generation: Generation::FIRST,
        created_at: now,
        refreshed_at: now,
        expires_at: now.plus(Duration::from_hours(1)),
        ends_at: now.plus(Duration::from_hours(2)),
        address: "127.0.0.1".to_owned(),
        user_agent: "bench".to_owned(),
    };
    let epoch = store
        .epoch(session.subject.user)
        .await
        .expect("Redis is there");
    store.create(&session, epoch).await.expect("Redis is there");
    session.id
}

/// What a million ended sessions cost: bytes, and the time of a look.
fn memory() {
    let now = SystemClock.now();
    let ids = |count| (0..count).map(|_| SessionId::new(now)).collect::<Vec<_>>();
    let (ended, live) = (ids(ENTRIES), ids(ENTRIES));
    let replica = replica();
    let before = resident_bytes();
    for session in &ended {
        replica.note(Ended {
            session: *session,
            at: now,
        });
    }
    let bytes = resident_bytes().saturating_sub(before);
    println!(
        "{ENTRIES} ended sessions: {} bytes each",
        bytes / u64::from(ENTRIES)
    );
    for (what, sessions) in [("that ended", &ended), ("that live", &live)] {
        let began = Instant::now();
        let found = sessions
            .iter()
            .filter(|session| replica.check(Some(**session), now) == Standing::Ended);
        let found = found.count();
        let each = began.elapsed() / ENTRIES;
        println!(
            "a look at sessions {what} ({found} found): {} ns each",
            each.as_nanos()
        );
    }
}

fn resident_bytes() -> u64 {
    const PAGE: u64 = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * PAGE
}
