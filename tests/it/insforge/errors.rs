//! What goes wrong, in the words of the dialect.

use super::*;

#[tokio::test]
async fn a_bad_sign_in_is_told_field_by_field() {
    let dialect = Dialect::start().await;
    let check = async |target: &str, body: Value, message: &str| {
        let answer = dialect.post(target, body, Call::default()).await;
        answer.refused(400, "INVALID_INPUT", message);
    };
    let user = "/api/auth/sessions";
    check(user, json!({}), "email: Required, password: Required").await;
    check(
        user,
        json!({"email": "ann", "password": "x"}),
        "email: Invalid email",
    )
    .await;
    check(
        user,
        json!({"email": EMAIL, "password": 7}),
        "password: Expected string",
    )
    .await;
    check(
        user,
        json!({"email": EMAIL, "password": ""}),
        "password: Required",
    )
    .await;
    let otp = json!({"method": "otp", "email": EMAIL, "otp": "12345"});
    check(user, otp, "otp: Must be a 6-digit code").await;
    let magic = json!({"method": "magic", "email": EMAIL, "password": "x"});
    let message = "method: Must be \"password\" or \"otp\"";
    check(user, magic, message).await;
    let admin = "/api/auth/admin/sessions";
    check(admin, json!({}), "username: Required, password: Required").await;
    check(
        admin,
        json!({"username": " ", "password": "x"}),
        "username: Required",
    )
    .await;
    let long = json!({"username": "a".repeat(101), "password": "x"});
    check(admin, long, "username: Too long").await;
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let dialect = Dialect::start().await;
    let check = async |body: String, status: u16| {
        let request = Call::default()
            .request(Method::POST, "/api/auth/sessions")
            .header("content-type", "application/json")
            .body(Body::from(body));
        let answer = dialect.send(request.unwrap()).await;
        let message = answer.text("message").to_owned();
        answer.refused(status, "INVALID_INPUT", &message);
        answer.json.get("nextActions").is_some()
    };
    for body in ["{", "[]", "\"a\"", "{}}", "\u{0}"] {
        assert!(check(body.to_owned(), 400).await, "{body}");
    }
    let huge = json!({"email": EMAIL, "password": "a".repeat(64 * 1024)});
    check(huge.to_string(), 413).await;
}

#[tokio::test]
async fn wrong_credentials_are_one_answer() {
    let dialect = Dialect::start().await;
    let check = async |target: &str, body: Value, message: &str| {
        let answer = dialect.post(target, body, Call::default()).await;
        answer.refused(401, "AUTH_UNAUTHORIZED", message);
        assert_eq!(answer.set_cookie(), None);
    };
    let user = "/api/auth/sessions";
    let wrong = json!({"email": EMAIL, "password": "wrong"});
    check(user, wrong, "Invalid credentials").await;
    let nobody = json!({"email": "nobody@example.com", "password": PASSWORD});
    check(user, nobody, "Invalid credentials").await;
    let admin = "/api/auth/admin/sessions";
    for name in ["root", "nobody", "ann"] {
        let wrong = json!({"username": name, "password": "wrong"});
        check(admin, wrong, "Invalid admin credentials").await;
    }
}

#[tokio::test]
async fn the_right_password_is_not_always_enough() {
    let dialect = Dialect::over(Core::with(EmailRule::MustBeVerified).await).await;
    let body = json!({"username": "ann", "password": PASSWORD});
    let answer = dialect
        .post("/api/auth/admin/sessions", body, Call::default())
        .await;
    answer.refused(403, "FORBIDDEN", "User is not an admin");
    let change = UserChange::EmailStatus(EmailStatus::Unverified);
    dialect
        .core
        .users
        .change(dialect.user.id, change)
        .await
        .unwrap();
    let body = json!({"email": EMAIL, "password": PASSWORD});
    let answer = dialect
        .post("/api/auth/sessions", body, Call::default())
        .await;
    answer.refused(403, "FORBIDDEN", "Email verification required");
    assert!(answer.json["nextActions"].is_string());
}

#[tokio::test]
async fn a_token_is_asked_for_where_one_is_needed() {
    let dialect = Dialect::start().await;
    for target in [
        "/api/auth/sessions/current",
        "/api/auth/admin/sessions/current",
    ] {
        let answer = dialect.get(target, Call::default()).await;
        answer.refused(401, "AUTH_INVALID_CREDENTIALS", "No token provided");
        assert!(answer.json["nextActions"].is_string());
        for bearer in ["junk", "ik_0123", "a b", "eyJhbGciOiJub25lIn0.e30."] {
            let call = Call {
                bearer: Some(bearer),
                ..Call::default()
            };
            let answer = dialect.get(target, call).await;
            answer.refused(401, "AUTH_UNAUTHORIZED", "Invalid token");
        }
    }
}

#[tokio::test]
async fn an_expired_token_is_one_that_clients_refresh() {
    let dialect = Dialect::start().await;
    let signed_in = dialect.sign_in("").await;
    dialect.core.clock.advance(Duration::from_mins(16));
    let call = Call {
        bearer: Some(signed_in.text("accessToken")),
        ..Call::default()
    };
    let answer = dialect.get("/api/auth/sessions/current", call).await;
    answer.refused(401, "AUTH_UNAUTHORIZED", "Invalid token");
}
