//! API keys of everybody.

use super::*;

impl Site {
    /// Whether a key is known and holds: it is no administrator's, which is said only of those that do.
    async fn holds(&self, key: &str) -> bool {
        let call = Call {
            token: key,
            ..self.call("GET", "users")
        };
        self.send(call, None).await.status == StatusCode::FORBIDDEN
    }
}

#[tokio::test]
async fn a_key_is_made_shown_renamed_rotated_and_revoked() {
    let site = Site::start().await;
    let body = json!({
        "name": "deploy", "service": "ci", "roles": ["deployer"], "scopes": ["read", "write"],
        "expires_at": "2099-01-01T00:00:00Z",
    });
    let made = site.tell("POST", "api-keys", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let old = made.body["secret"].as_str().unwrap();
    let id = made.body["api_key"]["id"].as_str().unwrap();
    assert_eq!(made.headers["location"], format!("{ADMIN}/api-keys/{id}"));
    assert!(site.holds(old).await);
    let path = format!("api-keys/{id}");
    let shown = site.ask("GET", &path).await;
    assert_eq!(shown.body["subject"], "service:ci");
    assert!(!shown.body.to_string().contains(old));
    let renamed = site
        .tell("PATCH", &path, &json!({ "name": "release" }))
        .await;
    assert_eq!(renamed.body["name"], "release");

    let rotate = format!("{path}/rotate");
    let next = site.tell("POST", &rotate, &json!({ "grace": 60 })).await;
    assert_eq!(next.status, StatusCode::CREATED, "{}", next.body);
    assert_eq!(next.body["api_key"]["rotated_from"], id);
    let new = next.body["secret"].as_str().unwrap();
    assert_eq!([site.holds(old).await, site.holds(new).await], [true, true]);
    assert_eq!(
        refusal(&site.ask("POST", &rotate).await),
        is(409, "not_live")
    );
    site.api.core.clock.advance(Duration::from_secs(61));
    assert_eq!(
        [site.holds(old).await, site.holds(new).await],
        [false, true]
    );

    let of_ci = site.ask("GET", "api-keys?service=ci").await;
    assert_eq!(of_ci.body["total"], 2, "{}", of_ci.body);
    let path = format!("api-keys/{}", next.body["api_key"]["id"].as_str().unwrap());
    assert_eq!(
        site.ask("DELETE", &path).await.status,
        StatusCode::NO_CONTENT
    );
    assert!(!site.holds(new).await);
    assert_eq!(site.ask("GET", &path).await.body["status"], "revoked");
    assert_eq!(
        site.refusal("GET", "api-keys/x").await,
        is(404, "no_such_api_key")
    );
}

#[tokio::test]
async fn a_key_is_made_for_somebody_who_is_there() {
    let site = Site::start().await;
    let check = async |body: Value, expected: (u16, String)| {
        let answer = site.tell("POST", "api-keys", &body).await;
        assert_eq!(refusal(&answer), expected, "{body}");
    };
    let nobody = "00000000-0000-7000-8000-000000000000";
    check(
        json!({ "name": "x", "user": nobody }),
        is(409, "no_such_user"),
    )
    .await;
    check(json!({ "name": "x" }), is(422, "invalid_fields")).await;
    let both = json!({ "name": "x", "user": nobody, "service": "ci" });
    check(both, is(422, "invalid_fields")).await;
    let past = json!({ "name": "x", "service": "ci", "expires_at": "2020-01-01T00:00:00Z" });
    check(past, is(422, "invalid_fields")).await;
    let own = json!({ "name": "x", "user": site.root.id.to_string() });
    let own = site.tell("POST", "api-keys", &own).await;
    assert_eq!(own.status, StatusCode::CREATED, "{}", own.body);
    let of_user = format!("api-keys?user={}", site.root.id);
    assert_eq!(site.ask("GET", &of_user).await.body["total"], 1);
}

#[tokio::test]
async fn a_key_gives_nothing_away_that_it_has_not() {
    let site = Site::start().await;
    let more = json!({ "name": "all", "service": "ci", "roles": ["admin", "owner"] });
    let more = site.tell("POST", "api-keys", &more).await;
    let path = format!("api-keys/{}", more.body["api_key"]["id"].as_str().unwrap());
    let manager = site.key(&["admin"], &["read", "write", "admin"]).await;
    let plain = site.key(&["admin"], &["read", "write"]).await;
    let check = async |token: &str, body: &Value, expected: (u16, String)| {
        let call = Call {
            token,
            ..site.call("POST", "api-keys")
        };
        assert_eq!(
            refusal(&site.send(call, Some(body)).await),
            expected,
            "{body}"
        );
    };
    let key = |roles: &[&str], scopes: &[&str]| json!({ "name": "x", "service": "ci", "roles": roles, "scopes": scopes });
    check(&plain, &key(&[], &["read"]), is(403, "not_allowed")).await;
    check(&manager, &key(&["owner"], &["read"]), is(403, "exceeds")).await;
    check(&manager, &key(&["admin"], &["orders"]), is(403, "exceeds")).await;
    check(&manager, &key(&["admin"], &["read"]), is(201, "")).await;
    // Who rotates a key sees the text of the new one.
    let rotate = format!("{path}/rotate");
    let by_manager = Call {
        token: &manager,
        ..site.call("POST", &rotate)
    };
    assert_eq!(
        refusal(&site.send(by_manager, None).await),
        is(403, "exceeds")
    );
    let by_plain = Call {
        token: &plain,
        ..site.call("DELETE", &path)
    };
    assert_eq!(
        refusal(&site.send(by_plain, None).await),
        is(403, "not_allowed")
    );
    assert_eq!(site.ask("GET", &path).await.body["status"], "live");
}
