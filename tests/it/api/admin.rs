//! The Admin API over the core with real stores: who may, and what comes of each call.

use doorward::api_key::{KeyName, KeySubject, Kind, Scope, ServiceName};
use doorward::auth::api_keys::NewApiKey;
use doorward::limit::{Policy, Quota};
use doorward::user::{Role, User};

use super::*;
use crate::support::core::Setup;

mod api_keys;
mod foreign;
mod import;
mod sessions;
mod signing_keys;
mod trail;
mod users;

const ROOT: &str = "root@example.com";
const ADMIN: &str = "/.doorward/api/admin";

/// A gateway with an administrator who is signed in.
struct Site {
    api: Api,
    root: User,
    token: String,
}

/// A call with a credential.
#[derive(Clone, Copy)]
struct Call<'a> {
    method: &'a str,
    /// Below `/.doorward/api/admin`.
    path: &'a str,
    token: &'a str,
    /// `If-Match`, and `If-None-Match`.
    tags: [Option<&'a str>; 2],
}

impl Site {
    async fn start() -> Self {
        Self::of(Setup::default()).await
    }

    async fn of(setup: Setup) -> Self {
        let api = Api::over(Core::of(setup).await);
        let root = api.core.add_user(ROOT, PASSWORD, &["admin"]).await;
        let token = token(&api, ROOT).await;
        Self { api, root, token }
    }

    async fn send(&self, call: Call<'_>, body: Option<&Value>) -> Answer {
        let mut request = Request::builder()
            .method(call.method)
            .uri(format!("{ADMIN}/{}", call.path))
            .header("authorization", format!("Bearer {}", call.token));
        for (name, tag) in ["if-match", "if-none-match"].into_iter().zip(call.tags) {
            if let Some(tag) = tag {
                request = request.header(name, tag);
            }
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map(ToString::to_string).unwrap_or_default();
        self.api.call(request.body(body).unwrap()).await
    }

    /// As the administrator.
    async fn ask(&self, method: &str, path: &str) -> Answer {
        self.send(self.call(method, path), None).await
    }

    async fn tell(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(self.call(method, path), Some(body)).await
    }

    const fn call<'a>(&'a self, method: &'a str, path: &'a str) -> Call<'a> {
        Call {
            method,
            path,
            token: self.token.as_str(),
            tags: [None, None],
        }
    }

    async fn patch(&self, user: &str, tag: &str, body: &Value) -> Answer {
        let path = format!("users/{user}");
        let tags = [Some(tag), None];
        let call = Call {
            tags,
            ..self.call("PATCH", &path)
        };
        self.send(call, Some(body)).await
    }

    /// The status and the code of an answer to the administrator.
    async fn refusal(&self, method: &str, path: &str) -> (u16, String) {
        refusal(&self.ask(method, path).await)
    }

    /// A key of a service with these roles and scopes.
    async fn key(&self, roles: &[&str], scopes: &[&str]) -> String {
        let new = NewApiKey {
            kind: Kind::Doorward,
            name: KeyName::parse("robot").unwrap(),
            subject: KeySubject::Service(ServiceName::parse("robot").unwrap()),
            roles: roles.iter().map(|r| Role::parse(r).unwrap()).collect(),
            scopes: scopes.iter().map(|s| Scope::parse(s).unwrap()).collect(),
            expires_at: None,
        };
        let made = self.api.core.api_keys.create(new).await.unwrap();
        made.text.expose().to_owned()
    }

    /// Whether a token is still good.
    async fn is_good(&self, token: &str) -> bool {
        let path = "/.doorward/api/session";
        self.api.bearer("GET", path, token).await.status == StatusCode::OK
    }
}

async fn token(api: &Api, login: &str) -> String {
    let answer = api.sign_in(login, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body["access_token"].as_str().unwrap().to_owned()
}

fn refusal(answer: &Answer) -> (u16, String) {
    let code = answer.body["code"].as_str().unwrap_or_default();
    (answer.status.as_u16(), code.to_owned())
}

fn tag(answer: &Answer) -> String {
    answer.headers["etag"].to_str().unwrap().to_owned()
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Every endpoint, with ids of nothing.
fn endpoints() -> impl Iterator<Item = (&'static str, String)> {
    let id = "00000000-0000-7000-8000-000000000000";
    let own = |path: &str| path.starts_with(ADMIN) && !path.ends_with("sign-in");
    let routes = api::ROUTES.iter().filter(move |(_, path)| own(path));
    routes.map(move |(method, path)| {
        let path = path.replace("{id}", id).replace("{role}", "editor");
        let below = path.strip_prefix(ADMIN).unwrap();
        (*method, below.trim_start_matches('/').to_owned())
    })
}

#[tokio::test]
async fn only_administrators_are_let_in() {
    let site = Site::start().await;
    site.api.core.add_user(ALICE, PASSWORD, &["editor"]).await;
    let user = token(&site.api, ALICE).await;
    let plain = site.key(&["editor"], &[]).await;
    let manager = site.key(&[], &["read", "write", "admin"]).await;
    let reader = site.key(&["admin"], &["read"]).await;
    let all = site.key(&["admin"], &["read", "write", "admin"]).await;
    for (method, path) in endpoints() {
        let method = method.to_uppercase();
        let with = async |token: &str| {
            let call = site.call(&method, &path);
            let answer = site.send(Call { token, ..call }, Some(&json!({}))).await;
            (answer.status.as_u16(), method.clone(), path.clone())
        };
        let expected = |status: u16| (status, method.clone(), path.clone());
        assert_eq!(with("junk").await, expected(401));
        assert_eq!(with("dwk_junk").await, expected(401));
        for token in [&user, &plain, &manager] {
            assert_eq!(with(token).await, expected(403));
        }
        let (as_reader, as_all) = (with(&reader).await, with(&all).await);
        assert_eq!(as_reader.0 == 403, method != "GET", "{as_reader:?}");
        assert!(![401, 403].contains(&as_all.0), "{as_all:?}");
        let nobody = Request::builder()
            .method(method.as_str())
            .uri(format!("{ADMIN}/{path}"));
        let nobody = site.api.call(nobody.body(String::new()).unwrap()).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
}

#[tokio::test]
async fn a_cookie_counts_from_pages_of_this_origin_alone() {
    let site = Site::start().await;
    let body = json!({ "login": ROOT, "password": PASSWORD });
    let signed_in = site.api.post("/.doorward/api/sign-in", &body).await;
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let check = async |method: &str, (name, value): (&str, &str), expected: u16| {
        let request = Request::builder()
            .method(method)
            .uri(format!("{ADMIN}/users"))
            .header("cookie", &cookie)
            .header("content-type", "application/json")
            .header(name, value);
        let body = json!({ "email": format!("{value}@example.com") }).to_string();
        let answer = site.api.call(request.body(body).unwrap()).await;
        assert_eq!(answer.status.as_u16(), expected, "{method} {name}: {value}");
    };
    check("POST", ("sec-fetch-site", "cross-site"), 403).await;
    check("POST", ("accept", "any"), 403).await;
    check("POST", ("sec-fetch-site", "same-origin"), 201).await;
    let csrf = signed_in.body["csrf_token"].as_str().unwrap();
    check("POST", ("x-csrf-token", csrf), 201).await;
    check("GET", ("accept", "any"), 200).await;
}

#[tokio::test]
async fn who_is_an_administrator_no_longer_is_refused_at_once() {
    let site = Site::start().await;
    let other = site.api.core.add_user(ALICE, PASSWORD, &["admin"]).await;
    let token = token(&site.api, ALICE).await;
    let as_other = Call {
        token: &token,
        ..site.call("GET", "users")
    };
    assert_eq!(site.send(as_other, None).await.status, StatusCode::OK);
    // Behind the back of the sessions: the token still says that its bearer is one.
    let change = UserChange::Roles([Role::parse("editor").unwrap()].into_iter().collect());
    site.api.core.users.change(other.id, change).await.unwrap();
    assert!(site.is_good(&token).await);
    let refused = site.send(as_other, None).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
}

#[tokio::test]
async fn what_nobody_knows_is_refused_by_name() {
    let site = Site::start().await;
    let parameters = site.ask("GET", "users?limit=0&colour=red&role=A").await;
    assert_eq!(refusal(&parameters), is(400, "invalid_parameters"));
    let places = |answer: &Answer, kind: &str| -> Vec<String> {
        let errors = answer.body["errors"].as_array().unwrap().iter();
        let place = |error: &Value| error[kind].as_str().unwrap().to_owned();
        errors.map(place).collect()
    };
    assert_eq!(
        places(&parameters, "parameter"),
        ["role", "limit", "colour"]
    );
    let body = json!({ "email": 7, "roles": ["a", "B"], "hash": "$argon2id$", "a/b~": 1 });
    let fields = site.tell("POST", "users", &body).await;
    assert_eq!(refusal(&fields), is(422, "invalid_fields"));
    let expected = ["/email", "/roles", "/a~1b~0", "/hash"];
    assert_eq!(places(&fields, "pointer"), expected);
    let nothing = site.tell("POST", "api-keys", &json!({})).await;
    assert_eq!(places(&nothing, "pointer"), ["/name", "/user"]);
    let twice = site.ask("GET", "audit?user=a&user=b").await;
    assert_eq!(places(&twice, "parameter"), ["user"]);
    let large = json!({ "email": ALICE, "profile": { "x": "x".repeat(70_000) } });
    let large = site.tell("POST", "users", &large).await;
    assert_eq!(refusal(&large), is(413, "too_large"));
    let no_object = site.tell("POST", "users", &json!([1])).await;
    assert_eq!(refusal(&no_object), is(400, "malformed"));
    // A list of its fields in their order is no body of the older endpoints either.
    let list = json!([ALICE]);
    let resend = "/.doorward/api/verify-email/resend";
    let list = site.api.post(resend, &list).await;
    assert_eq!(refusal(&list), is(400, "malformed"));
    let form = Request::post(format!("{ADMIN}/users"))
        .header("authorization", format!("Bearer {}", site.token))
        .header("content-type", "text/plain");
    let form = site.api.call(form.body("{}".to_owned()).unwrap()).await;
    assert_eq!(refusal(&form), is(415, "not_json"));
}

#[tokio::test]
async fn keys_that_are_none_come_too_soon_and_good_ones_never() {
    let mut limits = Policy::off();
    limits.api_key.address = Quota::parse("2/1m");
    let site = Site::of(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    let good = site.key(&["admin"], &[]).await;
    let with = async |token: &str| {
        let call = site.call("GET", "users");
        site.send(Call { token, ..call }, None).await
    };
    for _ in 0..2 {
        assert_eq!(with("dwk_junk").await.status, StatusCode::UNAUTHORIZED);
    }
    let limited = with("dwk_junk").await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(limited.headers.contains_key("retry-after"));
    for _ in 0..5 {
        assert_eq!(with(&good).await.status, StatusCode::OK);
    }
    assert_eq!(with("junk").await.status, StatusCode::UNAUTHORIZED);
}
