//! `doorward explain` beside the gateway itself: both say the same of a request.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::json;

use crate::support::doorward::{Doorward, PASSWORD, Setup, USER};

/// One more route: for one network alone, in which no test is.
const NEARBY: &str = r#"
[[routes]]
path = "/nearby/**"
require = { networks = ["10.0.0.0/8"], signed_in = false }
upstream = "sample"

[[routes]]
path = "/shared/**"
require = "signed-in"
upstream = "sample"
allowed_origins = ["https://app.example.com"]
"#;

/// Sends the request and has it explained; both must end with `status`.
async fn check(gateway: &Doorward, (line, headers): (&str, &[&str]), status: u16) {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    let mut arguments = vec!["explain", method, path];
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, value);
        arguments.extend(["--header", header]);
    }
    let seen = gateway.sample.seen().len();
    let request = request.body(Full::<Bytes>::default()).unwrap();
    let answer = gateway.send(request).await;
    assert_eq!(answer.status, status, "{line} {headers:?}: {}", answer.text);
    let output = gateway.command(&arguments, "");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let verdict = match status {
        200 => "verdict  allowed\n".to_owned(),
        204 => "verdict  answered here, 204\n".to_owned(),
        refused => format!("verdict  refused, {refused}\n"),
    };
    assert!(text.contains(&verdict), "{line} {headers:?}: {text}");
    let forwarded = gateway.sample.seen().len() - seen;
    assert_eq!(forwarded, usize::from(status == 200), "{line} {headers:?}");
}

async fn gateway() -> Doorward {
    Doorward::with(Setup {
        more: NEARBY.to_owned(),
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn what_a_foreign_page_may_not_do_is_explained() {
    let gateway = gateway().await;
    let body = json!({ "login": USER, "password": PASSWORD });
    let signed_in = gateway.post("/.doorward/api/sign-in", None, &body).await;
    let token = signed_in.json()["csrf_token"].as_str().unwrap().to_owned();
    let token = format!("X-CSRF-Token: {token}");
    let cookies = signed_in.headers.get_all("set-cookie").iter();
    let mut cookies = cookies.map(|cookie| cookie.to_str().unwrap());
    let cookie = cookies.find(|cookie| cookie.starts_with("__Host-doorward="));
    let (cookie, _) = cookie.unwrap().split_once(';').unwrap();
    let cookie = format!("Cookie: {cookie}");
    let own = format!("Origin: https://localhost:{}", gateway.address.port());
    let (cookie, own) = (cookie.as_str(), own.as_str());
    let evil = "Origin: https://evil.example";
    for path in ["/api/x", "/public/x"] {
        let post = format!("POST {path}");
        check(&gateway, (&post, &[cookie, own]), 200).await;
        check(&gateway, (&post, &[cookie, evil]), 403).await;
        check(&gateway, (&post, &[cookie]), 403).await;
        check(&gateway, (&post, &[cookie, &token]), 200).await;
        check(&gateway, (&post, &[cookie, "X-CSRF-Token: x"]), 403).await;
        check(&gateway, (&format!("GET {path}"), &[cookie, evil]), 200).await;
    }
    let socket = ["Connection: upgrade", "Upgrade: websocket", cookie];
    check(&gateway, ("GET /api/x", &socket), 403).await;
}

#[tokio::test]
async fn a_credential_that_is_none_of_ours_is_explained() {
    let gateway = gateway().await;
    let basic = ["Authorization: Basic dTpw"];
    check(&gateway, ("GET /public/x", &basic), 200).await;
    check(&gateway, ("GET /nearby/x", &basic), 403).await;
    check(&gateway, ("GET /nearby/x", &[]), 403).await;
    check(&gateway, ("GET /api/x", &basic), 401).await;
    check(
        &gateway,
        ("GET /public/x", &["Authorization: Bearer x"]),
        401,
    )
    .await;
}

#[tokio::test]
async fn what_no_service_is_asked_is_explained() {
    let gateway = gateway().await;
    let user = gateway.sign_in(USER).await;
    let bearer = format!("Authorization: Bearer {}", user.access);
    check(&gateway, ("TRACE /public/x", &[]), 405).await;
    check(&gateway, ("TRACE /api/x", &[&bearer]), 405).await;
    check(&gateway, ("TRACE /api/x", &[]), 401).await;
    let preflight = [
        "Origin: https://app.example.com",
        "Access-Control-Request-Method: POST",
    ];
    check(&gateway, ("OPTIONS /shared/x", &preflight), 204).await;
    check(&gateway, ("OPTIONS /api/x", &preflight), 401).await;
}
