//! The dialect before a service, over the real binary.

use std::os::unix::fs::PermissionsExt as _;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;

use super::*;
use crate::gotrue::decoded;
use crate::support::doorward::{Doorward, PASSWORD as ADMIN_PASSWORD, Setup};

async fn gateway() -> Doorward {
    let more = r#"
[[dialects]]
shape = "actian"

[[routes]]
path = "/own/**"
require = "signed-in"
upstream = "sample"
forward_credentials = true
"#;
    Doorward::with(Setup {
        more: more.to_owned(),
        ..Setup::default()
    })
    .await
}

async fn token(gateway: &Doorward) -> String {
    let body = json!({ "password": ADMIN_PASSWORD });
    let login = gateway.post("/auth/admin/login", None, &body).await;
    login.json()["token"].as_str().unwrap().to_owned()
}

fn call(method: &str, path: &str, headers: Headers<'_>) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::default()).unwrap()
}

#[tokio::test]
async fn a_service_sees_who_calls_and_not_by_which_credential() {
    let gateway = gateway().await;
    let token = token(&gateway).await;
    let body = json!({ "name": "ci", "permission": "read" });
    let made = gateway.post("/auth/api_key", Some(&token), &body).await;
    let key = made.json()["api_key"].as_str().unwrap().to_owned();
    for credential in [&token, &key] {
        let bearer = format!("Bearer {credential}");
        let shown: [Headers<'_>; 3] = [
            &[("api-key", credential), ("api_key", "vdai_other")],
            &[("authorization", &bearer)],
            &[("api-key", credential), ("authorization", &bearer)],
        ];
        for headers in shown {
            let answer = gateway.send(call("GET", "/collections", headers)).await;
            assert_eq!(answer.status, 200, "{headers:?} {}", answer.text);
            let seen = gateway.sample.seen().pop().unwrap();
            assert!(seen.headers.contains_key("x-auth-subject"));
            for name in ["api-key", "api_key", "authorization"] {
                assert!(!seen.headers.contains_key(name), "{name}");
            }
        }
        let answer = gateway.send(call("GET", "/own/x", shown[2])).await;
        assert_eq!(answer.status, 200);
        let seen = gateway.sample.seen().pop().unwrap();
        assert_eq!(seen.headers["api-key"], **credential);
        assert_eq!(seen.headers["authorization"], bearer);
    }
}

#[tokio::test]
async fn what_is_refused_is_worded_for_these_clients_and_reaches_no_service() {
    let gateway = gateway().await;
    let token = token(&gateway).await;
    let body = json!({ "name": "reader", "permission": "read" });
    let made = gateway.post("/auth/api_key", Some(&token), &body).await;
    let reader = made.json()["api_key"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let nobody = "Sign in to go on.";
    let refused: [(&str, Headers<'_>, u16, &str); 8] = [
        ("GET", &[], 401, nobody),
        ("GET", &[("api-key", "vdai_none")], 401, nobody),
        ("GET", &[("api_key", &token)], 401, nobody),
        (
            "GET",
            &[("api-key", &reader), ("authorization", &bearer)],
            401,
            nobody,
        ),
        (
            "GET",
            &[("api-key", &token), ("authorization", "Bearer x")],
            401,
            nobody,
        ),
        (
            "GET",
            &[("api-key", &token), ("api-key", &token)],
            401,
            nobody,
        ),
        (
            "GET",
            &[("api-key", ""), ("authorization", &bearer)],
            401,
            nobody,
        ),
        (
            "POST",
            &[("api-key", &reader)],
            403,
            "You are signed in, but this is not for you.",
        ),
    ];
    for (method, headers, status, words) in refused {
        let answer = gateway.send(call(method, "/collections", headers)).await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?}");
        let expected = json!({ "time": 0.0, "status": { "error": words } });
        assert_eq!(answer.json(), expected);
    }
    // The login of the service itself is out of reach.
    for path in ["/auth/other", "/auth/admin/other", "/auth/enabled/x"] {
        let answer = gateway
            .send(call("GET", path, &[("api-key", &token)]))
            .await;
        assert_eq!(answer.status, 404);
    }
    assert!(gateway.sample.seen().is_empty());
}

#[tokio::test]
async fn the_secret_is_made_once_and_outlives_the_process() {
    let mut gateway = gateway().await;
    let before = token(&gateway).await;
    assert_eq!(decoded(&before).0["alg"], "HS256");
    let path = gateway.path("state/actian-jwt-secret");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let kept = std::fs::read_to_string(&path).unwrap();
    gateway.kill_and_start_again().await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), kept);
    // As soon as the new process has heard of the sessions.
    gateway.until(StatusCode::OK, ("/x", Some(&before))).await;
    assert!(!gateway.said().contains(&kept));
}

#[tokio::test]
async fn explain_finds_the_credential_where_the_gate_does() {
    let gateway = gateway().await;
    let token = token(&gateway).await;
    let body = json!({ "name": "ci", "permission": "read" });
    let made = gateway.post("/auth/api_key", Some(&token), &body).await;
    let key = made.json()["api_key"].as_str().unwrap().to_owned();
    let explain = |headers: &[String]| {
        let mut arguments = vec!["explain", "GET", "/collections"];
        arguments.extend(headers.iter().flat_map(|header| ["--header", header]));
        let output = gateway.command(&arguments, "");
        String::from_utf8(output.stdout).unwrap()
    };
    for credential in [&token, &key] {
        let said = explain(&[format!("api-key: {credential}")]);
        assert!(said.contains("verdict  allowed"), "{said}");
    }
    let two = [
        format!("api-key: {key}"),
        format!("Authorization: Bearer {token}"),
    ];
    let said = explain(&two);
    assert!(said.contains("more than one credential"), "{said}");
}
