//! What becomes of sessions when processes and stores die.

use http::StatusCode;

use crate::support::doorward::{ADMIN, Doorward, Setup, Tokens, USER};
use crate::support::postgres::{self, PostgresServer};
use crate::support::redis::RedisServer;
use crate::support::wall::Wall;

fn on_redis(address: std::net::SocketAddr, more: &str) -> Setup {
    Setup {
        sessions: format!("store = \"redis://{address}\"\n{more}"),
        ..Setup::default()
    }
}

/// Sign-in, refresh, the same again, and then a copy of an old token.
async fn life_of_a_session(gateway: &Doorward) {
    let first = gateway.sign_in(USER).await;
    let second = refreshed(gateway, &first.refresh).await;
    let again = refreshed(gateway, &first.refresh).await;
    assert_eq!(
        again.refresh, second.refresh,
        "the grace gives the same token"
    );
    let third = refreshed(gateway, &second.refresh).await;
    let status = async |token: &str| gateway.get("/api/x", Some(token)).await.status;
    assert_eq!(status(&third.access).await, StatusCode::OK);
    // The first token is now older than the parent of the newest: somebody holds a copy.
    for token in [&first.refresh, &second.refresh, &third.refresh] {
        assert_eq!(
            gateway.refresh(token).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_eq!(status(&third.access).await, StatusCode::UNAUTHORIZED);
}

async fn refreshed(gateway: &Doorward, token: &str) -> Tokens {
    let answer = gateway.refresh(token).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    Tokens::of(&answer)
}

#[tokio::test]
async fn a_session_lives_and_a_stolen_token_ends_it_in_the_embedded_store() {
    life_of_a_session(&Doorward::start().await).await;
}

#[tokio::test]
async fn a_session_lives_and_a_stolen_token_ends_it_in_redis() {
    let redis = RedisServer::start();
    life_of_a_session(&Doorward::with(on_redis(redis.address(), "")).await).await;
}

async fn survives_kill(gateway: &mut Doorward) {
    let admin = gateway.sign_in(ADMIN).await;
    let out = gateway.sign_in(USER).await;
    let signed_out = "/.doorward/api/sign-out";
    let answer = gateway
        .post(signed_out, Some(&out.access), &serde_json::json!({}))
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    gateway.kill_and_start_again().await;
    gateway
        .until(StatusCode::OK, ("/admin/x", Some(&admin.access)))
        .await;
    let seen = gateway.sample.seen().len();
    let refused = gateway.get("/api/x", Some(&out.access)).await.status;
    assert_eq!(
        refused,
        StatusCode::UNAUTHORIZED,
        "a sign-out was forgotten"
    );
    assert_eq!(gateway.sample.seen().len(), seen);
    assert_eq!(gateway.refresh(&admin.refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn kill_nine_loses_nothing_that_was_acknowledged_in_the_embedded_store() {
    survives_kill(&mut Doorward::start().await).await;
}

#[tokio::test]
async fn kill_nine_loses_nothing_that_was_acknowledged_in_redis() {
    let redis = RedisServer::start();
    survives_kill(&mut Doorward::with(on_redis(redis.address(), "")).await).await;
}

/// The row "Redis away" of the table of faults.
#[tokio::test]
async fn while_redis_is_away_nothing_is_guessed_and_when_it_is_back_all_goes_on() {
    let redis = RedisServer::start();
    let wall = Wall::before(redis.address()).await;
    let setup = on_redis(wall.address(), "max_staleness = \"5s\"");
    let gateway = Doorward::with(setup).await;
    let user = gateway.sign_in(USER).await;
    let token = Some(user.access.as_str());
    assert_eq!(gateway.get("/api/x", token).await.status, StatusCode::OK);

    wall.cut();
    // Still within the staleness: goes on.
    assert_eq!(gateway.get("/api/x", token).await.status, StatusCode::OK);
    for answer in [
        gateway.try_sign_in(USER).await,
        gateway.refresh(&user.refresh).await,
    ] {
        assert_eq!(
            answer.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{}",
            answer.text
        );
        assert!(answer.headers.contains_key("retry-after"));
    }
    gateway
        .until(StatusCode::SERVICE_UNAVAILABLE, ("/api/x", token))
        .await;
    let seen = gateway.sample.seen().len();
    let refused = gateway.get("/api/x", token).await;
    assert!(refused.headers.contains_key("retry-after"));
    assert!(
        !refused.headers.contains_key("set-cookie"),
        "a cookie was cleared"
    );
    assert_eq!(gateway.sample.seen().len(), seen);
    assert_eq!(gateway.get("/public/x", None).await.status, StatusCode::OK);

    wall.mend();
    gateway.until(StatusCode::OK, ("/api/x", token)).await;
    assert_eq!(gateway.refresh(&user.refresh).await.status, StatusCode::OK);
}

/// The row "Postgres away". Commands block the thread that they are run on, and pass the wall as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgres_is_away_nobody_signs_in_and_all_else_goes_on() {
    let postgres = PostgresServer::start();
    let wall = Wall::before(postgres.address()).await;
    let url = format!("postgres://postgres@{}/postgres", wall.address());
    let more = format!(
        "[users.store]\nurl = \"{url}\"\npassword = {{ file = \"postgres.password\" }}\n\
         [api_keys]\nmax_staleness = \"2s\"\n"
    );
    let gateway = Doorward::with(Setup {
        more,
        files: vec![("postgres.password", postgres::PASSWORD.to_owned())],
        ..Setup::default()
    })
    .await;
    let user = gateway.sign_in(USER).await;
    let key = gateway.command(&["api-key", "create", "ci", "--service", "ci"], "");
    let key = String::from_utf8(key.stdout).unwrap();
    gateway
        .until(StatusCode::OK, ("/api/x", Some(key.trim())))
        .await;

    wall.cut();
    for login in [USER, "nobody@example.com"] {
        let refused = gateway.try_sign_in(login).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(refused.headers.contains_key("retry-after"));
        assert!(!refused.headers.contains_key("set-cookie"));
    }
    let undecided = "route=\"/.doorward/**\",status=\"5xx\",verdict=\"undecided\"} 2";
    gateway
        .until_counted(&format!("doorward_requests_total{{{undecided}"))
        .await;
    let refreshed = refreshed(&gateway, &user.refresh).await;
    for token in [&user.access, &refreshed.access] {
        let answer = gateway.get("/api/x", Some(token)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    // Whether a key was revoked meanwhile nobody can say.
    let shown = ("/api/x", Some(key.trim()));
    gateway.until(StatusCode::SERVICE_UNAVAILABLE, shown).await;
    let (ready, said) = gateway.page("/readyz").await;
    assert_eq!(ready, StatusCode::OK, "{said}");

    wall.mend();
    gateway.until(StatusCode::OK, shown).await;
    assert_eq!(gateway.try_sign_in(USER).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_sign_out_on_one_replica_is_known_on_the_other() {
    let redis = RedisServer::start();
    let tokens = "\n[tokens]\nissuer = \"https://gw.test\"\n";
    let mut setup = on_redis(redis.address(), "");
    tokens.clone_into(&mut setup.more);
    let one = Doorward::with(setup).await;
    let ring = std::fs::read_to_string(one.path("state/keys.json")).unwrap();
    let mut setup = on_redis(redis.address(), "");
    setup.more = format!("{tokens}keys = {{ file = \"ring.json\" }}\n");
    setup.files = vec![("ring.json", ring)];
    let two = Doorward::with(setup).await;
    let user = one.sign_in(USER).await;
    let token = Some(user.access.as_str());
    assert_eq!(two.get("/api/x", token).await.status, StatusCode::OK);
    let out = one
        .post("/.doorward/api/sign-out", token, &serde_json::json!({}))
        .await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    two.until(StatusCode::UNAUTHORIZED, ("/api/x", token)).await;
}
