//! The API key of the project, in the words of the gateway that stands before GoTrue there (Kong).

use axum::Json;
use axum::RequestExt as _;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use url::form_urlencoded;

use super::super::gotrue::{ApiKeys, Call};
use super::{Desk, Fault};
use crate::auth::Guessed;

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

/// What a call shows.
enum Verdict {
    /// A key of an app, or nothing where none is asked for.
    Welcome,
    /// Nothing.
    Missing,
    /// Something else: perhaps the service key.
    Guess(Outcome),
}

enum Outcome {
    Right,
    Wrong,
}

/// The layer that asks for a key, where the mount has any.
pub(super) async fn layer(State(desk): State<Desk>, mut request: Request, next: Next) -> Response {
    let judged = match verdict(&desk.mount.keys, &request) {
        Verdict::Welcome => Ok(()),
        Verdict::Missing => Err(refused(MISSING)),
        Verdict::Guess(outcome) => count(&desk, &mut request, outcome).await,
    };
    match judged {
        Ok(()) => next.run(request).await,
        Err(response) => response,
    }
}

/// What is no key of an app may be a guess at the service key, and counts like one at the endpoints for
/// administrators. Apps never wait for it.
async fn count(desk: &Desk, request: &mut Request, outcome: Outcome) -> Result<(), Response> {
    let call = request.extract_parts::<Call>().await;
    let call = call.map_err(IntoResponse::into_response)?;
    let guess = desk.auth.begin_guess(Guessed::ServiceKey, call.caller());
    let guess = guess
        .await
        .map_err(|error| Fault::from(error).into_response())?;
    match outcome {
        Outcome::Right => {
            desk.auth.take_back(guess).await;
            Ok(())
        }
        Outcome::Wrong => {
            desk.auth.tell_missed(&guess);
            Err(refused(WRONG))
        }
    }
}

fn refused(body: Body) -> Response {
    (StatusCode::UNAUTHORIZED, Json(body)).into_response()
}

/// The header counts before the query, and the query before a key in the place of a token.
fn verdict(keys: &ApiKeys, request: &Request) -> Verdict {
    if !keys.are_asked_for() {
        return Verdict::Welcome;
    }
    let query = request.uri().query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let in_query = pairs.find(|(name, _)| name == "apikey");
    let headers = request.headers();
    let shown = text(headers, "apikey")
        .or_else(|| in_query.as_ref().map(|(_, value)| &**value))
        .or_else(|| bearer(headers));
    match shown {
        None => Verdict::Missing,
        Some(key) if keys.is_public(key) => Verdict::Welcome,
        Some(key) if keys.is_service(key) => Verdict::Guess(Outcome::Right),
        Some(_) => Verdict::Guess(Outcome::Wrong),
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
