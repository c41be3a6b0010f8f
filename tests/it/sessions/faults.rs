//! What happens when the store of the sessions breaks: a failure and never a wrong answer, nothing
//! half-written, and no need to be told that it is back.

use doorward::sessions::redis::place::Login;
use doorward::sessions::redis::{RedisConfig, RedisSessions};
use doorward::unavailable::Unavailable;
use sqlx::Connection as _;
use sqlx::SqliteConnection;

use super::*;
use crate::support::redis::{config_at, sessions_at, until};
use crate::support::wall::Wall;

/// Asks a store for everything that it can be asked for, and expects a failure of each.
async fn all_fail(store: &dyn SessionStore, session: &Session) {
    let (id, user, now) = (session.id, session.subject.user, START);
    let refresh = Refresh {
        token: RefreshToken {
            session: id,
            generation: Generation::FIRST,
        },
        now,
        lifetime: LIFETIME,
        grace: GRACE,
    };
    let cursor = Cursor("0-0".into());
    let failed = [
        ("epoch", store.epoch(user).await.is_err()),
        ("create", store.create(session, Epoch(0)).await.is_err()),
        ("find", store.find(id, now).await.is_err()),
        ("refresh", store.refresh(refresh).await.is_err()),
        (
            "update",
            store.update_subject(id, &session.subject).await.is_err(),
        ),
        ("end", store.end(id, now).await.is_err()),
        ("end all", store.end_all(user, now).await.is_err()),
        ("list", store.of_user(user, now).await.is_err()),
        ("users", store.users(now).await.is_err()),
        (
            "log",
            store.ended_after(&cursor, Duration::ZERO).await.is_err(),
        ),
        ("clear", store.clear_expired(now, LIFETIME).await.is_err()),
        ("ping", store.ping().await.is_err()),
    ];
    for (what, failed) in failed {
        assert!(failed, "{what}");
    }
}

#[tokio::test]
async fn a_redis_that_is_away_fails_everything_at_once_and_heals() {
    let mut server = RedisServer::start();
    let store = server.sessions();
    let session = sign_in(&store, user(), START).await;
    server.stop();
    all_fail(&store, &session).await;
    server.start_again();
    store.ping().await.expect("it is back");
    assert_eq!(store.find(session.id, START).await.unwrap(), None);
}

/// How often a server was asked what it is.
async fn asked(server: &RedisServer) -> u32 {
    let told = server.command(&["INFO", "commandstats"]).await;
    let told: String = redis::FromRedisValue::from_redis_value(told).unwrap();
    let line = told.lines().find(|line| line.starts_with("cmdstat_role:"));
    let calls = line.and_then(|line| line.split("calls=").nth(1)?.split(',').next());
    calls.map_or(0, |calls| calls.parse().unwrap())
}

#[tokio::test]
async fn a_redis_that_hangs_up_on_the_idle_does_so_on_nobody_who_comes_back() {
    let server = RedisServer::start();
    let store = server.sessions();
    server.command(&["CONFIG", "SET", "timeout", "1"]).await;
    let session = sign_in(&store, user(), START).await;
    // Longer than the server waits for anybody who says nothing.
    let before = asked(&server).await;
    until("twelve looks", async || asked(&server).await >= before + 12).await;
    assert!(store.find(session.id, START).await.unwrap().is_some());
}

#[tokio::test]
async fn a_redis_behind_a_cut_link_keeps_what_it_has() {
    let server = RedisServer::start();
    let wall = Wall::before(server.address()).await;
    let store = sessions_at(wall.address(), "doorward:");
    let session = sign_in(&store, user(), START).await;
    wall.cut();
    all_fail(&store, &session).await;
    wall.mend();
    assert_eq!(
        store.find(session.id, START).await.unwrap().as_ref(),
        Some(&session)
    );
    assert_eq!(whole_log(&store).await, []);
}

#[tokio::test]
async fn fifty_who_ask_a_silent_redis_wait_together_and_not_in_a_row() {
    let server = RedisServer::start();
    let wall = Wall::before(server.address()).await;
    wall.silence();
    let store = sessions_at(wall.address(), "doorward:");
    // Nothing comes through, so that only the limits make time go on.
    tokio::time::pause();
    let asked_at = tokio::time::Instant::now();
    let pings = futures_util::future::join_all((0..50).map(|_| store.ping())).await;
    let waited = asked_at.elapsed();
    tokio::time::resume();
    assert!(pings.iter().all(Result::is_err));
    assert!(waited < Duration::from_secs(5), "{waited:?}");
    wall.mend();
    store.ping().await.expect("a new connection");
}

#[tokio::test]
async fn who_comes_when_a_thousand_wait_already_is_told_so_at_once() {
    let server = RedisServer::start();
    let wall = Wall::before(server.address()).await;
    wall.silence();
    let store = sessions_at(wall.address(), "doorward:");
    let waiting = futures_util::future::join_all((0..1024).map(|_| store.ping()));
    let one_more = async {
        let came = tokio::time::Instant::now();
        store.ping().await.expect_err("there is no place");
        assert_eq!(came.elapsed(), Duration::ZERO, "at once");
    };
    // Time goes on only when all are waiting.
    tokio::time::pause();
    let (waiting, ()) = tokio::join!(waiting, one_more);
    tokio::time::resume();
    assert!(waiting.iter().all(Result::is_err));
    wall.mend();
    store.ping().await.expect("the places are free again");
}

#[tokio::test]
async fn the_log_of_a_server_that_became_a_replica_is_not_believed() {
    let server = RedisServer::start();
    let store = server.sessions();
    let start = store.log_start(START).await.unwrap();
    let look = async || store.ended_after(&start, Duration::ZERO).await;
    look().await.expect("a master");
    server.command(&["REPLICAOF", "127.0.0.1", "1"]).await;
    look().await.expect_err("nobody knows how old it is");
    store.ping().await.expect_err("nothing can be written");
    server.command(&["REPLICAOF", "NO", "ONE"]).await;
    look().await.expect("a master again");
}

/// All changes of a session that a full or read-only server refuses.
async fn changes_fail(store: &dyn SessionStore, session: &Session) {
    let user = session.subject.user;
    let old = Refresh {
        token: RefreshToken {
            session: session.id,
            generation: Generation::FIRST,
        },
        now: START.plus(GRACE * 2),
        lifetime: LIFETIME,
        grace: GRACE,
    };
    let newest = Refresh {
        token: RefreshToken {
            session: session.id,
            generation: session.generation,
        },
        ..old.clone()
    };
    let refused: [(_, Result<(), Unavailable>); 5] = [
        (
            "create",
            store
                .create(&new_session(user, START), Epoch(0))
                .await
                .map(drop),
        ),
        ("refresh", store.refresh(newest).await.map(drop)),
        ("reuse", store.refresh(old).await.map(drop)),
        ("end", store.end(session.id, START).await.map(drop)),
        ("end all", store.end_all(user, START).await.map(drop)),
    ];
    for (what, answer) in refused {
        assert!(answer.is_err(), "{what}");
    }
}

/// None of those changes has been made.
async fn nothing_changed(store: &dyn SessionStore, session: &Session) {
    let user = session.subject.user;
    assert_eq!(
        store.of_user(user, START).await.unwrap().as_slice(),
        std::slice::from_ref(session)
    );
    assert_eq!(store.epoch(user).await.unwrap(), Epoch(0));
    assert_eq!(whole_log(store).await, []);
}

#[tokio::test]
async fn a_redis_that_refuses_writes_leaves_every_session_as_it_was() {
    let server = RedisServer::start();
    let store = server.sessions();
    let session = sign_in(&store, user(), START).await;
    refresh(&store, session.id, (0, START)).await;
    refresh(&store, session.id, (1, START)).await;
    let session = moved_on(&session, 2, START);
    let faults: [(&[&str], &[&str]); 2] = [
        (
            &["CONFIG", "SET", "maxmemory", "1"],
            &["CONFIG", "SET", "maxmemory", "0"],
        ),
        (
            &["REPLICAOF", "127.0.0.1", "1"],
            &["REPLICAOF", "NO", "ONE"],
        ),
    ];
    for (break_it, mend_it) in faults {
        server.command(break_it).await;
        changes_fail(&store, &session).await;
        server.command(mend_it).await;
        nothing_changed(&store, &session).await;
    }
    assert_eq!(store.end(session.id, START).await.unwrap(), Some(session));
}

#[tokio::test]
async fn a_redis_that_forgot_the_scripts_is_told_them_again() {
    let server = RedisServer::start();
    let store = server.sessions();
    let session = sign_in(&store, user(), START).await;
    server.command(&["SCRIPT", "FLUSH"]).await;
    assert!(matches!(
        refresh(&store, session.id, (0, START)).await,
        Refreshed::Rotated(_)
    ));
}

#[tokio::test]
async fn a_redis_with_a_password_wants_it_and_a_wrong_one_heals_when_it_is_right() {
    let server = RedisServer::start();
    server
        .command(&["CONFIG", "SET", "requirepass", "hunter2"])
        .await;
    let knowing = RedisSessions::connect(&RedisConfig {
        login: Some(Login {
            user: None,
            password: "hunter2".into(),
        }),
        ..config_at(server.address(), "")
    });
    knowing.ping().await.expect("the password is right");
    let unknowing = server.sessions();
    unknowing.ping().await.expect_err("there is no password");

    let url = format!("redis://:hunter2@{}", server.address());
    let mut connection = redis::Client::open(url)
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    let mut open_up = redis::cmd("CONFIG");
    open_up.arg(&["SET", "requirepass", ""]);
    open_up.exec_async(&mut connection).await.unwrap();
    unknowing.ping().await.expect("none is needed any more");
}

#[tokio::test]
async fn a_log_that_became_shorter_is_read_from_its_start() {
    let server = RedisServer::start();
    let store = server.sessions();
    let session = sign_in(&store, user(), START).await;
    store.end(session.id, START).await.unwrap();
    let ended = [Ended {
        session: session.id,
        at: START,
    }];
    // A place in the log of a server whose clock was ahead.
    let lost = Cursor("99999999999999-0".into());
    for patience in [Duration::ZERO, LIFETIME] {
        assert_eq!(
            store.ended_after(&lost, patience).await.unwrap().ended,
            ended
        );
    }
    // There are entries behind the place, but it is none of theirs: what lies before it was missed.
    let between = Cursor("5-0".into());
    let page = store.ended_after(&between, Duration::ZERO).await.unwrap();
    assert_eq!(page.ended, ended);
    let log = "doorward:{sessions}:log";
    let later = SessionId::new(START);
    let id = later.to_string();
    let entry = ["XADD", log, "99999999999999-1", "session", &id, "at", "0"];
    server.command(&entry).await;
    let page = store.ended_after(&lost, Duration::ZERO).await.unwrap();
    let told: Vec<_> = page.ended.iter().map(|ended| ended.session).collect();
    assert_eq!(told, [session.id, later]);
    server.command(&["FLUSHALL"]).await;
    let page = store.ended_after(&lost, MILLISECOND).await.unwrap();
    assert!(page.ended.is_empty());
    let session = sign_in(&store, user(), START).await;
    store.end(session.id, START).await.unwrap();
    assert_eq!(log_after(&store, page.next).await[0].session, session.id);
}

#[tokio::test]
async fn all_keys_of_a_gateway_start_with_its_prefix_and_share_a_slot() {
    let server = RedisServer::start();
    let store = sessions_at(server.address(), "shop:");
    let kept = sign_in(&store, user(), START).await;
    let ended = sign_in(&store, user(), START).await;
    store.end_all(ended.subject.user, START).await.unwrap();
    let keys = server.command(&["KEYS", "*"]).await;
    let mut keys: Vec<String> = redis::from_redis_value(keys).unwrap();
    keys.sort();
    let expected = [
        format!("shop:{{sessions}}:epoch:{}", ended.subject.user),
        "shop:{sessions}:log".to_owned(),
        format!("shop:{{sessions}}:session:{}", kept.id),
        format!("shop:{{sessions}}:user:{}", kept.subject.user),
    ];
    assert_eq!(keys, expected);
    for key in keys {
        let expires = server.command(&["PEXPIRETIME", &key]).await;
        let expires: i64 = redis::from_redis_value(expires).unwrap();
        assert_eq!(expires > 0, !key.ends_with(":log"), "{key}");
    }
}

#[tokio::test]
async fn a_locked_database_fails_and_leaves_every_session_as_it_was() {
    let bench = SqliteBench::new().await;
    let impatient = SqliteConnectOptions::clone(&bench.pool.connect_options());
    let impatient = impatient.busy_timeout(MILLISECOND);
    let file = impatient.get_filename().to_owned();
    let store = SqliteSessions::new(SqlitePool::connect_with(impatient).await.unwrap());
    let session = sign_in(&store, user(), START).await;
    refresh(&store, session.id, (0, START)).await;
    refresh(&store, session.id, (1, START)).await;
    let session = moved_on(&session, 2, START);

    let other = SqliteConnectOptions::new().filename(file);
    let mut other = SqliteConnection::connect_with(&other).await.unwrap();
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    changes_fail(&store, &session).await;
    nothing_changed(&store, &session).await;
    lock.rollback().await.unwrap();
    assert_eq!(store.end(session.id, START).await.unwrap(), Some(session));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_a_failure_and_not_an_absence() {
    let bench = SqliteBench::new().await;
    let store = bench.sessions();
    let session = sign_in(&store, user(), START).await;
    sqlx::raw_sql("UPDATE sessions SET roles = 'Admin'")
        .execute(&bench.pool)
        .await
        .unwrap();
    store
        .find(session.id, START)
        .await
        .expect_err("no role is spelt so");

    let server = RedisServer::start();
    let store = server.sessions();
    let session = sign_in(&store, user(), START).await;
    let key = format!("doorward:{{sessions}}:session:{}", session.id);
    server.command(&["HDEL", &key, "kind"]).await;
    store
        .find(session.id, START)
        .await
        .expect_err("a field is missing");
}

#[tokio::test]
async fn a_reader_of_sqlite_soon_sees_what_another_process_ended() {
    let bench = SqliteBench::new().await;
    let (reading, ending) = (
        bench.sessions(),
        SqliteSessions::new(open(bench.directory.path()).await),
    );
    let start = reading.log_start(START).await.unwrap();
    let patience = Duration::from_hours(1);
    let end = async {
        // Several transactions, so that the reader has looked once in vain.
        for _ in 0..20 {
            sign_in(&ending, user(), START).await;
        }
        let session = sign_in(&ending, user(), START).await;
        ending.end(session.id, START).await.unwrap()
    };
    let both = async { tokio::join!(reading.ended_after(&start, patience), end) };
    let (page, session) = tokio::time::timeout(Duration::from_secs(20), both)
        .await
        .expect("the reader looks again");
    let session = session.unwrap().id;
    assert_eq!(page.unwrap().ended, [Ended { session, at: START }]);
}

/// What a release wrote that knew of no end: 30 days after the sign-in, and no running session is cut.
#[tokio::test]
async fn a_session_of_before_there_was_an_end_gets_one_and_is_kept_by_its_browser() {
    let day = Duration::from_hours(24);
    let server = RedisServer::start();
    let store = server.sessions();
    for (age, ends_at) in [
        (day, START.plus(29 * day)),
        (40 * day, START.plus(LIFETIME)),
    ] {
        let session = Session {
            created_at: START.minus(age),
            ..sign_in(&store, user(), START).await
        };
        let key = format!("doorward:{{sessions}}:session:{}", session.id);
        let created_at = session.created_at.as_millis().to_string();
        server
            .command(&["HSET", &key, "created_at", &created_at])
            .await;
        server
            .command(&["HDEL", &key, "ends_at", "persistence"])
            .await;
        let expected = Session { ends_at, ..session };
        let found = store.find(expected.id, START).await.unwrap();
        assert_eq!(found, Some(expected.clone()));
        let later = START.plus(LIFETIME / 2);
        let answer = refresh(&store, expected.id, (0, later)).await;
        assert_eq!(answer, Refreshed::Rotated(moved_on(&expected, 1, later)));
        let found = store.find(expected.id, later).await.unwrap();
        assert_eq!(found, Some(moved_on(&expected, 1, later)));
    }
}

#[tokio::test]
async fn a_row_of_before_there_was_an_end_gets_one_too() {
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect("sqlite::memory:").await.unwrap();
    let before = include_str!("../../../src/database/migrations/0002_sessions.sql");
    sqlx::raw_sql(before).execute(&pool).await.unwrap();
    let day = Duration::from_hours(24);
    let (young, old) = (SessionId::new(START), SessionId::new(START));
    for (id, age) in [(young, day), (old, 40 * day)] {
        let insert = "INSERT INTO sessions VALUES
            (?, ?, 'ann@example.com', '', 'user', 'web', 0, ?, ?, ?, '', '')";
        sqlx::query(insert)
            .bind(id.to_string())
            .bind(user().to_string())
            .bind(START.minus(age).as_millis())
            .bind(START.as_millis())
            .bind(START.plus(LIFETIME).as_millis())
            .execute(&pool)
            .await
            .unwrap();
    }
    let step = include_str!("../../../src/database/migrations/0003_session_lifetimes.sql");
    sqlx::raw_sql(step).execute(&pool).await.unwrap();
    let store = SqliteSessions::new(pool);
    for (id, ends_at) in [(young, START.plus(29 * day)), (old, START.plus(LIFETIME))] {
        let session = store.find(id, START).await.unwrap().unwrap();
        assert_eq!(session.ends_at, ends_at);
        assert_eq!(session.persistence, Persistence::Persistent);
    }
}

/// `*` and `[` in a prefix are letters like any other, and other gateways' users are none of ours.
#[tokio::test]
async fn the_users_of_a_gateway_are_found_by_its_very_prefix() {
    let server = RedisServer::start();
    let one = sessions_at(server.address(), "shop[1]*:");
    let other = sessions_at(server.address(), "shop[1]x:");
    let ann = sign_in(&one, user(), START).await.subject.user;
    let bob = sign_in(&other, user(), START).await.subject.user;
    // More keys than one step of the search looks at.
    server
        .command(&[
            "EVAL",
            "for i = 1, 5000 do redis.call('SET', 'x' .. i, i) end",
            "0",
        ])
        .await;
    assert_eq!(one.users(START).await.unwrap(), [ann]);
    assert_eq!(other.users(START).await.unwrap(), [bob]);
}
