//! Cookies, CSRF tokens and pages of other origins.

use super::*;
use crate::gotrue::decoded;

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
        // What the SDK sends, and what an app has it add.
        let all = "content-type,x-csrf-token,x-of-the-app";
        let preflight = preflight.header("access-control-request-headers", all);
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
        assert_eq!(allowed, expected.map(|_| all));
    };
    check(APP, Some(APP)).await;
    check("https://evil.test", None).await;
    check("null", None).await;
}

#[tokio::test]
async fn a_request_that_showed_no_cookie_clears_none() {
    let dialect = Dialect::start().await;
    let signed_in = dialect.sign_in("?client_type=server").await;
    for prefix in ["/api/auth", "/api/auth/admin"] {
        for verb in ["refresh", "logout"] {
            let target = format!("{prefix}/{verb}");
            let bare = dialect.post_empty(&target, Call::default()).await;
            assert_eq!(bare.set_cookie(), None, "{target}");
            let call = Call {
                bearer: Some(signed_in.text("accessToken")),
                ..Call::default()
            };
            let bearer = dialect.post_empty(&target, call).await;
            assert_eq!(bearer.set_cookie(), None, "{target}");
        }
    }
}

#[tokio::test]
async fn a_cookie_that_was_shown_and_does_not_hold_is_cleared() {
    let dialect = Dialect::start().await;
    let names = ["insforge_refresh_token", "insforge_admin_refresh_token"];
    for (prefix, name) in ["/api/auth", "/api/auth/admin"].into_iter().zip(names) {
        for (verb, shown) in [
            ("refresh", format!("{name}=junk")),
            ("logout", format!("{name}=junk")),
            ("refresh", format!("{name}=a; {name}=b")),
        ] {
            let call = Call {
                cookie: Some(&shown),
                ..Call::default()
            };
            let answer = dialect.post_empty(&format!("{prefix}/{verb}"), call).await;
            let cleared = answer.set_cookie().unwrap();
            assert!(cleared.starts_with(&format!("{name}=;")), "{cleared}");
        }
    }
}

#[tokio::test]
async fn a_form_of_another_page_is_no_sign_in() {
    let dialect = Dialect::start().await;
    let json = json!({"email": EMAIL, "username": "root", "password": PASSWORD}).to_string();
    let form = format!("email={EMAIL}&username=root&password={PASSWORD}");
    let check = async |target: &str, kind: Option<&str>, body: &str| {
        for origin in [None, Some("null"), Some("https://evil.test")] {
            let call = Call {
                origin,
                ..Call::default()
            };
            let mut request = call.request(Method::POST, target);
            request = request.header("sec-fetch-site", "cross-site");
            if let Some(kind) = kind {
                request = request.header("content-type", kind);
            }
            let request = request.body(Body::from(body.to_owned())).unwrap();
            let answer = dialect.send(request).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{target} {kind:?}");
            assert_eq!(answer.json["error"], "INVALID_INPUT");
            assert_eq!(answer.set_cookie(), None);
        }
    };
    for target in ["/api/auth/sessions", "/api/auth/admin/sessions"] {
        check(target, Some("text/plain"), &json).await;
        check(target, Some("application/x-www-form-urlencoded"), &form).await;
        check(target, Some("multipart/form-data; boundary=x"), &json).await;
        check(target, None, &json).await;
    }
}

#[tokio::test]
async fn a_csrf_token_is_derived_from_kind_subject_and_session_and_nothing_else() {
    let dialect = Dialect::start().await;
    let user = dialect.sign_in("").await;
    let admin = dialect.admin_sign_in().await;
    for (answer, kind, subject) in [(user, "user", "/user/id"), (admin, "admin", "/admin/sub")] {
        let subject = answer.json.pointer(subject).unwrap().as_str().unwrap();
        let (_, claims) = decoded(answer.text("accessToken"));
        let session = &claims["sid"];
        let session = session.as_str().unwrap();
        let message = format!("insforge:csrf:v1:{kind}:{subject}:{session}");
        let expected = dialect.core.auth.csrf_value(&message).unwrap();
        assert_eq!(answer.text("csrfToken"), expected);
    }
}
