//! The `vaniyk` dialect: an API of its own around GoTrue's session.
//!
//! Its clients refresh and sign out at the Supabase project beside it, which here is the
//! [`supabase`](super::supabase) dialect.

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};
use http::Method;

use super::Mount;
use super::gotrue::{self, Desk, Fault, fault};
use crate::auth::Auth;

mod directory_id;
mod login;
mod mails;
mod member;
mod profile;
mod sign_up;
mod style;
mod words;

pub use self::directory_id::directory_id;
pub use self::style::VaniykStyle;

const ADMIN_LOGIN: &str = "/api/auth/admin/login";
const LOGIN: &str = "/api/auth/login";
const PROFILE: &str = "/api/auth/profile";
const SIGN_UP: &str = "/api/auth/signup";
const ADMIN_SIGN_UP: &str = "/api/auth/signup/admin";
const RESET_REQUEST: &str = "/api/auth/password-reset/request";
const RESET_UPDATE: &str = "/api/auth/password-reset/update";
const RESEND: &str = "/api/auth/email/resend";
const VERIFY: &str = "/api/auth/email/verify";

/// The endpoints, and the preflights of those that pages of other origins call.
pub const ROUTES: &[(Method, &str)] = &[
    (Method::POST, ADMIN_LOGIN),
    (Method::POST, LOGIN),
    (Method::GET, PROFILE),
    (Method::POST, SIGN_UP),
    (Method::POST, ADMIN_SIGN_UP),
    (Method::POST, RESET_REQUEST),
    (Method::POST, RESET_UPDATE),
    (Method::POST, RESEND),
    (Method::POST, VERIFY),
    (Method::OPTIONS, ADMIN_LOGIN),
    (Method::OPTIONS, LOGIN),
    (Method::OPTIONS, PROFILE),
    (Method::OPTIONS, SIGN_UP),
    (Method::OPTIONS, ADMIN_SIGN_UP),
    (Method::OPTIONS, RESET_REQUEST),
    (Method::OPTIONS, RESET_UPDATE),
    (Method::OPTIONS, RESEND),
    (Method::OPTIONS, VERIFY),
];

/// The endpoints of [`ROUTES`].
pub fn router(auth: Arc<Auth>, mount: &Mount) -> Router {
    let account: fault::Render = words::render_account;
    let accounts = Router::new()
        .route(SIGN_UP, post(sign_up::user))
        .route(ADMIN_SIGN_UP, post(sign_up::admin))
        .route(RESET_REQUEST, post(mails::request_reset))
        .route(RESET_UPDATE, post(mails::update_password))
        .route(RESEND, post(mails::resend))
        .route(VERIFY, post(mails::verify))
        .layer(middleware::from_fn_with_state(account, fault::layer));
    let endpoints = Router::new()
        .route(ADMIN_LOGIN, post(login::admin))
        .route(LOGIN, post(login::user))
        .route(PROFILE, get(profile::read))
        .merge(accounts);
    gotrue::dressed(endpoints, Desk::new(auth, mount), words::render)
}
