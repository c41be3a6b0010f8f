//! The `strikebet` dialect: GoTrue at the root of its host, and an entrance for administrators.

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use http::Method;

use super::Mount;
use super::gotrue::{self, Desk, Fault};
use crate::auth::Auth;

mod admin_body;
mod login_admin;
mod style;
mod words;

pub use self::style::StrikebetStyle;

const LOGIN_ADMIN: &str = "/login-admin";
const TOKEN: &str = "/token";

/// The endpoints, and the preflights of those that pages of other origins call.
pub const ROUTES: &[(Method, &str)] = &[
    (Method::POST, LOGIN_ADMIN),
    (Method::POST, TOKEN),
    (Method::OPTIONS, LOGIN_ADMIN),
    (Method::OPTIONS, TOKEN),
];

/// The endpoints of [`ROUTES`].
pub fn router(auth: Arc<Auth>, mount: &Mount) -> Router {
    let endpoints = Router::new()
        .route(LOGIN_ADMIN, post(login_admin::login))
        .route(TOKEN, post(gotrue::grant::token));
    gotrue::dressed(endpoints, Desk::new(auth, mount), words::render)
}
