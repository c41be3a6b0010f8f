//! The login API over the core with real stores, and against its own description.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use doorward::api;
use doorward::auth::EmailRule;
use doorward::id::RequestId;
use doorward::path::NormalPath;
use doorward::user::{AccountStatus, EmailStatus};
use doorward::users::UserChange;
use doorward::wire::context::RequestContext;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::core::Core;

mod accounts;
mod admin;
mod cross_site;

const ALICE: &str = "alice@example.com";
const PASSWORD: &str = "correct horse battery";

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

struct Api {
    core: Core,
    router: Router,
}

impl Api {
    async fn start(rule: EmailRule) -> Self {
        Self::over(Core::with(rule).await)
    }

    fn over(core: Core) -> Self {
        let router = api::router(core.auth.clone());
        Self { core, router }
    }

    /// Calls an endpoint; every answer is held to the description.
    async fn call(&self, request: Request<String>) -> Answer {
        let (mut parts, body) = request.into_parts();
        let path = NormalPath::parse(parts.uri.path()).unwrap();
        parts.extensions.insert(RequestContext {
            request_id: RequestId::from_bytes([7; 16]),
            client: "192.0.2.1".parse().unwrap(),
            host: "gw.test".into(),
            path,
        });
        let method = parts.method.as_str().to_lowercase();
        let path = parts.uri.path().to_owned();
        let request = Request::from_parts(parts, Body::from(body));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        assert_described(&method, &path, parts.status);
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(post(path).body(body.to_string()).unwrap()).await
    }

    async fn sign_in(&self, login: &str, password: &str) -> Answer {
        let body = json!({ "login": login, "password": password, "client": "native" });
        self.post("/.doorward/api/sign-in", &body).await
    }

    async fn bearer(&self, method: &str, path: &str, token: &str) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {token}"));
        self.call(request.body(String::new()).unwrap()).await
    }
}

fn post(path: &str) -> http::request::Builder {
    Request::post(path).header("content-type", "application/json")
}

fn description() -> Value {
    serde_json::from_str(api::OPENAPI).unwrap()
}

fn assert_described(method: &str, path: &str, status: StatusCode) {
    let template = template_of(path);
    let described = &description()["paths"][template][method]["responses"][status.as_str()];
    assert!(
        described.is_object(),
        "{method} {path}: {status} is not described"
    );
}

/// The path of the description that this one is: itself, or with names in the place of some segments.
fn template_of(path: &str) -> &'static str {
    let mut templates = api::ROUTES.iter().map(|(_, template)| *template);
    let literal = templates.clone().find(|template| *template == path);
    let fits = |template: &&str| {
        let (named, given) = (template.split('/'), path.split('/'));
        let same = |(name, text): (&str, &str)| name == text || name.starts_with('{');
        named.clone().count() == given.clone().count() && named.zip(given).all(same)
    };
    literal.or_else(|| templates.find(fits)).expect(path)
}

#[test]
fn every_route_is_described_and_every_description_is_a_route() {
    let description = description();
    let mut described = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            described.insert((method.clone(), path.clone()));
        }
    }
    let routes = api::ROUTES
        .iter()
        .map(|(method, path)| ((*method).into(), (*path).into()));
    assert_eq!(described, routes.collect());
}

#[tokio::test]
async fn every_route_is_answered() {
    let api = Api::start(EmailRule::MayBeUnverified).await;
    for (method, path) in api::ROUTES {
        let path = path.replace("{id}", "x").replace("{role}", "x");
        let request = Request::builder()
            .method(method.to_uppercase().as_str())
            .uri(&path);
        let answer = api.call(request.body(String::new()).unwrap()).await;
        assert_ne!(
            answer.status,
            StatusCode::METHOD_NOT_ALLOWED,
            "{method} {path}"
        );
        assert_ne!(answer.body["code"], "not_found", "{method} {path}");
    }
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_are_one_answer() {
    let api = Api::start(EmailRule::MayBeUnverified).await;
    api.core.add_user(ALICE, PASSWORD, &[]).await;
    let wrong = api.sign_in(ALICE, "wrong").await;
    let unknown = api.sign_in("bob@example.com", PASSWORD).await;
    let no_login = api.sign_in("not a login", PASSWORD).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    for other in [unknown, no_login] {
        assert_eq!((other.status, &other.body), (wrong.status, &wrong.body));
        assert_eq!(other.headers, wrong.headers);
    }
}

#[tokio::test]
async fn the_right_password_is_not_always_enough() {
    let api = Api::start(EmailRule::MustBeVerified).await;
    let user = api.core.add_user(ALICE, PASSWORD, &[]).await;
    let admin = json!({ "login": ALICE, "password": PASSWORD });
    let refused = api.post("/.doorward/api/admin/sign-in", &admin).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (StatusCode::FORBIDDEN, &"not_an_admin".into())
    );
    let change = UserChange::EmailStatus(EmailStatus::Unverified);
    api.core.users.change(user.id, change).await.unwrap();
    assert_eq!(
        api.sign_in(ALICE, PASSWORD).await.body["code"],
        "email_not_verified"
    );
    let change = UserChange::Status(AccountStatus::Disabled);
    api.core.users.change(user.id, change).await.unwrap();
    assert_eq!(
        api.sign_in(ALICE, PASSWORD).await.body["code"],
        "account_disabled"
    );
    // Who does not know the password learns none of this.
    assert_eq!(
        api.sign_in(ALICE, "wrong").await.body["code"],
        "invalid_credentials"
    );
}

#[tokio::test]
async fn a_browser_gets_cookies_and_no_token_in_the_body() {
    let api = Api::start(EmailRule::MayBeUnverified).await;
    api.core.add_user(ALICE, PASSWORD, &[]).await;
    let body = json!({ "email": ALICE, "password": PASSWORD, "remember": true });
    let answer = api.post("/.doorward/api/sign-in", &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(answer.body["access_token"].is_null() && answer.body["refresh_token"].is_null());
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    let attributes = |index: usize| cookies[index].to_str().unwrap().split_once("; ").unwrap().1;
    assert_eq!(
        attributes(0),
        "Path=/; Max-Age=900; HttpOnly; Secure; SameSite=Lax"
    );
    assert_eq!(
        attributes(1),
        "Path=/.doorward/api; Max-Age=604800; HttpOnly; Secure; SameSite=Strict"
    );
    let refresh = cookies[1].to_str().unwrap().split(';').next().unwrap();
    let ask = |header: &str, value: &str| {
        Request::post("/.doorward/api/refresh")
            .header("cookie", refresh)
            .header(header, value)
    };
    let check = async |header: &str, value: &str, expected: StatusCode| {
        let answer = api
            .call(ask(header, value).body(String::new()).unwrap())
            .await;
        assert_eq!(answer.status, expected, "{header}: {value}");
    };
    check("sec-fetch-site", "cross-site", StatusCode::FORBIDDEN).await;
    check("accept", "*/*", StatusCode::FORBIDDEN).await;
    check(
        "x-csrf-token",
        answer.body["csrf_token"].as_str().unwrap(),
        StatusCode::OK,
    )
    .await;
    check("sec-fetch-site", "same-origin", StatusCode::OK).await;
    // A token out of a cookie is not good in a body.
    let text = refresh.split_once('=').unwrap().1;
    let stolen = api
        .post("/.doorward/api/refresh", &json!({ "refresh_token": text }))
        .await;
    assert_eq!(stolen.status, StatusCode::UNAUTHORIZED);
}

/// The attributes of the two cookies, and the hours until the session ends: unless it is refreshed, and
/// in any case.
fn kept(answer: &Answer) -> ([String; 2], [i64; 2]) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let mut cookies = answer.headers.get_all("set-cookie").iter();
    let mut attributes = || {
        let cookie = cookies.next().unwrap().to_str().unwrap();
        cookie.split_once("; ").unwrap().1.to_owned()
    };
    let session = &answer.body["session"];
    let time = |name: &str| -> jiff::Timestamp { session[name].as_str().unwrap().parse().unwrap() };
    let hours = |name| time("refreshed_at").duration_until(time(name)).as_hours();
    let hours = [hours("expires_at"), hours("ends_at")];
    ([attributes(), attributes()], hours)
}

#[tokio::test]
async fn who_asks_to_be_remembered_is_when_the_browser_is_closed_and_longer() {
    let api = Api::start(EmailRule::MayBeUnverified).await;
    api.core.add_user(ALICE, PASSWORD, &[]).await;
    let check = async |remember: Option<bool>, ages: [&str; 2], hours: [i64; 2]| {
        let mut body = json!({ "login": ALICE, "password": PASSWORD });
        if let Some(remember) = remember {
            body["remember"] = remember.into();
        }
        let expected = [
            format!("Path=/; {}HttpOnly; Secure; SameSite=Lax", ages[0]),
            format!(
                "Path=/.doorward/api; {}HttpOnly; Secure; SameSite=Strict",
                ages[1]
            ),
        ];
        let signed_in = api.post("/.doorward/api/sign-in", &body).await;
        assert_eq!(kept(&signed_in), (expected.clone(), hours), "{remember:?}");

        let cookie = signed_in.headers.get_all("set-cookie").iter().nth(1);
        let cookie = cookie.unwrap().to_str().unwrap().split(';').next().unwrap();
        let refresh = Request::post("/.doorward/api/refresh")
            .header("cookie", cookie)
            .header("origin", "https://gw.test");
        let refreshed = api.call(refresh.body(String::new()).unwrap()).await;
        assert_eq!(kept(&refreshed), (expected, hours), "{remember:?}");
    };
    check(None, ["", ""], [12, 7 * 24]).await;
    check(Some(false), ["", ""], [12, 7 * 24]).await;
    let ages = ["Max-Age=900; ", "Max-Age=604800; "];
    check(Some(true), ages, [7 * 24, 30 * 24]).await;
}

#[tokio::test]
async fn no_token_outlives_the_end_of_its_session() {
    let api = Api::start(EmailRule::MayBeUnverified).await;
    api.core.add_user(ALICE, PASSWORD, &[]).await;
    let body = json!({ "login": ALICE, "password": PASSWORD });
    let signed_in = api.post("/.doorward/api/sign-in", &body).await;
    assert_eq!(signed_in.body["expires_in"], 900);
    let refresh = async |answer: &Answer| {
        let cookies: Vec<_> = answer
            .headers
            .get_all("set-cookie")
            .iter()
            .map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap())
            .collect();
        let refresh = Request::post("/.doorward/api/refresh")
            .header("cookie", cookies.join("; "))
            .header("origin", "https://gw.test");
        api.call(refresh.body(String::new()).unwrap()).await
    };
    // Always before twelve hours are over, and for seven days but five minutes.
    let mut newest = signed_in;
    for _ in 0..21 {
        api.core
            .clock
            .advance(Duration::from_hours(8) - Duration::from_secs(15));
        newest = refresh(&newest).await;
        assert_eq!(newest.status, StatusCode::OK, "{}", newest.body);
    }
    // The leeway of tokens, half a minute, is not given beyond the end.
    assert_eq!(newest.body["expires_in"], 21 * 15 - 30);
    assert_eq!(
        newest.body["session"]["expires_at"],
        newest.body["session"]["ends_at"]
    );
    api.core.clock.advance(Duration::from_secs(21 * 15));
    let over = refresh(&newest).await;
    assert_eq!(
        (over.status, &over.body["code"]),
        (StatusCode::UNAUTHORIZED, &"session_ended".into())
    );
}

/// Who plants a session in a browser does not share the one that its user then makes.
#[tokio::test]
async fn a_sign_in_beside_a_session_makes_another_session() {
    let api = Api::start(EmailRule::MayBeUnverified).await;
    api.core.add_user(ALICE, PASSWORD, &[]).await;
    let body = json!({ "login": ALICE, "password": PASSWORD });
    let planted = api.post("/.doorward/api/sign-in", &body).await;
    let pair = |cookie: &HeaderValue| {
        cookie
            .to_str()
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned()
    };
    let cookies = |answer: &Answer| -> Vec<String> {
        let cookies = answer.headers.get_all("set-cookie").iter();
        cookies.map(pair).collect()
    };
    let beside = post("/.doorward/api/sign-in").header("cookie", cookies(&planted).join("; "));
    let own = api.call(beside.body(body.to_string()).unwrap()).await;
    assert_eq!(own.status, StatusCode::OK, "{}", own.body);
    assert_ne!(own.body["session"]["id"], planted.body["session"]["id"]);
    let both = cookies(&own);
    assert!(
        !both.is_empty()
            && both
                .iter()
                .all(|cookie| !cookies(&planted).contains(cookie))
    );
}

#[tokio::test]
async fn only_json_from_a_page_of_this_site_signs_a_browser_in() {
    let api = Api::start(EmailRule::MayBeUnverified).await;
    api.core.add_user(ALICE, PASSWORD, &[]).await;
    let body = json!({ "login": ALICE, "password": PASSWORD }).to_string();
    let form = Request::post("/.doorward/api/sign-in").header("content-type", "text/plain");
    let answer = api.call(form.body(body.clone()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let foreign = post("/.doorward/api/sign-in").header("origin", "https://evil.example");
    let answer = api.call(foreign.body(body).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let large = json!({ "login": "x".repeat(70_000), "password": "" });
    let answer = api.post("/.doorward/api/sign-in", &large).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let malformed = post("/.doorward/api/sign-in")
        .body(format!("{{\"password\": \"{PASSWORD}\""))
        .unwrap();
    let answer = api.call(malformed).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(!answer.body.to_string().contains(PASSWORD));
}

#[tokio::test]
async fn a_user_sees_and_ends_their_own_sessions_alone() {
    let api = Api::start(EmailRule::MayBeUnverified).await;
    api.core.add_user(ALICE, PASSWORD, &[]).await;
    api.core.add_user("bob@example.com", PASSWORD, &[]).await;
    let (one, two) = (
        api.sign_in(ALICE, PASSWORD).await,
        api.sign_in("alice", PASSWORD).await,
    );
    let bob = api.sign_in("bob@example.com", PASSWORD).await;
    let token = |answer: &Answer| answer.body["access_token"].as_str().unwrap().to_owned();
    let session = |answer: &Answer| {
        format!(
            "/.doorward/api/sessions/{}",
            answer.body["session"]["id"].as_str().unwrap()
        )
    };
    let list = api
        .bearer("GET", "/.doorward/api/sessions", &token(&one))
        .await;
    assert_eq!(list.body["sessions"].as_array().unwrap().len(), 2);
    let foreign = api.bearer("DELETE", &session(&bob), &token(&one)).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let ended = api.bearer("DELETE", &session(&two), &token(&one)).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    let current = |answer: &Answer| {
        let token = token(answer);
        let api = &api;
        async move {
            api.bearer("GET", "/.doorward/api/session", &token)
                .await
                .status
        }
    };
    assert_eq!(current(&two).await, StatusCode::UNAUTHORIZED);
    assert_eq!(current(&one).await, StatusCode::OK);
    assert_eq!(current(&bob).await, StatusCode::OK);
}
