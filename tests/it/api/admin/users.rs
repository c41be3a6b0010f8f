//! Accounts: made, read, changed by who has seen them, removed.

use std::sync::Arc;

use super::*;
use crate::support::redis::RedisServer;

#[tokio::test]
async fn a_user_is_made_read_changed_and_removed() {
    let site = Site::start().await;
    let body = json!({
        "email": "Bob@Example.com", "username": "bob", "password": PASSWORD, "roles": ["editor"],
        "email_verified": true, "profile": { "name": "Bob", "city": "Bonn" },
        "metadata": { "plan": "large" },
    });
    let made = site.tell("POST", "users", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(made.headers["location"], format!("{ADMIN}/users/{id}"));
    let session = token(&site.api, "bob").await;

    let path = format!("users/{id}");
    let read = site.ask("GET", &path).await;
    assert_eq!((&read.body, tag(&read)), (&made.body, tag(&made)));
    assert_eq!(read.body["email"], "bob@example.com");
    assert!(!read.body.to_string().contains("argon2"), "{}", read.body);
    let known = Call {
        tags: [None, Some(&tag(&read))],
        ..site.call("GET", &path)
    };
    let known = site.send(known, None).await;
    assert_eq!(
        (known.status, known.body.is_null()),
        (StatusCode::NOT_MODIFIED, true)
    );

    let body = json!({ "username": null, "profile": { "city": null, "age": 7 } });
    let changed = site.patch(id, &tag(&read), &body).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert_eq!(changed.body["username"], Value::Null);
    assert_eq!(changed.body["profile"], json!({ "name": "Bob", "age": 7 }));
    assert_eq!(changed.body["metadata"], json!({ "plan": "large" }));
    // What says nothing of who may sign in ends nothing.
    assert!(site.is_good(&session).await);

    let outdated = Call {
        tags: [Some(&tag(&read)), None],
        ..site.call("DELETE", &path)
    };
    let outdated = site.send(outdated, None).await;
    assert_eq!(refusal(&outdated), is(412, "outdated"));
    let removed = site.ask("DELETE", &path).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert!(!site.is_good(&session).await);
    assert_eq!(site.refusal("GET", &path).await, is(404, "no_such_user"));
    assert_eq!(site.refusal("DELETE", &path).await, is(404, "no_such_user"));
}

#[tokio::test]
async fn nobody_overwrites_what_they_have_not_seen() {
    let site = Site::start().await;
    let user = site.api.core.add_user(ALICE, PASSWORD, &[]).await;
    let id = user.id.to_string();
    let path = format!("users/{id}");
    let unsaid = site
        .tell("PATCH", &path, &json!({ "disabled": true }))
        .await;
    assert_eq!(refusal(&unsaid), is(428, "if_match_needed"));
    let seen = tag(&site.ask("GET", &path).await);
    let (one, other) = (
        json!({ "profile": { "by": 1 } }),
        json!({ "profile": { "by": 2 } }),
    );
    let (one, other) = tokio::join!(site.patch(&id, &seen, &one), site.patch(&id, &seen, &other));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    let any = site
        .patch(&id, "*", &json!({ "profile": { "by": 3 } }))
        .await;
    assert_eq!(any.body["profile"], json!({ "by": 3 }));
    let late = site
        .patch(&id, &seen, &json!({ "profile": { "by": 4 } }))
        .await;
    assert_eq!(refusal(&late), is(412, "outdated"));
    let weak = format!("W/{}", tag(&any));
    let weak = site.patch(&id, &weak, &json!({})).await;
    assert_eq!(refusal(&weak), is(412, "outdated"));
    let malformed = site.patch(&id, "7", &json!({})).await;
    assert_eq!(refusal(&malformed), is(400, "malformed"));
    let gone = site
        .patch("00000000-0000-7000-8000-000000000000", "*", &json!({}))
        .await;
    assert_eq!(refusal(&gone), is(404, "no_such_user"));
}

#[tokio::test]
async fn sessions_end_with_what_they_stood_on() {
    let site = Site::start().await;
    let user = site.api.core.add_user(ALICE, PASSWORD, &["editor"]).await;
    let id = user.id.to_string();
    for body in [
        json!({ "roles": ["editor", "auditor"] }),
        json!({ "email": "alice@example.org" }),
        json!({ "password": "another horse battery" }),
        json!({ "password": PASSWORD }),
        json!({ "disabled": true }),
    ] {
        let session = token(&site.api, "alice").await;
        let changed = site.patch(&id, "*", &body).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
        assert!(!site.is_good(&session).await, "{body}");
        if body["password"].is_string() {
            site.patch(&id, "*", &json!({ "password": PASSWORD })).await;
        }
    }
    let read = site.ask("GET", &format!("users/{id}")).await;
    // Another address is not proved by the proof of the one before.
    assert_eq!(read.body["email_verified"], false);
    assert_eq!(read.body["disabled"], true);
    let closed = site.api.sign_in("alice", PASSWORD).await;
    assert_eq!(refusal(&closed), is(403, "account_disabled"));
}

#[tokio::test]
async fn one_role_is_given_and_taken() {
    let site = Site::start().await;
    let user = site.api.core.add_user(ALICE, PASSWORD, &["editor"]).await;
    let path = |role: &str| format!("users/{}/roles/{role}", user.id);
    let admin = path("admin");
    let given = site.ask("PUT", &admin).await;
    assert_eq!(given.body["roles"], json!(["admin", "editor"]));
    let alice = token(&site.api, ALICE).await;
    let as_alice = Call {
        token: &alice,
        ..site.call("GET", "users")
    };
    assert_eq!(site.send(as_alice, None).await.status, StatusCode::OK);
    let outdated = Call {
        tags: [Some("\"1\""), None],
        ..site.call("DELETE", &admin)
    };
    assert_eq!(
        refusal(&site.send(outdated, None).await),
        is(412, "outdated")
    );
    let taken = site.ask("DELETE", &admin).await;
    assert_eq!(taken.body["roles"], json!(["editor"]));
    let refused = site.send(as_alice, None).await;
    assert_eq!(
        refused.status,
        StatusCode::UNAUTHORIZED,
        "the session ended"
    );
    assert_eq!(site.refusal("PUT", &path("A")).await, is(400, "malformed"));
}

#[tokio::test]
async fn a_key_that_manages_no_keys_makes_and_changes_no_administrator() {
    let site = Site::start().await;
    let alice = site.api.core.add_user(ALICE, PASSWORD, &["staff"]).await;
    let alice = format!("users/{}", alice.id);
    let root = format!("users/{}", site.root.id);
    let roles = |roles: &[&str]| json!({ "email": "new@example.com", "roles": roles });
    let password = json!({ "password": "a long new password" });
    let file = json!([{ "email": "f@example.com", "roles": ["admin"] }]);
    for scopes in [&[][..], &["read", "write"]] {
        let key = site.key(&["admin", "clerk"], scopes).await;
        let send = async |method: &str, path: &str, body: Option<&Value>| {
            let call = Call {
                method,
                path,
                token: &key,
                tags: [(method == "PATCH").then_some("*"), None],
            };
            site.send(call, body).await
        };
        let role = |role: &str| format!("{alice}/roles/{role}");
        for (method, path, body) in [
            ("POST", "users", Some(roles(&["admin"]))),
            ("POST", "users", Some(roles(&["boss"]))),
            ("PATCH", &*root, Some(password.clone())),
            ("DELETE", &*root, None),
            ("PUT", &*role("admin"), None),
            ("PUT", &*role("boss"), None),
            ("POST", "users/import", Some(file.clone())),
        ] {
            let refused = send(method, path, body.as_ref()).await;
            assert_eq!(refusal(&refused).0, 403, "{method} {path}");
        }
        // What it has itself it may give, and what somebody has they may keep.
        for (method, path, body) in [
            ("PUT", &*role("clerk"), None),
            ("PATCH", &*alice, Some(password.clone())),
            ("DELETE", &*role("clerk"), None),
        ] {
            let done = send(method, path, body.as_ref()).await;
            assert!(done.status.is_success(), "{method} {path}: {}", done.body);
        }
    }
    let key = site.key(&["admin"], &["write", "admin"]).await;
    let call = Call {
        token: &key,
        ..site.call("POST", "users")
    };
    let made = site.send(call, Some(&roles(&["admin"]))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
}

#[tokio::test]
async fn nobody_locks_themselves_out() {
    let site = Site::start().await;
    let id = site.root.id.to_string();
    let path = format!("users/{id}");
    for body in [json!({ "disabled": true }), json!({ "roles": ["editor"] })] {
        let refused = site.patch(&id, "*", &body).await;
        assert_eq!(refusal(&refused), is(409, "own_account"), "{body}");
    }
    let role = format!("{path}/roles/admin");
    assert_eq!(site.refusal("DELETE", &role).await, is(409, "own_account"));
    assert_eq!(site.refusal("DELETE", &path).await, is(409, "own_account"));
    // A service has no account of its own, but there must be somebody left.
    let key = site.key(&["admin"], &["write", "admin"]).await;
    let by_key = Call {
        token: &key,
        ..site.call("DELETE", &path)
    };
    let last = site.send(by_key, None).await;
    assert_eq!(refusal(&last), is(409, "last_admin"));
    site.api.core.add_user(ALICE, PASSWORD, &["admin"]).await;
    let not_last = site.send(by_key, None).await;
    assert_eq!(not_last.status, StatusCode::NO_CONTENT);
    assert!(!site.is_good(&site.token).await);
}

#[tokio::test]
async fn what_another_has_and_what_is_weak_is_refused() {
    let site = Site::start().await;
    let user = site.api.core.add_user(ALICE, PASSWORD, &[]).await;
    let id = user.id.to_string();
    let taken = site.tell("POST", "users", &json!({ "email": ROOT })).await;
    assert_eq!(refusal(&taken), is(409, "email_taken"));
    let taken = site.patch(&id, "*", &json!({ "email": ROOT })).await;
    assert_eq!(refusal(&taken), is(409, "email_taken"));
    let taken = site.patch(&id, "*", &json!({ "username": "root" })).await;
    assert_eq!(refusal(&taken), is(409, "username_taken"));
    let weak = json!({ "email": "bob@example.com", "password": "short" });
    let weak = site.tell("POST", "users", &weak).await;
    assert_eq!(refusal(&weak), is(422, "weak_password"));
    assert_eq!(weak.body["errors"][0]["pointer"], "/password");
    // Merged, it would grow without an end.
    let piece = |name: &str| json!({ "profile": { name: "x".repeat(20_000) } });
    assert_eq!(
        site.patch(&id, "*", &piece("a")).await.status,
        StatusCode::OK
    );
    let grown = site.patch(&id, "*", &piece("b")).await;
    assert_eq!(refusal(&grown), is(422, "invalid_fields"));
}

/// bcrypt of "imported password", at its least cost.
const BCRYPT: &str = "$2b$04$6vzxlcPI1ga0/tpZcPYYCOIRvr6YVocBYYtM8Ae4x64kS58y2QnvC";

#[tokio::test]
async fn a_hash_stands_in_for_a_password_where_it_can_be_checked() {
    let site = Site::start().await;
    let body = json!({ "email": ALICE, "password_hash": BCRYPT });
    let made = site.tell("POST", "users", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert!(!made.body.to_string().contains("$2"), "{}", made.body);
    let id = made.body["id"].as_str().unwrap();
    let enters = async |password: &str| {
        let answer = site.api.sign_in(ALICE, password).await;
        answer.status == StatusCode::OK
    };
    assert!(enters("imported password").await);
    site.patch(id, "*", &json!({ "password": PASSWORD })).await;
    assert!(!enters("imported password").await);
    let session = token(&site.api, ALICE).await;
    let changed = site
        .patch(id, "*", &json!({ "password_hash": BCRYPT }))
        .await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert!(
        !site.is_good(&session).await,
        "another password ends sessions"
    );
    assert_eq!(
        [enters(PASSWORD).await, enters("imported password").await],
        [false, true]
    );
    let costly = BCRYPT.replace("$04$", "$31$");
    for (hash, password) in [
        ("5f4dcc3b5aa765d61d8327deb882cf99", None),
        ("correct horse battery", None),
        ("", None),
        (costly.as_str(), None),
        (BCRYPT, Some(PASSWORD)),
    ] {
        let mut body = json!({ "email": "bob@example.com", "password_hash": hash });
        if let Some(password) = password {
            body["password"] = json!(password);
        }
        let refused = site.tell("POST", "users", &body).await;
        assert_eq!(refusal(&refused), is(422, "invalid_fields"), "{hash}");
        assert_eq!(refused.body["errors"][0]["pointer"], "/password_hash");
        body["email"] = json!(ALICE);
        let refused = site.patch(id, "*", &body).await;
        assert_eq!(refusal(&refused), is(422, "invalid_fields"), "{hash}");
        assert_eq!(refused.body["errors"][0]["pointer"], "/password_hash");
    }
}

#[tokio::test]
async fn users_are_listed_by_page_role_and_status() {
    let site = Site::start().await;
    for (name, roles) in [
        ("a", &["editor"] as &[&str]),
        ("b", &["editor_x"]),
        ("c", &["admin"]),
    ] {
        site.api.core.clock.advance(Duration::from_millis(1));
        let email = format!("{name}@shop.test");
        site.api.core.add_user(&email, PASSWORD, roles).await;
    }
    let emails = async |query: &str| -> (Vec<String>, u64) {
        let page = site.ask("GET", &format!("users?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let users = page.body["users"].as_array().unwrap().iter();
        let email = |user: &Value| user["email"].as_str().unwrap().to_owned();
        (
            users.map(email).collect(),
            page.body["total"].as_u64().unwrap(),
        )
    };
    let check = async |query: &str, expected: &[&str], total: u64| {
        let expected = expected.iter().map(|email| (*email).to_owned()).collect();
        assert_eq!(emails(query).await, (expected, total), "{query}");
    };
    let all = [ROOT, "a@shop.test", "b@shop.test", "c@shop.test"];
    check("", &all, 4).await;
    check("limit=2&offset=1", &all[1..3], 4).await;
    check("search=SHOP.test", &all[1..], 3).await;
    check("role=editor", &["a@shop.test"], 1).await;
    check("role=admin&search=shop", &["c@shop.test"], 1).await;
    check("role=admi_", &[], 0).await;
    let a = site.ask("GET", "users?search=a@shop").await;
    let id = a.body["users"][0]["id"].as_str().unwrap();
    site.patch(id, "*", &json!({ "disabled": true })).await;
    check("status=disabled", &["a@shop.test"], 1).await;
    check(
        "status=enabled&search=shop",
        &["b@shop.test", "c@shop.test"],
        2,
    )
    .await;
    let refused = site.refusal("GET", "users?limit=201").await;
    assert_eq!(refused, is(400, "invalid_parameters"));
}

#[tokio::test]
async fn while_the_session_store_is_away_no_account_is_changed_whose_sessions_must_end() {
    let mut redis = RedisServer::start();
    let site = Site::of(Setup {
        sessions: Some(Arc::new(redis.sessions())),
        ..Setup::default()
    })
    .await;
    let user = site.api.core.add_user(ALICE, PASSWORD, &["editor"]).await;
    let id = user.id.to_string();
    let path = format!("users/{id}");
    let before = site.ask("GET", &path).await;
    let seen = tag(&before);
    redis.stop();
    let away = is(503, "unavailable");
    for change in [
        json!({ "disabled": true }),
        json!({ "roles": ["reader"] }),
        json!({ "password": "another horse battery" }),
        json!({ "email": "new@example.com" }),
    ] {
        let answer = site.patch(&id, &seen, &change).await;
        assert_eq!(refusal(&answer), away, "{change}");
    }
    assert_eq!(site.refusal("DELETE", &path).await, away);
    let after = site.ask("GET", &path).await;
    assert_eq!((&after.body, tag(&after)), (&before.body, seen.clone()));

    redis.start_again();
    assert_eq!(
        site.api.sign_in(ALICE, PASSWORD).await.status,
        StatusCode::OK
    );
    let change = json!({ "disabled": true });
    let answer = site.patch(&id, &seen, &change).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}
