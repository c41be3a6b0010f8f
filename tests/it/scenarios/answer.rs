//! What came back, with all that differs from run to run named and not shown.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use axum::body::{Body, to_bytes};
use axum::response::Response;
use doorward::auth::Caller;
use doorward::id::RequestId;
use doorward::path::NormalPath;
use doorward::wire::context::RequestContext;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Request};
use serde_json::Value;
use tower::ServiceExt as _;

use super::World;
use super::words::{Ask, Words};
use crate::support::core::Core;

/// The headers that say how to go on.
const TELLING: [&str; 14] = [
    "content-type",
    "www-authenticate",
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "cache-control",
    "x-sb-error-code",
    "set-cookie",
];

/// An answer, whole.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    asked: String,
    status: u16,
    headers: HeaderMap,
    json: Value,
}

/// Sends what a client says.
pub(super) async fn ask(world: &World, ask: Ask) -> Answer {
    let asked = format!("{} {}", ask.method, ask.target);
    let mut request = Request::builder().method(ask.method).uri(ask.target);
    if let Some(token) = &ask.bearer {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    if ask.body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let body = Body::from(ask.body.unwrap_or_default());
    let mut request = request.body(body).unwrap();
    let path = NormalPath::parse(request.uri().path()).unwrap();
    let now = doorward::clock::Clock::now(&*world.core.clock);
    request.extensions_mut().insert(RequestContext {
        request_id: RequestId::new(now),
        client: Ipv4Addr::new(192, 0, 2, 7).into(),
        host: "gw.test".into(),
        path,
    });
    let response = world.router.clone().oneshot(request).await.unwrap();
    Answer::read(&asked, response).await
}

/// Somebody who ends sessions.
pub(super) fn caller() -> Caller {
    Caller {
        address: Ipv4Addr::new(192, 0, 2, 8).into(),
        user_agent: String::new(),
        request_id: RequestId::new(doorward::clock::Timestamp::from_seconds(0)),
    }
}

/// A store that scenarios take out of reach.
#[derive(Clone, Copy)]
pub(super) enum Away {
    Sessions,
    Users,
}

impl Away {
    pub(super) async fn befall(self, core: &Core) {
        let rename = match self {
            Self::Sessions => "ALTER TABLE sessions RENAME TO sessions_away",
            Self::Users => "ALTER TABLE users RENAME TO users_away",
        };
        let pool = doorward::database::open(core.directory.path()).await;
        sqlx::query(rename).execute(&pool.unwrap()).await.unwrap();
    }
}

impl Answer {
    /// A request that was let through.
    pub(super) fn passed() -> Self {
        Self {
            asked: "a proxied route: let through".to_owned(),
            status: 200,
            headers: HeaderMap::new(),
            json: Value::Null,
        }
    }

    pub(super) async fn read(asked: &str, response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        Self {
            asked: asked.to_owned(),
            status: parts.status.as_u16(),
            headers: parts.headers,
            json: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }
    }

    pub(super) fn access(&self, words: &Words) -> String {
        self.token(words.access)
    }

    pub(super) fn refresh_token(&self, words: &Words) -> String {
        self.token(words.refresh_token)
    }

    fn token(&self, pointer: &str) -> String {
        let token = self.json.pointer(pointer).and_then(Value::as_str);
        token
            .unwrap_or_else(|| panic!("{} answered {} {}", self.asked, self.status, self.json))
            .to_owned()
    }

    /// As it stands in a snapshot.
    pub(super) fn write(&self, text: &mut String) {
        writeln!(text, "{} -> {}", self.asked, self.status).unwrap();
        for name in TELLING {
            for value in self.headers.get_all(name) {
                let value = veiled(name, value.to_str().unwrap());
                writeln!(text, "{name}: {value}").unwrap();
            }
        }
        let mut json = self.json.clone();
        veil("", &mut json);
        writeln!(text, "{json:#}\n").unwrap();
    }
}

fn veil(name: &str, value: &mut Value) {
    match value {
        Value::String(text) => *text = veiled(name, text),
        Value::Array(values) => values.iter_mut().for_each(|value| veil(name, value)),
        Value::Object(fields) => fields
            .iter_mut()
            .for_each(|(name, value)| veil(name, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What is made anew each time: by its form, or by its name.
fn veiled(name: &str, text: &str) -> String {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lower = name.to_ascii_lowercase();
    if name == "set-cookie" {
        let (cookie, attributes) = text.split_once(';').unwrap_or((text, ""));
        let (name, value) = cookie.split_once('=').unwrap_or((cookie, ""));
        let value = if value.is_empty() { "" } else { "<value>" };
        return format!("{name}={value};{attributes}");
    }
    if text.is_empty() {
        return String::new();
    }
    if text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) {
        return "<id>".to_owned();
    }
    if text.len() == 24 && is_hex(text) {
        return "<short id>".to_owned();
    }
    if text.split('.').count() == 3 && text.starts_with("ey") {
        return "<token>".to_owned();
    }
    if lower.contains("refresh") && lower.contains("token") {
        return "<refresh token>".to_owned();
    }
    if lower.contains("csrf") {
        return "<csrf token>".to_owned();
    }
    text.to_owned()
}
