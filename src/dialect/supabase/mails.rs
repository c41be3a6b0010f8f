//! The endpoints that send a mail: `/recover`, `/otp`, `/magiclink`, `/resend` and `/reauthenticate`.
//!
//! The answer is the same whether or not the address has an account.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::super::gotrue::body::fresh;
use super::super::gotrue::link::{Kind, delivery};
use super::super::gotrue::{Call, Fields, account};
use super::sign_up::data;
use super::{Desk, Fault};
use crate::auth::account::rules::Delivery;
use crate::auth::account::sign_in_code::Unknown;
use crate::auth::account::verify::CodeRequest;
use crate::user::Email;

/// `POST /recover`
pub(super) async fn recover(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    let email = wanted(&mut fields, "Password recovery requires an email")?;
    let request = request(&desk, &call, (email, Kind::Recovery));
    desk.auth.request_reset(request).await?;
    Ok(sent())
}

/// `POST /otp`
pub(super) async fn otp(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    if fields.filled("phone")?.is_some() {
        return Err(Fault::no_phone("Unsupported phone provider"));
    }
    let unknown = if fields.truth("create_user")? == Some(false) {
        Unknown::Ignored
    } else {
        Unknown::SignedUpAs(data(&mut fields)?)
    };
    let email = wanted(&mut fields, "One of email or phone must be set")?;
    send_sign_in_code(&desk, &call, (email, unknown)).await
}

/// `POST /magiclink`
pub(super) async fn magic_link(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    let email = wanted(&mut fields, "Password recovery requires an email")?;
    let unknown = Unknown::SignedUpAs(data(&mut fields)?);
    send_sign_in_code(&desk, &call, (email, unknown)).await
}

async fn send_sign_in_code(
    desk: &Desk,
    call: &Call,
    (email, unknown): (Email, Unknown),
) -> Result<Response, Fault> {
    let request = request(desk, call, (email, Kind::MagicLink));
    desk.auth.request_sign_in_code(request, unknown).await?;
    Ok(sent())
}

/// `POST /resend`. Which address somebody wants to have is kept with its code alone, so for another one
/// they ask again at `PUT /user`.
pub(super) async fn resend(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    match &*fields.text("type")? {
        "signup" => {}
        "email_change" => {
            let message = "Resending email_change is not supported: request the change again";
            return Err(Fault::invalid(message));
        }
        "sms" | "phone_change" => return Err(Fault::no_phone("Unsupported phone provider")),
        _other => {
            let message = "Missing one of these types: signup, email_change, sms, phone_change";
            return Err(Fault::invalid(message));
        }
    }
    let email = wanted(&mut fields, "Type provided requires an email address")?;
    let request = request(&desk, &call, (email, Kind::SignUp));
    desk.auth.request_verification(request).await?;
    Ok(sent())
}

/// `GET /reauthenticate`: six digits to the own address, with which `PUT /user` sets a password.
pub(super) async fn reauthenticate(
    State(desk): State<Desk>,
    call: Call,
) -> Result<Response, Fault> {
    let account = account(&desk, &call).await?;
    let request = CodeRequest {
        email: account.user.email,
        delivery: Some(Delivery::Digits),
        caller: call.caller(),
    };
    desk.auth.request_reset(request).await?;
    Ok(sent())
}

fn wanted(fields: &mut Fields, missing: &'static str) -> Result<Email, Fault> {
    let email = fields.email("email")?;
    email.ok_or_else(|| Fault::invalid(missing))
}

fn request(desk: &Desk, call: &Call, (email, kind): (Email, Kind)) -> CodeRequest {
    CodeRequest {
        email,
        delivery: delivery(&desk.mount, kind, call),
        caller: call.caller(),
    }
}

fn sent() -> Response {
    fresh(&json!({}))
}
