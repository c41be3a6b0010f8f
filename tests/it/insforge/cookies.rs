//! Cookies, CSRF tokens and pages of other origins.

use super::*;

#[tokio::test]
async fn the_cookies_have_their_names_paths_and_attributes() {
    let dialect = Dialect::start().await;
    let check = |answer: &Answer, name: &str, path: &str| {
        let expected = format!("; Path={path}; Max-Age=604800; HttpOnly; Secure; SameSite=None");
        let cookie = answer.set_cookie().unwrap();
        assert!(cookie.starts_with(&format!("{name}=")), "{cookie}");
        assert!(cookie.ends_with(&expected), "{cookie}");
    };
    let user = dialect.sign_in("").await;
    check(&user, "insforge_refresh_token", "/api/auth");
    let admin = dialect.admin_sign_in().await;
    check(&admin, "insforge_admin_refresh_token", "/api/auth/admin");
}

#[tokio::test]
async fn a_csrf_token_is_the_same_through_a_session_and_another_in_the_next() {
    let dialect = Dialect::start().await;
    let one = dialect.sign_in("").await;
    let other = dialect.sign_in("").await;
    assert_ne!(one.text("csrfToken"), other.text("csrfToken"));
    let call = Call {
        cookie: Some(&one.cookie()),
        csrf: &[one.text("csrfToken")],
        ..Call::default()
    };
    let refreshed = dialect.post_empty("/api/auth/refresh", call).await;
    let refreshed = refreshed.expect(StatusCode::OK);
    assert_eq!(refreshed.names(), ["accessToken", "csrfToken", "user"]);
    assert_eq!(refreshed.text("csrfToken"), one.text("csrfToken"));
    assert_ne!(refreshed.cookie(), one.cookie());
}

#[tokio::test]
async fn without_the_csrf_token_of_its_session_a_cookie_does_nothing() {
    let dialect = Dialect::start().await;
    let other = dialect.sign_in("").await;
    let user = dialect.sign_in("").await;
    let admin = dialect.admin_sign_in().await;
    let check = async |signed_in: &Answer, prefix: &str| {
        let right = signed_in.text("csrfToken");
        let wrong = [
            vec![],
            vec![""],
            vec!["0"],
            vec![other.text("csrfToken")],
            vec![right, right],
        ];
        for csrf in wrong {
            for verb in ["refresh", "logout"] {
                let call = Call {
                    cookie: Some(&signed_in.cookie()),
                    csrf: &csrf,
                    ..Call::default()
                };
                let answer = dialect.post_empty(&format!("{prefix}/{verb}"), call).await;
                answer.refused(403, "FORBIDDEN", "Invalid CSRF token");
                assert_eq!(answer.set_cookie(), None, "the cookie stays");
            }
        }
        assert!(dialect.is_live(signed_in.text("accessToken")).await);
    };
    check(&user, "/api/auth").await;
    check(&admin, "/api/auth/admin").await;
}

#[tokio::test]
async fn the_app_reads_the_answers_and_no_other_page_does() {
    let dialect = Dialect::start().await;
    let body = json!({"email": EMAIL, "password": "wrong"});
    let check = async |origin: &str, expected: Option<&str>| {
        let call = Call {
            origin: Some(origin),
            ..Call::default()
        };
        let sent = dialect.post("/api/auth/sessions", body.clone(), call).await;
        let preflight = call.request(Method::OPTIONS, "/api/auth/sessions");
        let preflight = preflight.header("access-control-request-method", "POST");
        let preflight = dialect.send(preflight.body(Body::empty()).unwrap()).await;
        assert_eq!(preflight.status, StatusCode::NO_CONTENT);
        for answer in [&sent, &preflight] {
            let header = |name| answer.headers.get(name).map(|v| v.to_str().unwrap());
            assert_eq!(header("access-control-allow-origin"), expected, "{origin}");
            let credentials = header("access-control-allow-credentials");
            assert_eq!(credentials, expected.map(|_| "true"));
            assert_eq!(header("vary"), Some("Origin"));
        }
        let allowed = preflight.headers.get("access-control-allow-headers");
        let allowed = allowed.map(|value| value.to_str().unwrap());
        let all = "content-type, authorization, x-csrf-token";
        assert_eq!(allowed, expected.map(|_| all));
    };
    check(APP, Some(APP)).await;
    check("https://evil.test", None).await;
    check("null", None).await;
}

#[tokio::test]
async fn a_form_of_another_page_is_no_sign_in() {
    let dialect = Dialect::start().await;
    let request = Call::default()
        .request(Method::POST, "/api/auth/sessions")
        .header("content-type", "text/plain")
        .body(Body::from(
            json!({"email": EMAIL, "password": PASSWORD}).to_string(),
        ));
    let answer = dialect.send(request.unwrap()).await;
    answer.refused(400, "INVALID_INPUT", "email: Required, password: Required");
}
