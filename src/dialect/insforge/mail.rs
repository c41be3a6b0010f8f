//! `/email/…`: asking for a mail, and showing what stood in it.
//!
//! What is asked for is answered in the same words whether or not there is such an account.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::answer::{accepted, fresh, opened};
use super::call::Call;
use super::desk::Desk;
use super::entrance::Entrance;
use super::fault::Fault;
use super::fields::Fields;
use super::links::{self, Errand};
use crate::auth::account::redeem::ShownCode;
use crate::auth::account::rules::Delivery;
use crate::auth::account::sign_in_code::Unknown;
use crate::auth::account::verify::CodeRequest;
use crate::secret::SecretText;
use crate::user::Email;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResetToken<'a> {
    token: &'a str,
    expires_at: String,
}

#[derive(Serialize)]
struct Message {
    message: &'static str,
}

/// `POST /email/send-otp`: six digits with which to sign in.
pub(super) async fn send_otp(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    let email = email(&mut fields)?;
    let request = request(&call, (email, Delivery::Digits));
    desk.auth
        .request_sign_in_code(request, Unknown::SignedUp)
        .await?;
    Ok(accepted(
        "If your email can be used to sign in, we have sent you a code. Please check your inbox.",
    ))
}

/// `POST /email/send-verification`
pub(super) async fn send_verification(
    State(desk): State<Desk>,
    call: Call,
    fields: Fields,
) -> Result<Response, Fault> {
    let request = errand(&desk, &call, (Errand::Verify, fields))?;
    desk.auth.request_verification(request).await?;
    Ok(accepted(match Errand::Verify.usual(&desk) {
        Delivery::Link(_) => {
            "If your email is registered, we have sent you a verification link. Please check your inbox."
        }
        Delivery::Digits | Delivery::DigitsAndLink(_) => {
            "If your email is registered, we have sent you a verification code. Please check your inbox."
        }
    }))
}

/// `POST /email/send-reset-password`
pub(super) async fn send_reset(
    State(desk): State<Desk>,
    call: Call,
    fields: Fields,
) -> Result<Response, Fault> {
    let request = errand(&desk, &call, (Errand::Reset, fields))?;
    desk.auth.request_reset(request).await?;
    Ok(accepted(match Errand::Reset.usual(&desk) {
        Delivery::Link(_) => {
            "If your email is registered, we have sent you a password reset link. Please check your inbox."
        }
        Delivery::Digits | Delivery::DigitsAndLink(_) => {
            "If your email is registered, we have sent you a password reset code. Please check your inbox."
        }
    }))
}

/// `POST /email/verify`: the digits prove the address, and sign in.
pub(super) async fn verify(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    let code = digits(&mut fields, "otp")?;
    let opening = call.opening();
    let verified = desk
        .auth
        .verify_email(&code, Some(&opening), &opening.caller);
    let signed_in = verified.await?.signed_in.ok_or_else(Fault::internal)?;
    opened(&desk.auth, &signed_in, (&Entrance::USER, opening.client))
}

/// `POST /email/exchange-reset-password-token`: the digits for a token, which the next page shows.
pub(super) async fn exchange(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    let (email, digits) = (fields.email(), fields.digits("code"));
    let (Some(email), Some(digits)) = (email, digits) else {
        return Err(fields.fault());
    };
    let caller = call.caller();
    let exchanged = desk.auth.exchange_reset_code(&email, &digits, &caller);
    let exchanged = exchanged.await?;
    Ok(fresh(&ResetToken {
        token: exchanged.text.expose(),
        expires_at: exchanged.ends_at.to_string(),
    }))
}

/// `POST /email/reset-password`: the token of a link, or of an exchange, sets a password. All sessions end,
/// and none is opened.
pub(super) async fn reset(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    let (new, token) = (fields.required("newPassword"), fields.required("otp"));
    let (Some(new), Some(token)) = (new, token) else {
        return Err(fields.fault());
    };
    let code = ShownCode::Token(SecretText::new(token));
    let (new, caller) = (SecretText::new(new), call.caller());
    desk.auth.reset_password(&code, &new, &caller).await?;
    Ok(fresh(&Message {
        message: "Password reset successfully",
    }))
}

fn errand(
    desk: &Desk,
    call: &Call,
    (errand, mut fields): (Errand, Fields),
) -> Result<CodeRequest, Fault> {
    let redirect_to = fields.optional("redirectTo");
    let email = email(&mut fields)?;
    let delivery = links::delivery(desk, errand, redirect_to.as_deref())?;
    Ok(request(call, (email, delivery)))
}

fn request(call: &Call, (email, delivery): (Email, Delivery)) -> CodeRequest {
    CodeRequest {
        email,
        delivery: Some(delivery),
        caller: call.caller(),
    }
}

fn email(fields: &mut Fields) -> Result<Email, Fault> {
    let email = fields.email();
    match email {
        Some(email) if fields.is_sound() => Ok(email),
        Some(_) | None => Err(std::mem::take(fields).fault()),
    }
}

fn digits(fields: &mut Fields, name: &str) -> Result<ShownCode, Fault> {
    match (fields.email(), fields.digits(name)) {
        (Some(email), Some(digits)) => Ok(ShownCode::Digits { email, digits }),
        _unsound => Err(std::mem::take(fields).fault()),
    }
}
