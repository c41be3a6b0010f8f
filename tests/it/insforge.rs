//! The `InsForge` dialect over the real core: what its clients send, and what they must get back.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use doorward::auth::account::rules::{Deliveries, Delivery, Disclosure, LinkTemplate, SignUpRule};
use doorward::auth::{AccountRules, EmailRule};
use doorward::dialect::gotrue::ApiKeys;
use doorward::dialect::{Mount, Shape};
use doorward::id::RequestId;
use doorward::path::NormalPath;
use doorward::secret::SecretText;
use doorward::user::{EmailStatus, User};
use doorward::users::UserChange;
use doorward::wire::context::RequestContext;
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::core::{Core, ORIGIN, Setup};
use crate::support::mailbox::digits;

mod accounts;
mod answers;
mod cookies;
mod errors;
mod keys;
mod links;
mod profiles;
mod seed;
mod sessions;
mod users;

const EMAIL: &str = "ann@example.com";
const ADMIN: &str = "root@example.com";
const PASSWORD: &str = "correct horse battery";
const APP: &str = "https://app.test";
const NEW: &str = "new@example.com";
const ANON: &str = "anon_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const USERS: &str = "/api/auth/users";

/// The dialect over a core with one user and one admin.
struct Dialect {
    core: Core,
    router: Router,
    user: User,
    admin: User,
}

/// A call as a client makes it.
#[derive(Clone, Copy, Default)]
struct Call<'a> {
    bearer: Option<&'a str>,
    api_key: Option<&'a str>,
    cookie: Option<&'a str>,
    csrf: &'a [&'a str],
    origin: Option<&'a str>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    json: Value,
}

impl Dialect {
    async fn start() -> Self {
        Self::over(Core::start().await).await
    }

    /// Where anybody may sign up; with or without a proof of the address.
    async fn open(email_rule: EmailRule) -> Self {
        Self::ruled(email_rule, rules()).await
    }

    async fn ruled(email_rule: EmailRule, accounts: AccountRules) -> Self {
        let setup = Setup {
            email_rule,
            accounts,
            ..Setup::default()
        };
        Self::over(Core::of(setup).await).await
    }

    /// Where apps carry a key.
    async fn with_key() -> Self {
        let setup = Setup {
            accounts: rules(),
            ..Setup::default()
        };
        let keys = ApiKeys {
            public: vec![SecretText::from(ANON)],
            service: None,
        };
        Self::mounted(Core::of(setup).await, keys).await
    }

    async fn over(core: Core) -> Self {
        Self::mounted(core, ApiKeys::default()).await
    }

    async fn mounted(core: Core, keys: ApiKeys) -> Self {
        let user = core.add_user(EMAIL, PASSWORD, &[]).await;
        let admin = core.add_user(ADMIN, PASSWORD, &["admin"]).await;
        let mount = Mount {
            allowed_origins: vec![APP.parse().unwrap()],
            base: ORIGIN.to_owned(),
            keys,
            ..Mount::default()
        };
        let router = Shape::InsForge.router(core.auth.clone(), &mount);
        Self {
            core,
            router,
            user,
            admin,
        }
    }

    async fn post(&self, target: &str, body: Value, call: Call<'_>) -> Answer {
        self.call(Method::POST, (target, body), call).await
    }

    /// Any method with a body.
    async fn call(&self, method: Method, (target, body): (&str, Value), call: Call<'_>) -> Answer {
        let request = call
            .request(method, target)
            .header("content-type", "application/json;charset=UTF-8")
            .body(Body::from(body.to_string()));
        self.send(request.unwrap()).await
    }

    /// No body and no content type, as the clients refresh and log out.
    async fn post_empty(&self, target: &str, call: Call<'_>) -> Answer {
        let request = call.request(Method::POST, target).body(Body::empty());
        self.send(request.unwrap()).await
    }

    async fn get(&self, target: &str, call: Call<'_>) -> Answer {
        let request = call.request(Method::GET, target).body(Body::empty());
        self.send(request.unwrap()).await
    }

    async fn send(&self, mut request: Request<Body>) -> Answer {
        let path = NormalPath::parse(request.uri().path()).unwrap();
        let now = doorward::clock::Clock::now(&*self.core.clock);
        request.extensions_mut().insert(RequestContext {
            request_id: RequestId::new(now),
            client: Ipv4Addr::new(192, 0, 2, 7).into(),
            host: "gw.test".into(),
            path,
        });
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            json: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }

    async fn sign_in(&self, query: &str) -> Answer {
        let target = format!("/api/auth/sessions{query}");
        let body = json!({"email": EMAIL, "password": PASSWORD});
        let answer = self.post(&target, body, Call::default()).await;
        answer.expect(StatusCode::OK)
    }

    async fn admin_sign_in(&self) -> Answer {
        let body = json!({"username": "root", "password": PASSWORD});
        let target = "/api/auth/admin/sessions";
        let answer = self.post(target, body, Call::default()).await;
        answer.expect(StatusCode::OK)
    }

    /// Signs up, and takes the code out of the mail.
    async fn sign_up_to_verify(&self) -> String {
        let body = json!({"email": NEW, "password": PASSWORD});
        let answer = self.post(USERS, body, Call::default()).await;
        let answer = answer.expect(StatusCode::OK);
        let expected = json!({"accessToken": null, "requireEmailVerification": true});
        assert_eq!(answer.json, expected);
        digits(&self.core.mails.next().await.text)
    }

    /// Asks for a code that sets a password, and takes it out of the mail.
    async fn reset_code(&self) -> String {
        let target = "/api/auth/email/send-reset-password";
        let body = json!({"email": EMAIL});
        let answer = self.post(target, body, Call::default()).await;
        answer.accepted();
        digits(&self.core.mails.next().await.text)
    }

    /// Whether the access token still opens something.
    async fn is_live(&self, access_token: &str) -> bool {
        let call = Call {
            bearer: Some(access_token),
            ..Call::default()
        };
        let answer = self.get("/api/auth/sessions/current", call).await;
        answer.status == StatusCode::OK
    }
}

impl Call<'_> {
    fn request(&self, method: Method, target: &str) -> http::request::Builder {
        let mut request = Request::builder().method(method).uri(target);
        if let Some(token) = self.bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(key) = self.api_key {
            request = request.header("x-api-key", key);
        }
        if let Some(cookie) = self.cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(origin) = self.origin {
            request = request.header("origin", origin);
        }
        for value in self.csrf {
            request = request.header("x-csrf-token", *value);
        }
        request
    }
}

/// Anybody may sign up, and is told where an address is taken.
fn rules() -> AccountRules {
    AccountRules {
        sign_up: SignUpRule::Open,
        disclosure: Disclosure::Frank,
        ..AccountRules::default()
    }
}

/// Links in all mails.
fn linking() -> AccountRules {
    let link = |page: &str| {
        let template = format!("https://app.test/{page}?token={{token}}");
        Delivery::Link(LinkTemplate::parse(&template).unwrap())
    };
    AccountRules {
        deliveries: Deliveries {
            verify_email: link("verify"),
            reset_password: link("reset"),
            ..Deliveries::default()
        },
        ..rules()
    }
}

const fn bearer(token: &str) -> Call<'_> {
    Call {
        bearer: Some(token),
        api_key: None,
        cookie: None,
        csrf: &[],
        origin: None,
    }
}

impl Answer {
    /// Whether it says that a mail may be on its way.
    #[track_caller]
    fn accepted(&self) {
        assert_eq!(self.status, StatusCode::ACCEPTED, "{}", self.json);
        assert_eq!(self.names(), ["message", "success"]);
        assert_eq!(self.json["success"], true);
        assert!(self.json["message"].is_string());
    }

    #[track_caller]
    fn expect(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", self.json);
        self
    }

    #[track_caller]
    fn text(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap()
    }

    /// The one `Set-Cookie`, if there is one.
    fn set_cookie(&self) -> Option<&str> {
        let mut lines = self.headers.get_all("set-cookie").iter();
        let line = lines.next().map(|line| line.to_str().unwrap());
        assert!(lines.next().is_none(), "more than one cookie");
        line
    }

    /// The cookie as a browser sends it back.
    #[track_caller]
    fn cookie(&self) -> String {
        let line = self.set_cookie().unwrap();
        line.split(';').next().unwrap().to_owned()
    }

    /// The names in the body, in order.
    fn names(&self) -> Vec<&str> {
        let names: BTreeMap<_, _> = self.json.as_object().unwrap().iter().collect();
        names.into_keys().map(String::as_str).collect()
    }

    /// Whether this is an error with this code and message, in the one form that errors have.
    #[track_caller]
    fn refused(&self, status: u16, error: &str, message: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.json);
        assert_eq!(self.json["error"], error, "{}", self.json);
        assert_eq!(self.json["message"], message, "{}", self.json);
        assert_eq!(self.json["statusCode"], status);
        let actions = self.json.get("nextActions");
        assert!(actions.is_none_or(Value::is_string), "{}", self.json);
        assert_eq!(self.headers["cache-control"], "no-store");
    }
}
