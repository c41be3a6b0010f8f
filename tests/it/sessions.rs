//! What every session store keeps to, held against each of them: SQLite, Valkey where it is
//! installed, and real Redis servers in each of the ways in which they are run.

use std::sync::Arc;
use std::time::Duration;

use doorward::clock::Timestamp;
use doorward::id::{SessionId, UserId};
use doorward::session::{
    ClientKind, Generation, Persistence, RefreshToken, Session, SessionKind, Subject,
};
use doorward::sessions::redis::RedisSessions;
use doorward::sessions::sqlite::SqliteSessions;
use doorward::sessions::{Created, Cursor, Ended, Epoch, Refresh, Refreshed, SessionStore};
use doorward::user::{Email, Role};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

use crate::support::redis::RedisServer;

mod clients;
mod contract;
mod faults;
mod machine;
mod places;

/// The present of these tests. It lies in the future, so that no Redis server clears a key away whose
/// time, by the tests, has not come.
pub(crate) const START: Timestamp = Timestamp::from_seconds(4_000_000_000);
/// How long a refresh token lives in these tests.
const LIFETIME: Duration = Duration::from_hours(24);
/// How long a session lives at the most in these tests.
const LONGEST: Duration = Duration::from_hours(60);
/// How long the parent of a refresh token gets its successor in these tests.
const GRACE: Duration = Duration::from_secs(10);
const MILLISECOND: Duration = Duration::from_millis(1);

/// A store with a database of its own.
pub(crate) struct SqliteBench {
    pub(crate) pool: SqlitePool,
    pub(crate) directory: tempfile::TempDir,
}

impl SqliteBench {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let pool = open(directory.path()).await;
        migrate(&pool).await;
        Self { pool, directory }
    }

    pub(crate) fn sessions(&self) -> SqliteSessions {
        SqliteSessions::new(self.pool.clone())
    }
}

/// Makes the tables of the sessions.
async fn migrate(pool: &SqlitePool) {
    for migration in [
        include_str!("../../src/database/migrations/0002_sessions.sql"),
        include_str!("../../src/database/migrations/0003_session_lifetimes.sql"),
    ] {
        sqlx::raw_sql(migration).execute(pool).await.unwrap();
    }
}

/// Opens the database of a directory.
pub(crate) async fn open(directory: &std::path::Path) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(directory.join("doorward.sqlite"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let pool = SqlitePoolOptions::new().max_connections(4);
    pool.connect_with(options).await.unwrap()
}

/// Runs each of the named behaviours on each store.
macro_rules! on_each_store {
    ($($behaviour:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                let bench = super::SqliteBench::new().await;
                super::contract::$behaviour(super::Arc::new(bench.sessions())).await;
            })*
        }
        mod on_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                let server = super::RedisServer::start();
                super::contract::$behaviour(super::Arc::new(server.sessions())).await;
            })*
        }
        mod on_valkey {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                if let Some(server) = super::RedisServer::start_valkey() {
                    super::contract::$behaviour(super::Arc::new(server.sessions())).await;
                }
            })*
        }
        /// Runs each behaviour in turn on a store of its own, which `store` makes by a key prefix.
        /// For what takes too long to be started for each.
        async fn whole_contract(store: impl Fn(&str) -> RedisSessions) {
            $(contract::$behaviour(Arc::new(store(concat!("{", stringify!($behaviour), "}:")))).await;)*
        }
    };
}

on_each_store! {
    a_session_reads_back_as_it_was_stored
    the_newest_token_moves_the_session_on
    the_parent_gets_the_same_generation_back_within_the_grace
    the_parent_after_the_grace_ends_the_session
    an_older_token_ends_the_session_even_within_the_grace
    a_generation_that_the_store_lost_is_taken_as_the_newest
    the_last_generation_of_all_can_still_be_refreshed
    a_session_that_ran_out_is_gone
    a_session_that_ran_out_needs_no_ending
    a_refresh_prolongs_the_session
    no_refresh_prolongs_a_session_beyond_its_end
    an_ended_session_is_gone_and_stands_in_the_log
    the_end_of_what_is_kept_elsewhere_stands_in_the_log
    ending_all_ends_every_session_of_a_user
    ending_the_others_keeps_one_and_refuses_what_was_under_way
    ending_all_leaves_other_users_alone
    a_session_founded_before_all_were_ended_is_not_made
    the_sessions_of_a_user_come_newest_first
    the_users_who_have_sessions_come_once_each
    fifty_refreshes_at_once_rotate_once
    a_new_subject_is_seen_by_the_next_refresh
    the_log_is_read_on_from_a_place
    a_long_log_comes_in_pages
    a_reader_is_woken_by_an_end
    a_reader_without_news_gets_an_empty_page
    clearing_away_takes_nothing_that_may_be_asked_for
    a_place_in_the_log_outlives_its_entry
    the_store_gives_a_sign_of_life
}

pub(crate) fn user() -> UserId {
    UserId::new(START)
}

pub(crate) fn new_session(user: UserId, now: Timestamp) -> Session {
    Session {
        id: SessionId::new(now),
        subject: Subject {
            user,
            email: Email::parse("ann@example.com").unwrap(),
            roles: ["admin", "editor"]
                .map(|role| Role::parse(role).unwrap())
                .into_iter()
                .collect(),
        },
        kind: SessionKind::Admin,
        client: ClientKind::Native,
        persistence: Persistence::Persistent,
        generation: Generation::FIRST,
        created_at: now,
        refreshed_at: now,
        expires_at: now.plus(LIFETIME),
        ends_at: now.plus(LONGEST),
        address: "2001:db8::1".to_owned(),
        user_agent: "curl/8 \"quoted\" \u{fc}, with, commas".to_owned(),
    }
}

/// Stores a new session of this user.
pub(crate) async fn sign_in(store: &dyn SessionStore, user: UserId, now: Timestamp) -> Session {
    let session = new_session(user, now);
    let epoch = store.epoch(user).await.unwrap();
    assert_eq!(
        store.create(&session, epoch).await.unwrap(),
        Created::Stored
    );
    session
}

async fn refresh(
    store: &dyn SessionStore,
    session: SessionId,
    (generation, now): (u32, Timestamp),
) -> Refreshed {
    let refresh = Refresh {
        token: RefreshToken {
            session,
            generation: Generation::new(generation),
        },
        now,
        lifetime: LIFETIME,
        grace: GRACE,
    };
    store.refresh(refresh).await.unwrap()
}

fn moved_on(session: &Session, generation: u32, now: Timestamp) -> Session {
    Session {
        generation: Generation::new(generation),
        refreshed_at: now,
        expires_at: now.plus(LIFETIME).min(session.ends_at),
        ..session.clone()
    }
}

/// All that the log holds after a place, without waiting.
async fn log_after(store: &dyn SessionStore, cursor: Cursor) -> Vec<Ended> {
    let mut page = store.ended_after(&cursor, Duration::ZERO).await.unwrap();
    let mut all = page.ended;
    while page.more {
        page = store.ended_after(&page.next, Duration::ZERO).await.unwrap();
        all.extend(page.ended);
    }
    all
}

/// All that the log holds.
async fn whole_log(store: &dyn SessionStore) -> Vec<Ended> {
    log_after(
        store,
        store.log_start(Timestamp::from_millis(0)).await.unwrap(),
    )
    .await
}
