//! The bodies, field by field as they are published.

use super::*;

fn is_date_time(value: &Value) -> bool {
    let text = value.as_str().unwrap();
    text.ends_with('Z') && text.contains('T') && text.len() == "2026-01-01T00:00:00.000Z".len()
}

#[tokio::test]
async fn a_browser_gets_the_user_and_a_csrf_token() {
    let dialect = Dialect::start().await;
    for query in ["", "?client_type=web", "?client_type=tv", "?client_type="] {
        let answer = dialect.sign_in(query).await;
        assert_eq!(answer.names(), ["accessToken", "csrfToken", "user"]);
        assert_eq!(answer.text("csrfToken").len(), 64);
        assert!(
            answer
                .text("csrfToken")
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        );
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(dialect.is_live(answer.text("accessToken")).await);
    }
}

#[tokio::test]
async fn a_program_gets_the_user_and_a_refresh_token() {
    let dialect = Dialect::start().await;
    for client in ["mobile", "desktop", "server"] {
        let answer = dialect.sign_in(&format!("?client_type={client}")).await;
        assert_eq!(answer.names(), ["accessToken", "refreshToken", "user"]);
        assert!(answer.json["refreshToken"].is_string());
        assert_eq!(answer.set_cookie(), None);
    }
}

#[tokio::test]
async fn a_user_has_all_fields_in_their_types() {
    let dialect = Dialect::start().await;
    let signed_in = dialect.sign_in("?client_type=server").await;
    let call = Call {
        bearer: Some(signed_in.text("accessToken")),
        ..Call::default()
    };
    let current = dialect.get("/api/auth/sessions/current", call).await;
    assert_eq!(current.names(), ["user"]);
    assert_eq!(current.json["user"], signed_in.json["user"]);
    let user = &current.json["user"];
    assert_eq!(user["id"], dialect.user.id.to_string());
    assert!(uuid::Uuid::parse_str(user["id"].as_str().unwrap()).is_ok());
    assert_eq!(user["email"], EMAIL);
    assert_eq!(user["emailVerified"], true);
    assert_eq!(user["providers"], json!(["email"]));
    assert!(is_date_time(&user["createdAt"]) && is_date_time(&user["updatedAt"]));
    for name in ["profile", "metadata"] {
        assert!(user.get(name).is_some_and(Value::is_null), "{name}");
    }
    assert_eq!(user.as_object().unwrap().len(), 8);
}

#[tokio::test]
async fn an_admin_is_told_in_both_published_forms() {
    let dialect = Dialect::start().await;
    for login in ["username", "email"] {
        let name = if login == "email" { ADMIN } else { " root " };
        let body = json!({login: name, "password": PASSWORD});
        let target = "/api/auth/admin/sessions";
        let answer = dialect.post(target, body, Call::default()).await;
        let answer = answer.expect(StatusCode::OK);
        let names = ["accessToken", "admin", "csrfToken", "projectAdmin"];
        assert_eq!(answer.names(), names);
        assert_eq!(answer.json["admin"], json!({"sub": "local:root"}));
        let project_admin = json!({"subject": "local:root", "username": "root"});
        assert_eq!(answer.json["projectAdmin"], project_admin);
        assert!(dialect.is_live(answer.text("accessToken")).await);
    }
}

#[tokio::test]
async fn the_current_admin_is_an_admin() {
    let dialect = Dialect::start().await;
    let target = "/api/auth/admin/sessions/current";
    let admin = dialect.admin_sign_in().await;
    let bearer = |token| Call {
        bearer: Some(token),
        ..Call::default()
    };
    let answer = dialect.get(target, bearer(admin.text("accessToken"))).await;
    let answer = answer.expect(StatusCode::OK);
    assert_eq!(answer.json["admin"], json!({"sub": "local:root"}));
    let user = dialect.sign_in("").await;
    let answer = dialect.get(target, bearer(user.text("accessToken"))).await;
    answer.refused(403, "AUTH_UNAUTHORIZED", "Admin access required");
    assert!(answer.json["nextActions"].is_string());
}

#[tokio::test]
async fn a_session_of_the_admins_entrance_is_none_of_a_user() {
    use crate::gotrue::{self, ADMIN, Bench};
    use doorward::dialect::Shape;

    let bench = Bench::start(Shape::InsForge).await;
    let current = async |entrance: &str| {
        let body = json!({"email": ADMIN, "password": gotrue::PASSWORD});
        let json = [("content-type", "application/json")];
        let answer = bench.post(entrance, body, &json).await.expect(200);
        let token = gotrue::bearer(answer.text("/accessToken"));
        let headers = [("authorization", token.as_str())];
        bench.get("/api/auth/sessions/current", &headers).await
    };
    let answer = current("/api/auth/admin/sessions").await.expect(401);
    let expected = json!({
        "error": "AUTH_INVALID_CREDENTIALS", "message": "User not authenticated", "statusCode": 401,
    });
    assert_eq!(answer.json, expected);
    // An administrator may be a user as well, by the other entrance.
    let answer = current("/api/auth/sessions").await.expect(200);
    assert_eq!(answer.json["user"]["email"], ADMIN);
}

#[tokio::test]
async fn the_keys_are_published_beside_the_api() {
    let dialect = Dialect::start().await;
    let answer = dialect
        .get("/api/.well-known/jwks.json", Call::default())
        .await;
    assert!(answer.expect(StatusCode::OK).json["keys"][0]["kid"].is_string());
}

/// Every endpoint, by method and path.
const ENDPOINTS: &[(Method, &str)] = &[
    (Method::POST, "/api/auth/admin/sessions"),
    (Method::GET, "/api/auth/admin/sessions/current"),
    (Method::POST, "/api/auth/admin/refresh"),
    (Method::POST, "/api/auth/admin/logout"),
    (Method::POST, "/api/auth/sessions"),
    (Method::GET, "/api/auth/sessions/current"),
    (Method::POST, "/api/auth/refresh"),
    (Method::POST, "/api/auth/logout"),
    (Method::POST, "/api/auth/users"),
    (Method::GET, "/api/auth/users"),
    (Method::DELETE, "/api/auth/users"),
    (Method::GET, "/api/auth/users/1"),
    (Method::PATCH, "/api/auth/profiles/current"),
    (Method::GET, "/api/auth/profiles/1"),
    (Method::GET, "/api/auth/public-config"),
    (Method::POST, "/api/auth/email/send-otp"),
    (Method::POST, "/api/auth/email/send-verification"),
    (Method::GET, "/api/auth/email/verify-link"),
    (Method::POST, "/api/auth/email/verify"),
    (Method::POST, "/api/auth/email/send-reset-password"),
    (
        Method::POST,
        "/api/auth/email/exchange-reset-password-token",
    ),
    (Method::GET, "/api/auth/email/reset-password-link"),
    (Method::POST, "/api/auth/email/reset-password"),
    (Method::GET, "/api/.well-known/jwks.json"),
];

#[tokio::test]
async fn every_endpoint_is_answered_and_has_a_preflight() {
    let dialect = Dialect::start().await;
    for (method, path) in ENDPOINTS {
        for method in [method, &Method::OPTIONS] {
            let request = Call::default().request(method.clone(), path);
            let answer = dialect.send(request.body(Body::empty()).unwrap()).await;
            let missing = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
            assert!(!missing.contains(&answer.status), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_in_the_one_form() {
    let dialect = Dialect::start().await;
    let check = async |method: Method, path: &str| {
        let request = Call::default().request(method, path);
        let answer = dialect.send(request.body(Body::empty()).unwrap()).await;
        answer.refused(404, "NOT_FOUND", &format!("Endpoint {path} not found"));
        assert!(answer.json["nextActions"].is_string());
    };
    check(Method::GET, "/api/auth/oauth/google").await;
    check(Method::POST, "/api/auth/id-token").await;
    check(Method::PUT, "/api/auth/sessions").await;
    check(Method::GET, "/api/auth/sessions").await;
}

#[tokio::test]
async fn the_public_configuration_says_how_accounts_are_made() {
    let check = async |dialect: Dialect, must_verify: bool, (method, closed): (&str, bool)| {
        let answer = dialect
            .get("/api/auth/public-config", Call::default())
            .await;
        let expected = json!({
            "oAuthProviders": [],
            "customOAuthProviders": [],
            "requireEmailVerification": must_verify,
            "passwordMinLength": 8,
            "requireNumber": false,
            "requireLowercase": false,
            "requireUppercase": false,
            "requireSpecialChar": false,
            "verifyEmailMethod": method,
            "resetPasswordMethod": method,
            "disableSignup": closed,
        });
        assert_eq!(answer.expect(StatusCode::OK).json, expected);
    };
    check(Dialect::start().await, false, ("code", true)).await;
    let must = EmailRule::MustBeVerified;
    check(Dialect::open(must).await, true, ("code", false)).await;
    let linking = Dialect::ruled(must, linking()).await;
    check(linking, true, ("link", false)).await;
}

#[tokio::test]
async fn pages_of_a_listed_origin_may_call_and_read() {
    let dialect = Dialect::start().await;
    let from = |origin| Call {
        origin: Some(origin),
        ..Call::default()
    };
    let answer = dialect.get("/api/auth/public-config", from(APP)).await;
    assert_eq!(answer.headers["access-control-allow-origin"], APP);
    assert_eq!(answer.headers["access-control-allow-credentials"], "true");
    let exposed = &answer.headers["access-control-expose-headers"];
    for name in ["content-range", "preference-applied"] {
        assert!(exposed.to_str().unwrap().contains(name));
    }
    let request = from(APP).request(Method::OPTIONS, USERS);
    let request = request.header("access-control-request-method", "DELETE");
    let preflight = dialect.send(request.body(Body::empty()).unwrap()).await;
    let methods = &preflight.headers["access-control-allow-methods"];
    for name in ["PATCH", "DELETE"] {
        assert!(methods.to_str().unwrap().contains(name));
    }
    let stranger = from("https://evil.test");
    let answer = dialect.get("/api/auth/public-config", stranger).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
}
