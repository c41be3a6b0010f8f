//! The `supabase` dialect: GoTrue's own paths, below `/auth/v1/`.
//!
//! Sign-up, mail and codes are not among them yet. What is not is 404 in the words of this dialect, and
//! reaches no service.

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};
use http::Method;

use super::Mount;
use super::gotrue::{self, Desk, Fault};
use crate::auth::Auth;

mod about;
mod admin;
mod api_key;
mod logout;
mod style;
mod user;
mod words;

pub use self::style::{RestStyle, SupabaseStyle};

/// Where data is, for the clients of this dialect.
pub const REST: &str = "/rest/v1";

/// All below `/auth/v1`: no login of another is reached there by mistake.
pub const ROUTES: &[(Method, &str)] = &[
    (Method::GET, "/auth/v1/**"),
    (Method::HEAD, "/auth/v1/**"),
    (Method::POST, "/auth/v1/**"),
    (Method::PUT, "/auth/v1/**"),
    (Method::DELETE, "/auth/v1/**"),
    (Method::OPTIONS, "/auth/v1/**"),
];

/// The endpoints below [`ROUTES`].
pub fn router(auth: Arc<Auth>, mount: &Mount) -> Router {
    let desk = Desk::new(auth, mount);
    let with_key = Router::new()
        .route("/auth/v1/token", post(gotrue::grant::token))
        .route("/auth/v1/user", get(user::read).put(user::change))
        .route("/auth/v1/logout", post(logout::logout))
        .route("/auth/v1/settings", get(about::settings))
        .route("/auth/v1/health", get(about::health))
        .route("/auth/v1/admin/users", get(admin::list).post(admin::add))
        .route(
            "/auth/v1/admin/users/{id}",
            get(admin::read).put(admin::change).delete(admin::remove),
        )
        .layer(middleware::from_fn_with_state(desk.clone(), api_key::layer));
    let endpoints = Router::new()
        .route("/auth/v1/.well-known/jwks.json", get(about::keys))
        .route(
            "/auth/v1/.well-known/openid-configuration",
            get(about::openid_configuration),
        )
        .merge(with_key);
    gotrue::dressed(endpoints, desk, words::render)
}
