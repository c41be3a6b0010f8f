//! The keys `vdai_…`.

use std::time::Duration;

use super::*;

const KEY: &str = "/auth/api_key";
const KEYS: &str = "/auth/api_keys";

fn wanted(name: &str, permission: &str) -> Value {
    json!({ "name": name, "permission": permission, "description": "of tests" })
}

async fn create(bench: &Bench, by: &str, body: Value) -> Answer {
    with(bench, by, (Method::POST, KEY, body)).await
}

async fn list(bench: &Bench, by: &str) -> Vec<Value> {
    let answer = with(bench, by, (Method::GET, KEYS, Value::Null))
        .await
        .expect(200);
    answer.json["api_keys"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_key_is_made_listed_rotated_and_deleted() {
    let (bench, token) = with_admin().await;
    let made = create(&bench, &token, wanted("ci", "write,read"))
        .await
        .expect(200)
        .json;
    let secret = made["api_key"].as_str().unwrap();
    assert!(secret.starts_with("vdai_"));
    assert!(made["id"].as_i64().unwrap() > 0);
    let mut listed = made.clone();
    listed.as_object_mut().unwrap().remove("api_key");
    assert_eq!(list(&bench, &token).await, [listed]);
    let expected = json!({
        "id": made["id"], "name": "ci", "description": "of tests", "created_at": made["created_at"],
        "expired_at": null, "will_expire": false, "permission": "read,write", "api_key": secret,
    });
    assert_eq!(made, expected);
    let again = create(&bench, &token, wanted("ci", "read")).await;
    assert_error(&again, 409, "API key name already exists");

    let path = format!("{KEY}/{}", made["id"]);
    let rotate = format!("{path}/rotate");
    let rotated = with(&bench, &token, (Method::POST, &rotate, Value::Null))
        .await
        .expect(200);
    for field in ["id", "name", "description", "permission", "expired_at"] {
        assert_eq!(rotated.json[field], made[field], "{field}");
    }
    let new = rotated.text("/api_key");
    assert_ne!(new, secret);
    // Read and write it may, but manage keys it may not; the old one is nobody's.
    let with_key = async |key: &str| with(&bench, key, (Method::GET, KEYS, Value::Null)).await;
    assert_error(&with_key(new).await, 403, "Insufficient permissions");
    let words = "Invalid or missing authorization token";
    assert_error(&with_key(secret).await, 401, words);

    let deleted = with(&bench, &token, (Method::DELETE, &path, Value::Null))
        .await
        .expect(200);
    let done = json!({ "status": "success", "message": "API key deleted successfully" });
    assert_eq!(deleted.json, done);
    assert_error(&with_key(new).await, 401, words);
    assert!(list(&bench, &token).await.is_empty());
    let again = with(&bench, &token, (Method::DELETE, &path, Value::Null)).await;
    assert_error(&again, 404, "API key not found");
    let gone = with(&bench, &token, (Method::POST, &rotate, Value::Null)).await;
    assert_error(&gone, 404, "API key not found");
    // The name is free again.
    create(&bench, &token, wanted("ci", "read"))
        .await
        .expect(200);
}

#[tokio::test]
async fn the_older_paths_have_other_names_for_the_same() {
    let (bench, token) = with_admin().await;
    let call = (Method::POST, "/auth/access_token", wanted("old", "read"));
    let made = with(&bench, &token, call).await.expect(200);
    assert!(made.text("/token").starts_with("vdai_"));
    assert!(made.json.get("api_key").is_none());
    let call = (Method::GET, "/auth/access_tokens", Value::Null);
    let listed = with(&bench, &token, call).await.expect(200);
    assert_eq!(listed.json[0]["id"], made.json["id"]);
    assert_eq!(list(&bench, &token).await.len(), 1);
    let path = format!("/auth/access_token/{}", made.json["id"]);
    let rotate = format!("{path}/rotate");
    let rotated = with(&bench, &token, (Method::POST, &rotate, Value::Null)).await;
    assert!(rotated.expect(200).text("/token").starts_with("vdai_"));
    let deleted = with(&bench, &token, (Method::DELETE, &path, Value::Null))
        .await
        .expect(200);
    assert_eq!(deleted.json["message"], "Access token deleted successfully");
    let again = with(&bench, &token, (Method::DELETE, &path, Value::Null)).await;
    assert_error(&again, 404, "Access token not found");
}

#[tokio::test]
async fn a_key_with_admin_manages_keys_and_gives_nothing_that_it_has_not() {
    let (bench, token) = with_admin().await;
    let made = create(&bench, &token, wanted("manager", "read,admin"))
        .await
        .expect(200);
    let manager = made.text("/api_key").to_owned();
    create(&bench, &manager, wanted("reader", "read"))
        .await
        .expect(200);
    let wider = create(&bench, &manager, wanted("writer", "write")).await;
    assert_eq!(wider.status.as_u16(), 403, "{}", wider.json);
    let writer = create(&bench, &token, wanted("writer", "write"))
        .await
        .expect(200);
    let rotate = format!("{KEY}/{}/rotate", writer.json["id"]);
    with(&bench, &manager, (Method::POST, &rotate, Value::Null))
        .await
        .expect(403);
    // No key is an administrator, whatever it may do.
    for (method, path, body) in [
        (Method::GET, "/auth/enabled", Value::Null),
        (Method::PATCH, "/auth/enabled", json!({ "enabled": false })),
        (Method::DELETE, "/auth/admin", Value::Null),
    ] {
        let answer = with(&bench, &manager, (method, path, body)).await;
        assert_error(&answer, 401, "Invalid or missing authorization token");
    }
    assert_eq!(list(&bench, &manager).await.len(), 3);
}

#[tokio::test]
async fn an_expired_key_is_shown_but_neither_holds_nor_rotates() {
    let (bench, token) = with_admin().await;
    let expiring = |name: &str, seconds: u64| {
        let mut body = wanted(name, "read,admin");
        body["will_expire"] = json!(true);
        body["expires_in_seconds"] = json!(seconds);
        body
    };
    let made = create(&bench, &token, expiring("short", 60))
        .await
        .expect(200);
    assert_eq!(made.json["will_expire"], true);
    assert!(made.json["expired_at"].is_string());
    let key = made.text("/api_key").to_owned();
    assert_eq!(list(&bench, &key).await.len(), 1);
    bench.core.clock.advance(Duration::from_mins(1));
    with(&bench, &key, (Method::GET, KEYS, Value::Null))
        .await
        .expect(401);
    assert_eq!(list(&bench, &token).await.len(), 1);
    let id = &made.json["id"];
    for (path, status) in [("api_key", 409), ("access_token", 400)] {
        let path = format!("/auth/{path}/{id}/rotate");
        with(&bench, &token, (Method::POST, &path, Value::Null))
            .await
            .expect(status);
    }
    let dead = create(&bench, &token, expiring("dead", 0))
        .await
        .expect(200);
    let dead = dead.text("/api_key").to_owned();
    with(&bench, &dead, (Method::GET, KEYS, Value::Null))
        .await
        .expect(401);
}

#[tokio::test]
async fn a_key_that_is_not_described_well_is_not_made() {
    let (bench, token) = with_admin().await;
    let check = async |body: Value, message: &str| {
        assert_error(&create(&bench, &token, body).await, 400, message);
    };
    check(
        json!({ "permission": "read" }),
        "Missing required field: name",
    )
    .await;
    check(json!({ "name": "x" }), "Missing required field: permission").await;
    for permission in ["all", "read,", "read;write", "READ", ","] {
        check(
            wanted("x", permission),
            "Invalid value for field: permission",
        )
        .await;
    }
    let endless = json!({
        "name": "x", "permission": "read", "will_expire": true, "expires_in_seconds": u64::MAX,
    });
    check(endless, "Invalid value for field: expires_in_seconds").await;
    let negative = json!({ "name": "x", "permission": "read", "expires_in_seconds": -1 });
    check(negative, "Invalid value for field: expires_in_seconds").await;
    assert!(list(&bench, &token).await.is_empty());
}

#[tokio::test]
async fn who_is_no_administrator_makes_no_key() {
    let (bench, _token) = with_admin().await;
    let words = "Invalid or missing authorization token";
    let answer = bench.post(KEY, wanted("x", "read"), &[]).await;
    assert_error(&answer, 401, words);
    assert_error(
        &create(&bench, "vdai_none", wanted("x", "read")).await,
        401,
        words,
    );
}
