//! The directory, for whoever holds the service key.

use std::collections::BTreeSet;

use super::keys::{SERVICE, with_keys};
use super::*;
use crate::gotrue::assert_added_by;
use crate::support::trail::trail;

const USERS: &str = "/auth/v1/admin/users";

async fn call(bench: &Bench, (method, target): (Method, &str), body: Value) -> Answer {
    let token = bearer(SERVICE);
    let headers = [("apikey", SERVICE), ("authorization", token.as_str())];
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    bench.send((method, target), &headers, body).await
}

#[tokio::test]
async fn nobody_else_administers_users() {
    let bench = with_keys().start().await;
    let body = json!({ "email": "root@example.com", "password": PASSWORD });
    let key = [("apikey", "anon")];
    let signed_in = bench.post(PASSWORD_GRANT, body, &key).await.expect(200);
    let admin = bearer(signed_in.text("/access_token"));
    for (shown, status, code) in [
        ("Basic abc", 401, "no_authorization"),
        (admin.as_str(), 403, "not_admin"),
        ("Bearer anon", 403, "bad_jwt"),
    ] {
        let headers = [("apikey", "anon"), ("authorization", shown)];
        for method in [Method::GET, Method::POST] {
            let body = r#"{"email":"new@example.com"}"#.to_owned();
            let answer = bench.send((method, USERS), &headers, body).await;
            assert_fault(&answer, status, code);
        }
        let target = format!("{USERS}/{}", bench.user.id);
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let body = r#"{"ban_duration":"24h"}"#.to_owned();
            let answer = bench.send((method, &target), &headers, body).await;
            assert_fault(&answer, status, code);
        }
    }
    let stored = bench.core.users.by_id(bench.user.id).await.unwrap();
    assert_eq!(stored.unwrap(), bench.user);
    // Where there is no such key, nobody holds it.
    let bench = Bench::start(Shape::Supabase).await;
    let answer = call(&bench, (Method::GET, USERS), Value::Null).await;
    assert_fault(&answer, 403, "bad_jwt");
}

#[tokio::test]
async fn users_are_listed_in_pages() {
    let bench = with_keys().start().await;
    let list = async |query: &str| {
        let target = format!("{USERS}{query}");
        call(&bench, (Method::GET, &target), Value::Null).await
    };
    let all = list("").await.expect(200);
    assert_eq!(names(&all.json), ["aud", "users"]);
    assert_eq!(all.json["users"].as_array().unwrap().len(), 2);
    assert_eq!(all.header("x-total-count"), "2");
    let one = list("?page=1&per_page=1").await.expect(200);
    assert_eq!(one.json["users"].as_array().unwrap().len(), 1);
    let next = "</admin/users?page=2&per_page=1>; rel=\"next\"";
    let end = "</admin/users?page=2&per_page=1>; rel=\"last\"";
    assert_eq!(one.header("link"), format!("{next}, {end}"));
    let other = list("?page=2&per_page=1").await.expect(200);
    assert_ne!(other.json["users"][0]["id"], one.json["users"][0]["id"]);
    assert_fault(&list("?page=x").await, 400, "validation_failed");
}

#[tokio::test]
async fn a_user_is_made_read_changed_closed_and_removed() {
    let bench = with_keys().start().await;
    let post = (Method::POST, USERS);
    let body = json!({
        "email": "new@example.com", "password": PASSWORD, "email_confirm": true,
        "user_metadata": { "name": "New" }, "app_metadata": { "plan": "pro" },
    });
    let made = call(&bench, post.clone(), body.clone()).await.expect(200);
    assert_added_by(&bench, "supabase:service-key");
    assert_eq!(made.json["user_metadata"], json!({ "name": "New" }));
    assert_eq!(made.json["app_metadata"]["plan"], "pro");
    assert!(made.json["email_confirmed_at"].is_string());
    assert_fault(&call(&bench, post.clone(), body).await, 422, "email_exists");
    let weak = json!({ "email": "weak@example.com", "password": "short" });
    let refused = call(&bench, post.clone(), weak).await;
    assert_fault(&refused, 422, "weak_password");
    assert_eq!(
        refused.json["weak_password"],
        json!({ "reasons": ["length"] })
    );
    assert_fault(
        &call(&bench, post, json!({})).await,
        400,
        "validation_failed",
    );

    let one = format!("{USERS}/{}", made.text("/id"));
    let found = call(&bench, (Method::GET, &one), Value::Null)
        .await
        .expect(200);
    assert_eq!(found.json, made.json);
    let login = json!({ "email": "new@example.com", "password": PASSWORD });
    let key = [("apikey", "anon")];
    let session = bench
        .post(PASSWORD_GRANT, login.clone(), &key)
        .await
        .expect(200);

    let put = (Method::PUT, one.as_str());
    let body = json!({ "ban_duration": "24h", "user_metadata": { "name": null, "a": 1 } });
    let closed = call(&bench, put.clone(), body).await.expect(200);
    assert!(closed.json["banned_until"].is_string());
    assert_eq!(closed.json["user_metadata"], json!({ "a": 1 }));
    let token = bearer(session.text("/access_token"));
    let headers = [("apikey", "anon"), ("authorization", token.as_str())];
    let answer = bench.get(USER, &headers).await;
    assert_fault(&answer, 403, "session_not_found");
    let answer = bench.post(PASSWORD_GRANT, login, &key).await;
    assert_fault(&answer, 400, "user_banned");
    let body = json!({ "ban_duration": "none", "password": "another long password" });
    call(&bench, put, body).await.expect(200);
    let login = json!({ "email": "new@example.com", "password": "another long password" });
    bench.post(PASSWORD_GRANT, login, &key).await.expect(200);

    let removed = call(&bench, (Method::DELETE, &one), Value::Null).await;
    assert_eq!(removed.expect(200).json, json!({}));
    let told = bench.core.audited();
    let done = |action: &str| {
        told.iter()
            .filter(|line| line["action"] == action)
            .collect()
    };
    let done: [Vec<_>; 2] = ["change-user", "remove-user"].map(done);
    assert!(done.iter().all(|done| !done.is_empty()));
    for line in done.iter().flatten() {
        assert_eq!(line["actor"], "supabase:service-key", "{line}");
    }
    let gone = call(&bench, (Method::GET, &one), Value::Null).await;
    assert_fault(&gone, 404, "user_not_found");
    let odd = format!("{USERS}/7");
    let odd = call(&bench, (Method::GET, &odd), Value::Null).await;
    assert_fault(&odd, 404, "validation_failed");
}

#[tokio::test]
async fn what_is_not_kept_of_a_user_is_refused() {
    let bench = with_keys().start().await;
    let one = format!("{USERS}/{}", bench.user.id);
    for odd in ["phone", "password_hash", "role"] {
        let body = json!({ "email": "new@example.com", odd: "something" });
        for (method, target) in [(Method::POST, USERS), (Method::PUT, one.as_str())] {
            let refused = call(&bench, (method, target), body.clone()).await;
            assert_fault(&refused, 422, "validation_failed");
        }
    }
    let stored = bench.core.users.by_id(bench.user.id).await.unwrap();
    assert_eq!(stored.unwrap(), bench.user);
    let listed = call(&bench, (Method::GET, USERS), Value::Null).await;
    assert_eq!(listed.expect(200).header("x-total-count"), "2");
}

#[tokio::test]
async fn a_user_may_be_closed_from_the_start_and_has_no_second_factor() {
    let bench = with_keys().start().await;
    let body = json!({
        "email": "new@example.com", "password": PASSWORD, "email_confirm": true,
        "role": "authenticated", "ban_duration": "24h",
    });
    let made = call(&bench, (Method::POST, USERS), body).await.expect(200);
    assert!(made.json["banned_until"].is_string());
    let login = json!({ "email": "new@example.com", "password": PASSWORD });
    let answer = bench
        .post(PASSWORD_GRANT, login, &[("apikey", "anon")])
        .await;
    assert_fault(&answer, 400, "user_banned");
    // In one step: it is never open, not even for a moment.
    let told = bench.core.audited();
    assert!(told.iter().any(|line| line["action"] == "add-user"));
    assert!(!told.iter().any(|line| line["action"] == "change-user"));
    let factors = format!("{USERS}/{}/factors", made.text("/id"));
    let found = call(&bench, (Method::GET, &factors), Value::Null).await;
    assert_eq!(found.expect(200).json, json!([]));
    let nobody = bench.get(&factors, &[("apikey", "anon")]).await;
    assert_fault(&nobody, 401, "no_authorization");
}

#[tokio::test]
async fn the_last_administrator_is_neither_closed_nor_removed() {
    let bench = with_keys().start().await;
    let one = format!("{USERS}/{}", bench.admin.id);
    for (method, body) in [
        (Method::PUT, json!({ "ban_duration": "24h" })),
        (Method::DELETE, json!({ "should_soft_delete": true })),
        (Method::DELETE, json!({})),
    ] {
        let refused = call(&bench, (method, &one), body).await;
        assert_fault(&refused, 422, "validation_failed");
    }
    let stored = bench.core.users.by_id(bench.admin.id).await.unwrap();
    assert_eq!(stored.unwrap(), bench.admin);
}

#[tokio::test]
async fn a_change_that_the_trail_cannot_be_told_of_is_made_and_no_success() {
    let directory = tempfile::tempdir().unwrap();
    let (audit, writer) = trail(directory.path()).await;
    drop(writer);
    let bed = Bed {
        audit: Some(audit),
        ..with_keys()
    };
    let bench = bed.start().await;
    let one = format!("{USERS}/{}", bench.user.id);
    let email = json!({ "email": "new@example.com" });
    for (method, target, body) in [
        (Method::POST, USERS, email),
        (Method::PUT, &one, json!({ "ban_duration": "24h" })),
        (Method::DELETE, &one, json!({})),
    ] {
        let answer = call(&bench, (method, target), body).await;
        assert_eq!(answer.status, 503, "{target}");
    }
    let left = call(&bench, (Method::GET, USERS), Value::Null).await;
    let left = left.expect(200).json["users"].as_array().unwrap().clone();
    let emails = left.iter().map(|user| user["email"].as_str().unwrap());
    let expected = BTreeSet::from(["root@example.com", "new@example.com"]);
    assert_eq!(emails.collect::<BTreeSet<_>>(), expected);
}
