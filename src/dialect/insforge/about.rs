//! What the dialect tells of itself: how accounts are made, its keys, and what it has not.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};
use serde::Serialize;

use super::answer::fresh;
use super::call::Call;
use super::desk::Desk;
use super::fault::Fault;
use crate::auth::EmailRule;
use crate::auth::account::rules::{Delivery, SignUpRule};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the form that clients know, not one that anything is decided by"
)]
struct PublicConfig {
    o_auth_providers: [&'static str; 0],
    custom_o_auth_providers: [&'static str; 0],
    require_email_verification: bool,
    password_min_length: usize,
    require_number: bool,
    require_lowercase: bool,
    require_uppercase: bool,
    require_special_char: bool,
    verify_email_method: &'static str,
    reset_password_method: &'static str,
    disable_signup: bool,
}

/// `GET /public-config`
pub(super) async fn public_config(State(desk): State<Desk>) -> Response {
    let terms = desk.auth.terms();
    fresh(&PublicConfig {
        o_auth_providers: [],
        custom_o_auth_providers: [],
        require_email_verification: terms.email_rule == EmailRule::MustBeVerified,
        password_min_length: terms.password_length,
        // Length and a list of breached passwords are what counts here.
        require_number: false,
        require_lowercase: false,
        require_uppercase: false,
        require_special_char: false,
        verify_email_method: method(&terms.verify_email),
        reset_password_method: method(&terms.reset_password),
        disable_signup: terms.sign_up == SignUpRule::Closed,
    })
}

/// Where a mail has both, a page that asks for the code fits.
const fn method(delivery: &Delivery) -> &'static str {
    match delivery {
        Delivery::Digits | Delivery::DigitsAndLink(_) => "code",
        Delivery::Link(_) => "link",
    }
}

/// `GET /api/.well-known/jwks.json`: the public keys of our tokens.
pub(super) async fn jwks(State(desk): State<Desk>) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], desk.auth.tokens().jwks()).into_response()
}

/// Whatever else lies below `/api/auth`.
pub(super) async fn missing(call: Call) -> Fault {
    Fault::no_endpoint(call.parts.uri.path())
}
