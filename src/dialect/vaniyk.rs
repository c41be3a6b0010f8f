//! The `vaniyk` dialect: an API of its own around GoTrue's session.
//!
//! Its clients refresh and sign out at the Supabase project beside it, which here is the
//! [`supabase`](super::supabase) dialect.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use http::Method;

use super::Mount;
use super::gotrue::{self, Desk, Fault};
use crate::auth::Auth;

mod directory_id;
mod login;
mod member;
mod profile;
mod style;
mod words;

pub use self::directory_id::directory_id;
pub use self::style::VaniykStyle;

const ADMIN_LOGIN: &str = "/api/auth/admin/login";
const LOGIN: &str = "/api/auth/login";
const PROFILE: &str = "/api/auth/profile";

/// The endpoints, and the preflights of those that pages of other origins call.
pub const ROUTES: &[(Method, &str)] = &[
    (Method::POST, ADMIN_LOGIN),
    (Method::POST, LOGIN),
    (Method::GET, PROFILE),
    (Method::OPTIONS, ADMIN_LOGIN),
    (Method::OPTIONS, LOGIN),
    (Method::OPTIONS, PROFILE),
];

/// The endpoints of [`ROUTES`].
pub fn router(auth: Arc<Auth>, mount: &Mount) -> Router {
    let endpoints = Router::new()
        .route(ADMIN_LOGIN, post(login::admin))
        .route(LOGIN, post(login::user))
        .route(PROFILE, get(profile::read));
    gotrue::dressed(endpoints, Desk::new(auth, mount), words::render)
}
