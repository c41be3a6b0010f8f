//! The `actian` dialect: the login and the keys of Actian `VectorAI` DB, below `/auth/`.
//!
//! There is one account, which signs in by the user name `admin`. Its tokens and its `vdai_` keys are
//! shown in `api-key`, in `Authorization`, or in both with the same value. What is no endpoint below
//! `/auth/` is 404 in the words of this dialect, and reaches no service: the service has a login of its
//! own at these paths.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{delete, get, post};
use http::{HeaderName, HeaderValue, Method, header};

use super::cors::{self, Sharing};
use super::{Desk, Mount, Shape};
use crate::auth::Auth;

mod admin;
mod call;
mod enabled;
mod fault;
mod fields;
pub mod form;
mod key_body;
mod keys;
mod nearby;
mod password;
mod style;

pub use self::style::ActianStyle;

/// The user name of the one account.
pub const ADMIN: &str = "admin";

/// Where clients show their credential, beside `Authorization`.
pub const KEY_HEADER: HeaderName = HeaderName::from_static("api-key");

/// All below `/auth`.
pub const ROUTES: &[(Method, &str)] = &[
    (Method::GET, "/auth/**"),
    (Method::HEAD, "/auth/**"),
    (Method::POST, "/auth/**"),
    (Method::PUT, "/auth/**"),
    (Method::PATCH, "/auth/**"),
    (Method::DELETE, "/auth/**"),
    (Method::OPTIONS, "/auth/**"),
];

/// What pages of other origins may send and read.
pub const SHARING: Sharing = Sharing {
    methods: HeaderValue::from_static("GET, POST, PATCH, DELETE"),
    headers: HeaderValue::from_static("content-type, authorization, api-key"),
    exposed: HeaderValue::from_static("retry-after, x-request-id"),
};

/// A password, or a name and a description: nobody needs a larger body.
const BODY_LIMIT: usize = 64 * 1024;

/// The endpoints below [`ROUTES`]. Both generations of the paths of keys are served: they differ in the
/// name of the secret and in how a list is wrapped.
pub fn router(auth: Arc<Auth>, mount: &Mount) -> Router {
    let desk = Desk {
        auth,
        form: mount.form.clone(),
    };
    let cors = Shape::Actian.cors(mount.allowed_origins.clone());
    let endpoints = Router::new()
        .route("/auth/admin/login", post(admin::login))
        .route("/auth/admin/exists", get(admin::exists))
        .route("/auth/admin", post(admin::register).delete(admin::remove))
        .route("/auth/admin/reset-password", post(admin::reset_password))
        .route("/auth/enabled", get(enabled::read).patch(enabled::change))
        .route("/auth/api_key", post(keys::newer::create))
        .route("/auth/api_keys", get(keys::newer::list))
        .route("/auth/api_key/{id}", delete(keys::newer::remove))
        .route("/auth/api_key/{id}/rotate", post(keys::newer::rotate))
        .route("/auth/access_token", post(keys::older::create))
        .route("/auth/access_tokens", get(keys::older::list))
        .route("/auth/access_token/{id}", delete(keys::older::remove))
        .route("/auth/access_token/{id}/rotate", post(keys::older::rotate))
        .fallback(fault::unknown_path)
        .method_not_allowed_fallback(fault::wrong_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(never_stored));
    // The original knows of no pages.
    let endpoints = if cors.is_asked_for() {
        endpoints.layer(from_fn_with_state(cors, cors::layer))
    } else {
        endpoints
    };
    endpoints.with_state(desk)
}

/// What is said here is for one caller and one moment.
async fn never_stored(request: axum::extract::Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}
