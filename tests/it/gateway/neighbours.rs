//! A route that serves the clients of several dialects, on hosts and below prefixes of theirs: each meets
//! its own there.

use http::Request;
use http_body_util::Full;
use serde_json::Value;

use crate::support::doorward::{Answer, Doorward, Setup};

const APP: &str = "https://app.example.com";

/// None of its routes names a host.
async fn gateway() -> Doorward {
    let more = format!(
        r#"
[[dialects]]
shape = "vaniyk"
prefix = "/shop"

[[dialects]]
shape = "supabase"
host = "*.sup.test"

[[dialects]]
shape = "insforge"
host = "ins.test"
allowed_origins = ["{APP}"]
api_keys = [{{ file = "anon-key" }}]
"#
    );
    let setup = Setup {
        more,
        files: vec![("anon-key", "anon_of_the_app\n".to_owned())],
        ..Setup::default()
    };
    Doorward::with(setup).await
}

async fn ask(gateway: &Doorward, place: (&str, &str), more: &[(&str, &str)]) -> Answer {
    let (host, path) = place;
    let method = if more.len() > 1 { "OPTIONS" } else { "GET" };
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", host);
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    gateway.send(request.body(Full::default()).unwrap()).await
}

#[tokio::test]
async fn refusals_are_in_the_words_of_the_dialect_that_the_request_is_for() {
    let gateway = gateway().await;
    for (place, member) in [
        (("ins.test", "/api/x"), "/nextActions"),
        (("a.sup.test", "/x"), "/error_code"),
        (("a.b.sup.test", "/rest/v1/x"), "/hint"),
        (("a.sup.test", "/shop/x"), "/error_code"),
        (("other.test", "/shop/x"), "/error"),
        (("other.test", "/shop"), "/error"),
        (("other.test", "/shopping"), "/title"),
        (("sup.test", "/x"), "/title"),
        (("other.test", "/rest/v1/x"), "/title"),
    ] {
        let refused = ask(&gateway, place, &[]).await;
        assert_eq!(refused.status, 401, "{place:?}");
        let body: Value = serde_json::from_str(&refused.text).unwrap();
        assert!(body.pointer(member).is_some(), "{place:?}: {body}");
        let is_problem = refused.headers["content-type"] == "application/problem+json";
        assert_eq!(is_problem, member == "/title", "{place:?}");
    }
    assert!(gateway.sample.seen().is_empty());
}

#[tokio::test]
async fn pages_and_keys_of_the_apps_of_a_dialect_count_on_its_host_alone() {
    let gateway = gateway().await;
    let key = [("authorization", "Bearer anon_of_the_app")];
    let preflight = [("origin", APP), ("access-control-request-method", "GET")];
    for (host, status, allows) in [("ins.test", 200, true), ("other.test", 401, false)] {
        let answer = ask(&gateway, (host, "/public/x"), &key).await;
        assert_eq!(answer.status, status, "{host}");
        let answer = ask(&gateway, (host, "/api/x"), &preflight).await;
        let allowed = answer.headers.get("access-control-allow-origin");
        assert_eq!(allowed.is_some(), allows, "{host}");
    }
}

#[tokio::test]
async fn a_dialect_says_of_itself_where_its_host_is() {
    let setup = Setup {
        more: "[[dialects]]\nshape = \"supabase\"\nhost = \"sup.test\"\n".to_owned(),
        ..Setup::default()
    };
    let gateway = Doorward::with(setup).await;
    let about = "/auth/v1/.well-known/openid-configuration";
    let told = ask(&gateway, ("sup.test", about), &[]).await;
    let told: Value = serde_json::from_str(&told.text).unwrap();
    for (member, path) in [
        ("issuer", "/auth/v1"),
        ("token_endpoint", "/auth/v1/token"),
        ("jwks_uri", "/auth/v1/.well-known/jwks.json"),
    ] {
        let url: url::Url = told[member].as_str().unwrap().parse().unwrap();
        assert_eq!((url.host_str(), url.path()), (Some("sup.test"), path));
    }
}
