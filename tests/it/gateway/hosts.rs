//! Routes of a host of their own, and what the gateway answers itself on every host.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;

use crate::support::doorward::{Answer, Doorward, PASSWORD, Setup, USER};

async fn gateway() -> Doorward {
    Doorward::with(Setup {
        more: r#"
[[routes]]
host = "app.test"
path = "/**"
require = "public"
upstream = "sample"

[[routes]]
host = "app.test"
path = "/.well-known/jwks.json"
require = "public"
upstream = "sample"

[[dialects]]
shape = "insforge"

[[dialects]]
shape = "supabase"
host = "*.below.test"

[[routes]]
host = "deep.below.test"
path = "/**"
require = "public"
upstream = "sample"
"#
        .to_owned(),
        ..Setup::default()
    })
    .await
}

async fn post(gateway: &Doorward, (host, path): (&str, &str), body: String) -> Answer {
    let request = Request::post(path)
        .header("host", host)
        .header("content-type", "application/json")
        .header("apikey", "anon");
    let body = Full::new(Bytes::from(body));
    gateway.send(request.body(body).unwrap()).await
}

#[tokio::test]
async fn a_route_for_all_of_a_host_takes_no_password_from_the_gateway() {
    let gateway = gateway().await;
    let login =
        |name: &str| format!(r#"{{"{name}":"{USER}","password":"{PASSWORD}","client":"native"}}"#);
    let ours = [
        ("app.test", "/.doorward/api/sign-in", "login"),
        ("app.test", "/api/auth/sessions?client_type=mobile", "email"),
        (
            "deep.below.test",
            "/api/auth/sessions?client_type=mobile",
            "email",
        ),
        (
            "deep.below.test",
            "/auth/v1/token?grant_type=password",
            "email",
        ),
    ];
    for (host, path, name) in ours {
        let answer = post(&gateway, (host, path), login(name)).await;
        assert_eq!(
            answer.status,
            StatusCode::OK,
            "{host}{path}: {}",
            answer.text
        );
        assert!(answer.text.contains("ey"), "{host}{path}: {}", answer.text);
    }
    assert!(gateway.sample.seen().is_empty());
    // What nobody but the route answers, and what it names itself, are the service's.
    for path in ["/anything", "/.well-known/jwks.json"] {
        let request = Request::get(path).header("host", "app.test");
        let answer = gateway.send(request.body(Full::default()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    assert_eq!(gateway.sample.seen().len(), 2);
}
