//! What a user sees and changes of themselves.

use super::*;

async fn put(bench: &Bench, token: &str, body: Value) -> Answer {
    let token = bearer(token);
    let headers = [("authorization", token.as_str())];
    bench
        .send((Method::PUT, USER), &headers, body.to_string())
        .await
}

#[tokio::test]
async fn a_user_is_shown_bare() {
    let bench = Bench::start(Shape::Supabase).await;
    let answer = sign_in(&bench).await;
    let found = user(&bench, answer.text("/access_token")).await.expect(200);
    assert_eq!(found.json, answer.json["user"]);
}

#[tokio::test]
async fn the_metadata_of_a_user_is_changed_key_by_key() {
    let bench = Bench::start(Shape::Supabase).await;
    let answer = sign_in(&bench).await;
    let token = answer.text("/access_token");
    let check = async |data: Value, expected: Value| {
        let changed = put(&bench, token, json!({ "data": data }))
            .await
            .expect(200);
        assert_eq!(changed.json["user_metadata"], expected);
        let found = user(&bench, token).await.expect(200);
        assert_eq!(found.json["user_metadata"], expected);
    };
    check(
        json!({ "a": 1, "b": { "c": 2 } }),
        json!({ "a": 1, "b": { "c": 2 } }),
    )
    .await;
    check(
        json!({ "a": null, "d": "e" }),
        json!({ "b": { "c": 2 }, "d": "e" }),
    )
    .await;
    let refreshed = refresh(&bench, answer.text("/refresh_token"))
        .await
        .expect(200);
    let (_, claims) = decoded(refreshed.text("/access_token"));
    assert_eq!(claims["user_metadata"]["d"], "e");
}

#[tokio::test]
async fn metadata_has_a_bound_and_never_keeps_anybody_out() {
    let bench = Bench::start(Shape::Supabase).await;
    let answer = sign_in(&bench).await;
    let token = answer.text("/access_token");
    let data = json!({ "data": { "a": "x".repeat(17 * 1024) } });
    assert_fault(&put(&bench, token, data).await, 422, "validation_failed");
    let data = json!({ "data": { "a": "x".repeat(15 * 1024) } });
    put(&bench, token, data).await.expect(200);
    let answer = sign_in(&bench).await;
    let (_, claims) = decoded(answer.text("/access_token"));
    assert_eq!(claims["user_metadata"], json!({}));
    assert!(answer.json["user"]["user_metadata"]["a"].is_string());
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_and_not_passed_over() {
    let bench = Bench::start(Shape::Supabase).await;
    let answer = sign_in(&bench).await;
    for (name, status) in [("email", 400), ("phone", 422)] {
        let body = json!({ name: "something", "data": { "a": 1 } });
        let refused = put(&bench, answer.text("/access_token"), body).await;
        assert_fault(&refused, status, "validation_failed");
    }
    let found = user(&bench, answer.text("/access_token")).await.expect(200);
    assert_eq!(found.json["user_metadata"], json!({}));
}

#[tokio::test]
async fn a_password_is_changed_in_a_fresh_session_and_the_others_end() {
    let bench = Bench::start(Shape::Supabase).await;
    let (first, other) = (sign_in(&bench).await, sign_in(&bench).await);
    let token = first.text("/access_token");
    let weak = put(&bench, token, json!({ "password": "short" })).await;
    assert_fault(&weak, 422, "weak_password");
    let new = "another long password";
    let changed = put(&bench, token, json!({ "password": new })).await;
    changed.expect(200);
    user(&bench, token).await.expect(200);
    let ended = user(&bench, other.text("/access_token")).await;
    assert_fault(&ended, 403, "session_not_found");
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let old = bench.post(PASSWORD_GRANT, body, &[]).await;
    assert_fault(&old, 400, "invalid_credentials");
    bench.core.clock.advance(Duration::from_mins(11));
    let stale = put(&bench, token, json!({ "password": PASSWORD })).await;
    assert_fault(&stale, 400, "reauthentication_needed");
    let body = json!({ "email": EMAIL, "password": new });
    bench.post(PASSWORD_GRANT, body, &[]).await.expect(200);
}
