//! The API key of the project, in the words of the gateway that stands before GoTrue there (Kong).

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use url::form_urlencoded;

use super::super::gotrue::ApiKeys;
use super::Desk;

#[derive(Serialize)]
struct Body {
    message: &'static str,
    hint: &'static str,
}

const MISSING: Body = Body {
    message: "No API key found in request",
    hint: "No `apikey` request header or url param was found.",
};

const WRONG: Body = Body {
    message: "Invalid API key",
    hint: "Double check your Supabase `anon` or `service_role` API key.",
};

/// The layer that asks for a key, where the mount has any.
pub(super) async fn layer(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    match refusal(&desk.mount.keys, &request) {
        None => next.run(request).await,
        Some(body) => (StatusCode::UNAUTHORIZED, Json(body)).into_response(),
    }
}

/// The header counts before the query, and the query before a key in the place of a token.
fn refusal(keys: &ApiKeys, request: &Request) -> Option<Body> {
    if !keys.are_asked_for() {
        return None;
    }
    let query = request.uri().query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let in_query = pairs.find(|(name, _)| name == "apikey");
    let headers = request.headers();
    let shown = text(headers, "apikey")
        .or_else(|| in_query.as_ref().map(|(_, value)| &**value))
        .or_else(|| bearer(headers));
    match shown {
        None => Some(MISSING),
        Some(key) if keys.hold(key) => None,
        Some(_) => Some(WRONG),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let line = text(headers, header::AUTHORIZATION.as_str())?;
    let (scheme, key) = line.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}
