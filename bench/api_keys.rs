//! What many API keys take: memory, time to load them, time to judge one. `bench/api_keys.sh [KEYS]`
//! builds and runs it.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for people, which may stop loudly and takes its argument from the environment"
)]

use std::sync::Arc;
use std::time::Instant;

use doorward::api_key::{KeyText, Kind, UnverifiedKey};
use doorward::api_keys::sql::SqlApiKeys;
use doorward::auth::api_keys::{ApiKeys, Parts, Settings};
use doorward::clock::{SharedClock, SystemClock};
use doorward::database::{self, Database};
use doorward::id::{ApiKeyId, random_bytes};
use doorward::revocation::{Config, Revocations};
use doorward::sessions::sqlite::SqliteSessions;

const ROUNDS: u32 = 1_000_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let count: usize = std::env::var("KEYS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(1_000_000);
    let directory = tempfile::tempdir().expect("a directory");
    let shown = KeyText::random(Kind::Doorward);
    let keys = opened(directory.path(), count, &shown).await;

    let before = resident();
    let began = Instant::now();
    keys.load().await.expect("the keys are read");
    let loaded = began.elapsed();
    let bytes = resident().saturating_sub(before);
    println!(
        "{} keys loaded in {loaded:.1?}, {} bytes a key (resident, {} MiB in all)",
        keys.len(),
        bytes / count,
        bytes >> 20
    );
    time("read and hash", || {
        UnverifiedKey::read(shown.text.expose()).is_some()
    });
    time("judge one that holds", || {
        let shown = UnverifiedKey::read(shown.text.expose());
        shown.is_some_and(|key| key.is_ok_and(|key| keys.explain(&key).is_ok()))
    });
    let unknown = KeyText::random(Kind::Doorward);
    time("judge one that nobody knows", || {
        let shown = UnverifiedKey::read(unknown.text.expose());
        shown.is_some_and(|key| key.is_ok_and(|key| keys.explain(&key).is_err()))
    });
}

fn time(what: &str, mut work: impl FnMut() -> bool) {
    let began = Instant::now();
    let right = (0..ROUNDS).all(|_| work());
    println!(
        "{what}: {:?} (all right: {right})",
        began.elapsed() / ROUNDS
    );
}

/// A database with so many keys, `shown` among them.
async fn opened(directory: &std::path::Path, count: usize, shown: &KeyText) -> Arc<ApiKeys> {
    let database = Database::embedded(directory).await.expect("a database");
    let pool = database::open(directory).await.expect("a database");
    let clock: SharedClock = Arc::new(SystemClock);
    let mut change = pool.begin().await.expect("a transaction");
    for number in 0..count {
        let hash = match number {
            0 => *shown.hash.as_bytes(),
            _others => random_bytes(),
        };
        sqlx::query(
            r#"INSERT INTO api_keys (id, hash, kind, name, hint, service, roles, scopes, created_at, changed)
               VALUES (?, ?, 'dwk', ?, 'dwk_abcd', ?, '["editor"]', '["read","write"]', 0, ?)"#,
        )
        .bind(ApiKeyId::new(clock.now()).as_bytes().to_vec())
        .bind(hash.to_vec())
        .bind(format!("deployment of service {number}"))
        .bind(format!("service-{number}"))
        .bind(i64::try_from(number).expect("a small number") + 1)
        .execute(&mut *change)
        .await
        .expect("a row");
    }
    sqlx::query("UPDATE api_key_changes SET seq = (SELECT max(changed) FROM api_keys)")
        .execute(&mut *change)
        .await
        .expect("the counter");
    change.commit().await.expect("a commit");
    let max_staleness = std::time::Duration::from_hours(1);
    ApiKeys::new(Parts {
        settings: Settings {
            header: None,
            max_staleness,
            max_per_owner: 1,
        },
        store: Arc::new(SqlApiKeys::new(database)),
        sessions: Arc::new(SqliteSessions::new(pool)),
        revocations: Revocations::new(
            Config {
                keep: max_staleness,
                max_staleness,
            },
            clock.clone(),
        ),
        clock,
    })
}

/// Bytes of memory that this process holds.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok());
    kib.unwrap_or(0) << 10
}
