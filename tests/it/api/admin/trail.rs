//! The audit trail: what administrators do stands in it before they are answered, and they can read it.

use doorward::audit::Audit;
use doorward::database::Database;
use futures_util::future::select;
use sqlx::Executor as _;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::*;
use crate::support::postgres::PostgresServer;
use crate::support::trail::{trail, trail_in};

async fn site(audit: Audit) -> Site {
    Site::of(Setup {
        audit: Some(audit),
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn what_administrators_do_is_in_the_trail_with_their_name() {
    let directory = tempfile::tempdir().unwrap();
    let (audit, writer) = trail(directory.path()).await;
    let _writing = AbortOnDropHandle::new(tokio::spawn(writer.run()));
    let site = site(audit).await;
    let root = site.root.id.to_string();
    let made = site
        .tell(
            "POST",
            "users",
            &json!({ "email": ALICE, "password": PASSWORD }),
        )
        .await;
    let alice = made.body["id"].as_str().unwrap();
    site.patch(alice, "*", &json!({ "roles": ["editor"] }))
        .await;
    site.patch(&root, "*", &json!({ "disabled": true })).await;
    token(&site.api, ALICE).await;
    site.ask("DELETE", &format!("users/{alice}/sessions")).await;
    let key = site
        .tell("POST", "api-keys", &json!({ "name": "x", "service": "ci" }))
        .await;
    let key = key.body["api_key"]["id"].as_str().unwrap();
    site.ask("DELETE", &format!("api-keys/{key}")).await;
    site.ask("DELETE", &format!("users/{alice}")).await;

    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("audit?actor={root}&limit=3{cursor}");
        let page = site.ask("GET", &path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        for entry in page.body["entries"].as_array().unwrap() {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            found.push([text("action"), text("outcome"), text("reason")].join(" "));
        }
        match page.body["next_cursor"].as_i64() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    found.reverse();
    let expected = [
        "add-user success added",
        "change-user success amended",
        "change-user refused own-account",
        "sign-out-all success ended",
        "create-api-key success stored",
        "revoke-api-key success stored",
        "remove-user success removed",
    ];
    assert_eq!(found, expected);
    let count = async |query: &str| {
        let page = site.ask("GET", &format!("audit?{query}")).await;
        page.body["entries"].as_array().unwrap().len()
    };
    assert_eq!(count(&format!("user={alice}&action=remove-user")).await, 1);
    assert_eq!(count(&format!("api_key={key}")).await, 2);
    assert_eq!(count(&format!("actor={root}&outcome=refused")).await, 1);
    assert_eq!(
        count("address=192.0.2.1&since=2099-01-01T00:00:00Z").await,
        0
    );
    assert!(count("until=2099-01-01T00:00:00Z").await >= 7);
    let bad = site.refusal("GET", "audit?since=yesterday").await;
    assert_eq!(bad, is(400, "invalid_parameters"));
    // A word that no entry has would look as if nothing had happened.
    let bad = site.refusal("GET", "audit?outcome=failure").await;
    assert_eq!(bad, is(400, "invalid_parameters"));
}

#[tokio::test]
async fn a_change_that_the_trail_cannot_be_told_of_is_made_and_no_success() {
    let directory = tempfile::tempdir().unwrap();
    let (audit, writer) = trail(directory.path()).await;
    drop(writer);
    let site = site(audit).await;
    let user = site.api.core.add_user(ALICE, PASSWORD, &[]).await;
    let id = user.id.to_string();
    let session = token(&site.api, ALICE).await;
    let answer = site.patch(&id, "*", &json!({ "disabled": true })).await;
    assert_eq!(refusal(&answer), is(503, "not_recorded"));
    assert!(answer.headers.contains_key("retry-after"));
    assert!(!site.is_good(&session).await);
    let read = site.ask("GET", &format!("users/{id}")).await;
    assert_eq!(read.body["disabled"], true);
    let key = json!({ "name": "x", "service": "ci" });
    let key = site.tell("POST", "api-keys", &key).await;
    assert_eq!(refusal(&key), is(503, "not_recorded"));
    let rotated = site.refusal("POST", "signing-keys/rotate").await;
    assert_eq!(rotated, is(503, "not_recorded"));
    let import = json!([{ "email": "b@example.com" }]);
    let import = site.tell("POST", "users/import", &import).await;
    assert_eq!(refusal(&import), is(503, "not_recorded"));
    assert_eq!(site.ask("GET", "users?search=b@").await.body["total"], 1);
    let keys = site.ask("GET", "signing-keys").await;
    assert_eq!(keys.body["signing_keys"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_trail_that_somebody_laid_hands_on_is_found_out() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::embedded(directory.path()).await.unwrap();
    let (audit, writer) = trail_in(database.clone());
    let _writing = AbortOnDropHandle::new(tokio::spawn(writer.run()));
    let site = site(audit.clone()).await;
    for number in 0..3 {
        let user = json!({ "email": format!("u{number}@example.com") });
        site.tell("POST", "users", &user).await;
    }
    audit.flush().await.unwrap();
    let head = site.ask("GET", "audit/head").await;
    assert_eq!(head.status, StatusCode::OK, "{}", head.body);
    let head = head.body["head"].as_str().unwrap().to_owned();
    let (count, seal) = head.split_once(':').unwrap();
    let count: i64 = count.parse().unwrap();
    let shown = format!("audit/verify?head={head}&head=1:{}", "0".repeat(64));
    let foreign = site.ask("POST", &shown).await;
    assert_eq!(foreign.body["broken"]["kind"], "foreign");
    let verified = site.ask("POST", &format!("audit/verify?head={head}")).await;
    let expected =
        json!({ "intact": true, "entries": count, "removed": 0, "known": 1, "head": head });
    assert_eq!(verified.body, expected);
    // An end that was cut off shows by what is known elsewhere.
    let later = format!("audit/verify?head={}:{seal}", count + 2);
    let later = site.ask("POST", &later).await;
    let missing = json!({
        "kind": "missing", "entry": count + 1,
        "detail": format!("entries {} to {} are missing", count + 1, count + 2),
    });
    assert_eq!(later.body, json!({ "intact": false, "broken": missing }));

    let change = "UPDATE audit SET actor = 'mallory' WHERE seq = 2";
    database
        .pool()
        .await
        .unwrap()
        .execute(change)
        .await
        .unwrap();
    let verified = site.ask("POST", "audit/verify").await;
    assert_eq!(verified.status, StatusCode::OK);
    assert_eq!(verified.body["intact"], false);
    assert_eq!(verified.body["broken"]["kind"], "altered");
    assert_eq!(verified.body["broken"]["entry"], 2);
    for query in ["head=x", "head=1:00", "file=/etc/passwd"] {
        let refused = site.refusal("POST", &format!("audit/verify?{query}")).await;
        assert_eq!(refused, is(400, "invalid_parameters"), "{query}");
    }
    let refused = site.refusal("GET", "audit/head?at=1").await;
    assert_eq!(refused, is(400, "invalid_parameters"));
}

#[tokio::test]
async fn a_trail_is_verified_once_at_a_time() {
    let server = PostgresServer::start();
    let database = server.database();
    let (audit, writer) = trail_in(database.clone());
    let _writing = AbortOnDropHandle::new(tokio::spawn(writer.run()));
    let site = site(audit.clone()).await;
    audit.flush().await.unwrap();
    let mut lock = database.pool().await.unwrap().begin().await.unwrap();
    lock.execute("LOCK TABLE audit_head").await.unwrap();
    // One of the two waits for the table, and the other is told so at once.
    let verify = || Box::pin(site.ask("POST", "audit/verify"));
    let (second, first) = select(verify(), verify()).await.factor_first();
    assert_eq!(refusal(&second), is(409, "under_way"));
    // Who hangs up makes room, although the table is still locked.
    drop(first);
    let next = loop {
        let mut next = verify();
        match timeout(Duration::from_secs(1), &mut next).await {
            Ok(told) => assert_eq!(refusal(&told), is(409, "under_way")),
            Err(_it_waits) => break next,
        }
        tokio::task::yield_now().await;
    };
    lock.rollback().await.unwrap();
    let verified = next.await;
    assert_eq!(verified.body["intact"], true, "{}", verified.body);
}
