//! The wall: who gets through, what the service sees of them, and what it never sees.

use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::doorward::{ADMIN, Doorward, PASSWORD, USER};

#[tokio::test]
async fn only_an_admin_gets_through_the_admin_wall() {
    let gateway = Doorward::start().await;
    assert_eq!(
        gateway.get("/admin/x", None).await.status,
        StatusCode::UNAUTHORIZED
    );
    let user = gateway.sign_in(USER).await;
    let refused = gateway.get("/admin/x", Some(&user.access)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(
        gateway.sample.seen().is_empty(),
        "a refusal reached the service"
    );

    let admin = gateway.sign_in(ADMIN).await;
    assert_eq!(
        gateway.get("/admin/x", Some(&admin.access)).await.status,
        StatusCode::OK
    );
    assert_eq!(
        gateway.get("/api/x", Some(&user.access)).await.status,
        StatusCode::OK
    );
    let seen = gateway.sample.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].all("x-auth-email"), [ADMIN]);
    assert_eq!(seen[0].all("x-auth-roles"), ["admin"]);
    assert_eq!(seen[0].all("x-auth-session").len(), 1);
    assert!(
        seen[0].all("authorization").is_empty(),
        "the credential went to the service"
    );
    assert_eq!(seen[1].all("x-auth-email"), [USER]);
    assert!(seen[1].all("x-auth-roles").is_empty());
}

#[tokio::test]
async fn after_sign_out_the_same_token_is_refused_at_once() {
    let gateway = Doorward::start().await;
    let tokens = gateway.sign_in(ADMIN).await;
    let token = Some(tokens.access.as_str());
    assert_eq!(gateway.get("/admin/x", token).await.status, StatusCode::OK);
    let out = gateway
        .post("/.doorward/api/sign-out", token, &json!({}))
        .await;
    assert_eq!(out.status, StatusCode::NO_CONTENT, "{}", out.text);
    assert_eq!(
        gateway.get("/admin/x", token).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        gateway.refresh(&tokens.refresh).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(gateway.sample.seen().len(), 1);
}

/// What fooled other gateways about paths. The raw bytes go over the wire as they stand here.
#[tokio::test]
async fn a_path_that_can_be_read_in_two_ways_is_refused() {
    let gateway = Doorward::start().await;
    let targets = [
        "/public%2F..%2Fadmin/x",
        "/public/%2e%2e/admin/x",
        "/public/../admin/x",
        "/public/./x",
        "//admin/x",
        "/%2fadmin/x",
        "/public/%5C..%5Cadmin",
        "/public\\..\\admin",
        "/public/%00x",
        "/public/%252e%252e/admin",
        "/public;x=1/admin",
        "/public/%3b",
        "/public/%3f",
        "/public/%23",
        "/PUBLIC/x",
        "/ADMIN/x",
        "/public/%zz",
        "/public/%ff",
        "admin/x",
        "*",
    ];
    for target in targets {
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let status = raw(&gateway, request.as_bytes()).await;
        assert!(status.starts_with("HTTP/1.1 400"), "{target}: {status}");
    }
    assert!(gateway.sample.seen().is_empty());
}

#[tokio::test]
async fn no_header_talks_a_way_through_the_wall() {
    let gateway = Doorward::start().await;
    let user = gateway.sign_in(USER).await;
    let headers = [
        ("x-auth-roles", "admin"),
        ("x_auth_roles", "admin"),
        ("x-forwarded-uri", "/public/x"),
        ("x-original-url", "/public/x"),
        ("x-rewrite-url", "/public/x"),
        ("upgrade", "websocket"),
        ("upgrade", "h2c"),
        ("user-agent", "GoogleHC/1.0"),
        ("x-forwarded-for", "127.0.0.1"),
        ("connection", "x-auth-subject, authorization"),
    ];
    for (name, value) in headers {
        for method in ["GET", "POST", "OPTIONS", "HEAD"] {
            let request = Request::builder()
                .method(method)
                .uri("/admin/x")
                .header(name, value);
            let status = gateway
                .send(request.body(Full::default()).unwrap())
                .await
                .status;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {name}: {value}");
            let bearer = format!("Bearer {}", user.access);
            let request = Request::builder()
                .method(method)
                .uri("/admin/x")
                .header(name, value);
            let request = request
                .header("authorization", bearer)
                .body(Full::default())
                .unwrap();
            let status = gateway.send(request).await.status;
            assert_eq!(status, StatusCode::FORBIDDEN, "{method} {name}: {value}");
        }
    }
    assert!(gateway.sample.seen().is_empty());
}

#[tokio::test]
async fn identity_headers_of_the_client_never_arrive() {
    let gateway = Doorward::start().await;
    let request = Request::get("/public/x")
        .header("X-Auth-Subject", "me")
        .header("x_auth_email", "admin@example.com")
        .header("X-Auth_Roles", "admin")
        .header("Forwarded", "for=10.0.0.1")
        .header("X-Forwarded-For", "10.0.0.1");
    let answer = gateway.send(request.body(Full::default()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let seen = gateway.sample.seen();
    for name in seen[0].headers.keys() {
        assert!(
            !name.as_str().replace('_', "-").starts_with("x-auth"),
            "{name} arrived"
        );
    }
    assert_eq!(seen[0].all("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen[0].all("x-forwarded-proto"), ["https"]);
}

#[tokio::test]
async fn a_bad_credential_is_refused_on_a_public_route_too() {
    let gateway = Doorward::start().await;
    let answer = gateway.get("/public/x", Some("junk")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("invalid_token"), "{challenge}");
    let user = gateway.sign_in(USER).await;
    let in_query = format!("/api/x?access_token={}", user.access);
    assert_eq!(
        gateway.get(&in_query, None).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert!(gateway.sample.seen().is_empty());
}

#[tokio::test]
async fn a_cookie_with_an_unsafe_method_needs_a_page_of_this_origin() {
    let gateway = Doorward::start().await;
    let body = json!({ "login": USER, "password": PASSWORD });
    let signed_in = gateway.post("/.doorward/api/sign-in", None, &body).await;
    assert_eq!(signed_in.status, StatusCode::OK, "{}", signed_in.text);
    let csrf = signed_in.json()["csrf_token"].as_str().unwrap().to_owned();
    let cookies = signed_in.headers.get_all("set-cookie").iter();
    let session = cookies
        .map(|cookie| cookie.to_str().unwrap())
        .find(|c| c.starts_with("__Host-"));
    let (session, attributes) = session.unwrap().split_once(';').unwrap();
    assert!(
        attributes.contains("HttpOnly") && attributes.contains("Secure"),
        "{attributes}"
    );
    let check = async |method: &str, header: (&str, &str), expected: StatusCode| {
        let request = Request::builder()
            .method(method)
            .uri("/api/x")
            .header("cookie", session);
        let request = request
            .header(header.0, header.1)
            .body(Full::default())
            .unwrap();
        assert_eq!(
            gateway.send(request).await.status,
            expected,
            "{method} {header:?}"
        );
    };
    check("GET", ("sec-fetch-site", "cross-site"), StatusCode::OK).await;
    check("POST", ("sec-fetch-site", "same-origin"), StatusCode::OK).await;
    check("POST", ("x-csrf-token", &csrf), StatusCode::OK).await;
    let passed = gateway.sample.seen().len();
    check(
        "POST",
        ("sec-fetch-site", "cross-site"),
        StatusCode::FORBIDDEN,
    )
    .await;
    check(
        "POST",
        ("sec-fetch-site", "same-site"),
        StatusCode::FORBIDDEN,
    )
    .await;
    check(
        "POST",
        ("origin", "https://evil.example"),
        StatusCode::FORBIDDEN,
    )
    .await;
    check("POST", ("accept", "*/*"), StatusCode::FORBIDDEN).await;
    check("POST", ("x-csrf-token", "0000"), StatusCode::FORBIDDEN).await;
    assert_eq!(gateway.sample.seen().len(), passed);
    let seen = gateway.sample.seen();
    assert!(
        seen[0].all("cookie").is_empty(),
        "our cookie went to the service"
    );
}

/// Sends bytes and returns the first line of the answer.
async fn raw(gateway: &Doorward, request: &[u8]) -> String {
    let mut stream = gateway.connect().await;
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is cut after the answer is as good as one that is closed.
    let _end = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    answer.lines().next().unwrap_or_default().to_owned()
}
