//! The gateway's own JSON API, below `/.doorward/api/`: an envelope over the core, with no login logic
//! of its own. `openapi.json` beside this file describes it, and is served.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

use crate::auth::Auth;
use crate::wire::context::RequestContext;
use crate::wire::problem::Problem;

mod account;
mod admin;
mod body;
mod clearing;
mod describe;
mod error;
mod refresh;
mod session;
mod sign_in;
mod sign_out;
mod tokens;

/// What every endpoint works with.
type State = Arc<Auth>;

/// A password, a login and some more: nobody needs a larger body.
const BODY_LIMIT: usize = 64 * 1024;

/// No longer than a new key is shown before it signs (`SHOWN_FIRST`): whoever meets it and asks again must
/// not be given the set of before.
const KEYS_MAX_AGE: HeaderValue = HeaderValue::from_static("public, max-age=5");

/// The description of the API (`OpenAPI` 3.1).
pub const OPENAPI: &str = include_str!("api/openapi.json");

/// Every endpoint: method and path, as in [`OPENAPI`].
pub const ROUTES: &[(&str, &str)] = &[
    ("post", "/.doorward/api/sign-in"),
    ("post", "/.doorward/api/admin/sign-in"),
    ("post", "/.doorward/api/refresh"),
    ("post", "/.doorward/api/sign-out"),
    ("get", "/.doorward/api/session"),
    ("get", "/.doorward/api/sessions"),
    ("delete", "/.doorward/api/sessions/{id}"),
    ("post", "/.doorward/api/sign-up"),
    ("post", "/.doorward/api/verify-email"),
    ("post", "/.doorward/api/verify-email/resend"),
    ("post", "/.doorward/api/password/forgot"),
    ("post", "/.doorward/api/password/reset"),
    ("post", "/.doorward/api/password/change"),
    ("post", "/.doorward/api/code"),
    ("post", "/.doorward/api/code/sign-in"),
    ("get", "/.doorward/api/account"),
    ("patch", "/.doorward/api/account"),
    ("delete", "/.doorward/api/account"),
    ("post", "/.doorward/api/account/email"),
    ("post", "/.doorward/api/account/email/confirm"),
    ("get", "/.doorward/api/admin/users"),
    ("post", "/.doorward/api/admin/users"),
    ("post", "/.doorward/api/admin/users/import"),
    ("get", "/.doorward/api/admin/users/{id}"),
    ("patch", "/.doorward/api/admin/users/{id}"),
    ("delete", "/.doorward/api/admin/users/{id}"),
    ("put", "/.doorward/api/admin/users/{id}/roles/{role}"),
    ("delete", "/.doorward/api/admin/users/{id}/roles/{role}"),
    ("get", "/.doorward/api/admin/users/{id}/sessions"),
    ("delete", "/.doorward/api/admin/users/{id}/sessions"),
    ("get", "/.doorward/api/admin/sessions"),
    ("delete", "/.doorward/api/admin/sessions"),
    ("get", "/.doorward/api/admin/sessions/{id}"),
    ("delete", "/.doorward/api/admin/sessions/{id}"),
    ("get", "/.doorward/api/admin/api-keys"),
    ("post", "/.doorward/api/admin/api-keys"),
    ("get", "/.doorward/api/admin/api-keys/{id}"),
    ("patch", "/.doorward/api/admin/api-keys/{id}"),
    ("delete", "/.doorward/api/admin/api-keys/{id}"),
    ("post", "/.doorward/api/admin/api-keys/{id}/rotate"),
    ("get", "/.doorward/api/admin/signing-keys"),
    ("post", "/.doorward/api/admin/signing-keys/rotate"),
    ("get", "/.doorward/api/admin/audit"),
    ("get", "/.doorward/api/admin/audit/head"),
    ("post", "/.doorward/api/admin/audit/verify"),
    ("get", "/.doorward/api/openapi.json"),
    ("get", "/.doorward/jwks.json"),
    ("get", "/.well-known/jwks.json"),
];

/// The endpoints.
pub fn router(auth: Arc<Auth>) -> Router {
    let api = Router::new()
        .route("/.doorward/api/sign-in", post(sign_in::user))
        .route("/.doorward/api/admin/sign-in", post(sign_in::admin))
        .route("/.doorward/api/refresh", post(refresh::refresh))
        .route("/.doorward/api/sign-out", post(sign_out::sign_out))
        .route("/.doorward/api/session", get(session::current))
        .route("/.doorward/api/sessions", get(session::list))
        .route("/.doorward/api/sessions/{id}", delete(session::end))
        .merge(accounts())
        .merge(admin::router())
        .layer(from_fn(clearing::clear_shown))
        .layer(from_fn(never_stored))
        .layer(DefaultBodyLimit::max(BODY_LIMIT));
    Router::new()
        .route("/.doorward/api/openapi.json", get(openapi))
        .route("/.doorward/jwks.json", get(keys))
        .route("/.well-known/jwks.json", get(keys))
        .merge(api)
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .with_state(auth)
}

/// What people do for accounts of their own. What is off says so.
fn accounts() -> Router<State> {
    use account::{code, email, password, sign_up, verify_email};
    Router::new()
        .route("/.doorward/api/sign-up", post(sign_up::sign_up))
        .route("/.doorward/api/verify-email", post(verify_email::verify))
        .route(
            "/.doorward/api/verify-email/resend",
            post(verify_email::resend),
        )
        .route("/.doorward/api/password/forgot", post(password::forgot))
        .route("/.doorward/api/password/reset", post(password::reset))
        .route("/.doorward/api/password/change", post(password::change))
        .route("/.doorward/api/code", post(code::send))
        .route("/.doorward/api/code/sign-in", post(code::sign_in))
        .route(
            "/.doorward/api/account",
            get(account::show)
                .patch(account::change)
                .delete(account::remove),
        )
        .route("/.doorward/api/account/email", post(email::send))
        .route("/.doorward/api/account/email/confirm", post(email::confirm))
}

async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

async fn keys(axum::extract::State(auth): axum::extract::State<State>) -> Response {
    let kind = HeaderValue::from_static("application/jwk-set+json");
    (
        [(CONTENT_TYPE, kind), (CACHE_CONTROL, KEYS_MAX_AGE)],
        auth.tokens().jwks(),
    )
        .into_response()
}

async fn unknown(context: RequestContext) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found").request_id(context.request_id)
}

async fn wrong_method(context: RequestContext) -> Problem {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Problem::new(status, "method_not_allowed").request_id(context.request_id)
}

/// What is said here is for one caller and one moment.
async fn never_stored(request: axum::extract::Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
