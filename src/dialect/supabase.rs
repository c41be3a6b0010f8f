//! The `supabase` dialect: GoTrue's own paths, below `/auth/v1/`.
//!
//! What is not among them is 404 in the words of this dialect, and reaches no service.

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{any, get, post};
use http::Method;

use super::Mount;
use super::gotrue::{self, Desk, Fault};
use crate::auth::Auth;

mod about;
mod admin;
mod api_key;
mod logout;
mod mails;
mod off;
mod sign_up;
mod style;
mod user;
mod verify;
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
        .route("/auth/v1/signup", post(sign_up::sign_up))
        .route("/auth/v1/invite", post(sign_up::invite))
        .route("/auth/v1/recover", post(mails::recover))
        .route("/auth/v1/otp", post(mails::otp))
        .route("/auth/v1/magiclink", post(mails::magic_link))
        .route("/auth/v1/resend", post(mails::resend))
        .route("/auth/v1/reauthenticate", get(mails::reauthenticate))
        .route("/auth/v1/sso", post(off::saml))
        .route("/auth/v1/factors", post(off::factors))
        .route("/auth/v1/user/identities/{*rest}", any(off::identities))
        .route("/auth/v1/settings", get(about::settings))
        .route("/auth/v1/health", get(about::health))
        .route("/auth/v1/admin/users", get(admin::list).post(admin::add))
        .route(
            "/auth/v1/admin/users/{id}",
            get(admin::read).put(admin::change).delete(admin::remove),
        )
        .route("/auth/v1/admin/users/{id}/factors", get(admin::factors))
        .layer(middleware::from_fn_with_state(desk.clone(), api_key::layer));
    // A link in a mail carries no key. To look at it is not to follow it, so HEAD uses up nothing.
    let verify = get(verify::get)
        .head(gotrue::fault::wrong_method)
        .post(verify::post);
    let endpoints = Router::new()
        .route("/auth/v1/verify", verify)
        .route("/auth/v1/authorize", get(off::provider))
        .route("/auth/v1/.well-known/jwks.json", get(about::keys))
        .route(
            "/auth/v1/.well-known/openid-configuration",
            get(about::openid_configuration),
        )
        .merge(with_key);
    gotrue::dressed(endpoints, desk, words::render)
}
