//! What users say of themselves.

use super::*;

const CURRENT: &str = "/api/auth/profiles/current";

#[tokio::test]
async fn a_profile_is_changed_key_by_key_and_read_by_anybody() {
    let dialect = Dialect::start().await;
    let signed_in = dialect.sign_in("").await;
    let id = dialect.user.id.to_string();
    let public = format!("/api/auth/profiles/{id}");
    let answer = dialect.get(&public, Call::default()).await;
    let empty = json!({"id": id, "profile": null});
    assert_eq!(answer.expect(StatusCode::OK).json, empty);

    let change = async |profile: Value| {
        let call = bearer(signed_in.text("accessToken"));
        let body = json!({ "profile": profile });
        let answer = dialect.call(Method::PATCH, (CURRENT, body), call).await;
        answer.expect(StatusCode::OK).json
    };
    change(json!({"name": "Ann", "avatar_url": "https://a.test/a.png"})).await;
    let changed = change(json!({"name": "Anna", "colour": {"of": "hair"}})).await;
    let profile = json!({
        "name": "Anna",
        "avatar_url": "https://a.test/a.png",
        "colour": {"of": "hair"},
    });
    assert_eq!(changed, json!({"id": id, "profile": profile}));
    let answer = dialect.get(&public, Call::default()).await;
    assert_eq!(answer.json, changed);
    let current = dialect
        .get(
            "/api/auth/sessions/current",
            bearer(signed_in.text("accessToken")),
        )
        .await;
    assert_eq!(current.json["user"]["profile"], profile);
}

#[tokio::test]
async fn a_profile_is_changed_by_its_owner_alone() {
    let dialect = Dialect::with_key().await;
    let check = async |call: Call<'_>, (status, error, message): (u16, &str, &str)| {
        let body = json!({"profile": {"name": "x"}});
        let answer = dialect.call(Method::PATCH, (CURRENT, body), call).await;
        answer.refused(status, error, message);
    };
    let none = (401, "AUTH_INVALID_CREDENTIALS", "No token provided");
    check(Call::default(), none).await;
    for token in ["junk", ANON, "ik_0123"] {
        let invalid = (401, "AUTH_UNAUTHORIZED", "Invalid token");
        check(bearer(token), invalid).await;
    }
}

#[tokio::test]
async fn a_profile_is_an_object_of_bounded_size() {
    let dialect = Dialect::start().await;
    let signed_in = dialect.sign_in("").await;
    let check = async |body: Value, message: &str| {
        let call = bearer(signed_in.text("accessToken"));
        let answer = dialect.call(Method::PATCH, (CURRENT, body), call).await;
        answer.refused(400, "INVALID_INPUT", message);
    };
    check(json!({}), "profile: Required").await;
    check(json!({"profile": "x"}), "profile: Expected object").await;
    let large = json!({"profile": {"a": "a".repeat(16 * 1024)}});
    check(large, "profile: At most 16 KB").await;
}

#[tokio::test]
async fn a_profile_of_nobody_is_not_there() {
    let dialect = Dialect::start().await;
    let other = "/api/auth/profiles/0190163d-8694-739b-aea5-966c26f8ad91";
    let answer = dialect.get(other, Call::default()).await;
    answer.refused(404, "AUTH_USER_NOT_FOUND", "User not found");
    let answer = dialect.get("/api/auth/profiles/1", Call::default()).await;
    answer.refused(400, "INVALID_INPUT", "Invalid user ID format");
}
