//! The real client against the real binary over TLS, before a service that stands in for PostgREST: it
//! checks tokens by the secret of the project, as that one does.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use super::keys::SERVICE;
use super::*;
use crate::support::doorward::{Doorward, Setup, USER as USER_EMAIL};

const SECRET: &str = "super-secret-jwt-token-with-at-least-32-characters-long";
const ANON: &str = "sb_publishable_key";
const APP: &str = "https://app.test";
/// Which one route lets in.
const OTHER_APP: &str = "https://reports.test";
const PAGE: &str = "https://app.test/welcome";

/// What the service was asked: the path, and the headers.
type Seen = Arc<Mutex<Vec<(String, HeaderMap)>>>;

struct Rest {
    address: SocketAddr,
    seen: Seen,
    _serving: AbortOnDropHandle<()>,
}

impl Rest {
    async fn start() -> Self {
        let seen = Seen::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(serve(listener, Arc::clone(&seen)));
        Self {
            address,
            seen,
            _serving: AbortOnDropHandle::new(serving),
        }
    }

    fn paths(&self) -> Vec<String> {
        let seen = self.seen.lock();
        seen.iter().map(|(path, _)| path.clone()).collect()
    }
}

async fn serve(listener: TcpListener, seen: Seen) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let seen = Arc::clone(&seen);
        let service = service_fn(move |request: Request<Incoming>| {
            let response = answer(&seen, request.uri(), request.headers());
            async { Ok::<_, Infallible>(response) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

/// A row of the caller, with the headers that PostgREST has.
fn answer(seen: &Seen, uri: &Uri, headers: &HeaderMap) -> Response {
    seen.lock().push((uri.path().to_owned(), headers.clone()));
    let claims = headers
        .get("authorization")
        .and_then(|value| verified(value.to_str().ok()?));
    let sub = claims.as_ref().map_or(Value::Null, |c| c["sub"].clone());
    let role = claims
        .as_ref()
        .map_or_else(|| json!("anon"), |c| c["role"].clone());
    let profile = headers.get("accept-profile").cloned();
    let mut response = axum::Json(json!([{ "id": sub, "role": role }])).into_response();
    let answered = response.headers_mut();
    answered.insert("content-range", "0-0/*".parse().unwrap());
    answered.insert("access-control-allow-origin", "*".parse().unwrap());
    if let Some(profile) = profile {
        answered.insert("content-profile", profile);
    }
    response
}

/// The claims of a Bearer token that the secret of the project has signed for `authenticated`.
fn verified(authorization: &str) -> Option<Value> {
    let token = authorization.strip_prefix("Bearer ")?;
    let (signed, signature) = token.rsplit_once('.')?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    hmac::verify(&key, signed.as_bytes(), &signature).ok()?;
    let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    (claims["aud"] == "authenticated").then_some(claims)
}

async fn start() -> (Doorward, Rest) {
    let rest = Rest::start().await;
    let more = format!(
        r#"
[users]
require_verified_email = true

[accounts]
sign_up = true
resend_after = "0s"

[mail]
file = "mails"
from = "Doorward <no-reply@example.com>"

[[dialects]]
shape = "supabase"
allowed_origins = ["{APP}"]
redirect_urls = ["{PAGE}"]
token_secret = {{ file = "jwt-secret" }}
api_keys = [{{ file = "anon-key" }}]
service_key = {{ file = "service-key" }}

[[upstreams]]
name = "rest"
servers = ["http://{}"]

[[routes]]
path = "/rest/v1/**"
require = "signed-in"
upstream = "rest"
forward_credentials = true

[[routes]]
path = "/rest/v1/countries"
require = "public"
upstream = "rest"
forward_credentials = true

[[routes]]
path = "/rest/v1/reports"
require = "public"
upstream = "rest"
allowed_origins = ["{OTHER_APP}"]

[[routes]]
host = "other.test"
path = "/rest/v1/open"
require = "public"
upstream = "rest"
allowed_origins = []
"#,
        rest.address
    );
    let files = [
        ("jwt-secret", SECRET),
        ("anon-key", ANON),
        ("service-key", SERVICE),
    ];
    let setup = Setup {
        more,
        files: files
            .map(|(name, text)| (name, format!("{text}\n")))
            .to_vec(),
        ..Setup::default()
    };
    (Doorward::with(setup).await, rest)
}

#[tokio::test]
async fn supabase_js_signs_in_refreshes_reads_and_signs_out() {
    let (gateway, rest) = start().await;
    let base = format!("https://localhost:{}", gateway.address.port());
    let output = tokio::process::Command::new("node")
        .arg("supabase.mjs")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients"))
        .env("NODE_EXTRA_CA_CERTS", gateway.path("ca.pem"))
        .env("BASE_URL", base)
        .env("EMAIL", USER_EMAIL)
        .env("PASSWORD", crate::support::doorward::PASSWORD)
        .env("ANON_KEY", ANON)
        .env("SERVICE_KEY", SERVICE)
        .env("APP", PAGE)
        .env("MAILS", gateway.path("mails"))
        .kill_on_drop(true)
        .output()
        .await
        .expect("node is installed: ./dev test does it");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    let seen = rest.seen.lock();
    let profiles: Vec<_> = seen
        .iter()
        .filter_map(|(_, headers)| headers.get("accept-profile"))
        .collect();
    assert!(profiles.iter().any(|profile| *profile == "users"));
    // Refused requests never came here.
    assert!(seen.iter().all(|(path, headers)| {
        let token = headers.get("authorization").unwrap().to_str().unwrap();
        path == "/rest/v1/countries" || verified(token).is_some()
    }));
}

fn from_page(method: &str, path: &str, headers: Headers<'_>) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::default()).unwrap()
}

#[tokio::test]
async fn pages_of_listed_origins_alone_call_services() {
    let (gateway, rest) = start().await;
    let allowed = "access-control-allow-origin";
    let preflight = async |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "PATCH"),
            ("access-control-request-headers", "apikey,x-own"),
        ];
        gateway
            .send(from_page("OPTIONS", "/rest/v1/users", &headers))
            .await
    };
    let answer = preflight(APP).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.headers[allowed], APP);
    assert_eq!(answer.headers["access-control-allow-methods"], "PATCH");
    assert_eq!(
        answer.headers["access-control-allow-headers"],
        "apikey,x-own"
    );
    let answer = preflight("https://evil.test").await;
    assert!(!answer.headers.contains_key(allowed));
    assert!(!answer.headers.contains_key("access-control-allow-methods"));
    assert!(rest.paths().is_empty());

    // What the service says of sharing does not count; and a refusal can be read by the page.
    let check = async |path: &str, origin: &str, status: u16, shared: Option<&str>| {
        let headers = [("origin", origin), ("apikey", ANON)];
        let answer = gateway.send(from_page("GET", path, &headers)).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
        let found = answer.headers.get(allowed);
        assert_eq!(found.map(|value| value.to_str().unwrap()), shared);
        answer
    };
    check("/rest/v1/countries", APP, 200, Some(APP)).await;
    check("/rest/v1/countries", "https://evil.test", 200, None).await;
    let seen = rest.paths();
    let refused = check("/rest/v1/users", APP, 401, Some(APP)).await;
    let expected = json!({
        "code": "PGRST302", "message": "Anonymous access is disabled", "details": null, "hint": null,
    });
    assert_eq!(refused.json(), expected);
    let status = "PostgREST; error=PGRST302";
    assert_eq!(refused.headers["proxy-status"], status);
    let kind = "application/json; charset=utf-8";
    assert_eq!(refused.headers["content-type"], kind);
    assert_eq!(rest.paths(), seen);
}

#[tokio::test]
async fn the_list_of_a_route_counts_in_the_place_of_that_of_the_dialect() {
    let (gateway, _rest) = start().await;
    let shared = async |place: (&str, &str), origin: &str| {
        let (host, path) = place;
        let headers = [("origin", origin), ("host", host)];
        let answer = gateway.send(from_page("GET", path, &headers)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let preflight = [
            ("origin", origin),
            ("host", host),
            ("access-control-request-method", "GET"),
        ];
        let preflight = gateway.send(from_page("OPTIONS", path, &preflight)).await;
        [answer, preflight].map(|answer| {
            let allowed = answer.headers.get("access-control-allow-origin");
            allowed.map(|origin| origin.to_str().unwrap().to_owned())
        })
    };
    let one = |origin: &str| [Some(origin.to_owned()), Some(origin.to_owned())];
    let reports = ("localhost", "/rest/v1/reports");
    assert_eq!(shared(reports, OTHER_APP).await, one(OTHER_APP));
    assert_eq!(shared(reports, APP).await, [None, None]);
    // What the service itself says is left as it is, and so is the preflight.
    let open = ("other.test", "/rest/v1/open");
    assert_eq!(shared(open, APP).await, one("*"));
}

#[tokio::test]
async fn the_key_of_an_app_is_nobody_on_proxied_routes() {
    let (gateway, rest) = start().await;
    let get = async |path: &str, headers: Headers<'_>| {
        gateway.send(from_page("GET", path, headers)).await
    };
    let key = bearer(ANON);
    let shown = [("authorization", key.as_str()), ("apikey", ANON)];
    let answer = get("/rest/v1/users", &shown).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["code"], "PGRST302");
    assert!(rest.paths().is_empty());
    let answer = get("/rest/v1/countries", &shown).await;
    assert_eq!(answer.status, 200);
    // A key beside the cookie of somebody who is signed in does not bring the cookie in.
    let tokens = gateway.sign_in(USER_EMAIL).await;
    let cookie = format!("__Host-doorward={}", tokens.access);
    let seen = rest.paths();
    let both = [("authorization", key.as_str()), ("cookie", cookie.as_str())];
    assert_eq!(get("/rest/v1/users", &both).await.status, 401);
    // The key that may do anything at the login is nobody's token either.
    let service = bearer(SERVICE);
    for path in ["/rest/v1/users", "/rest/v1/countries"] {
        let answer = get(path, &[("authorization", &service)]).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json()["code"], "PGRST301");
    }
    assert_eq!(rest.paths(), seen);
}

#[tokio::test]
async fn refusals_elsewhere_on_the_host_are_in_the_words_of_the_login() {
    let (gateway, _rest) = start().await;
    let answer = gateway.get("/admin/x", None).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["error_code"], "no_authorization");
    assert!(answer.headers.contains_key("www-authenticate"));
    assert!(gateway.sample.seen().is_empty());
    // No path of the login leads to a service.
    let answer = gateway.get("/auth/v1/passkeys", None).await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.json()["error_code"], "not_found");
    assert!(gateway.sample.seen().is_empty());
}
