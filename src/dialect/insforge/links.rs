//! Links in mails: how they are made, and what happens when they are followed.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};

use super::call::Call;
use super::desk::Desk;
use super::fault::Fault;
use super::redirect::Target;
use super::{RESET_LINK, VERIFY_LINK};
use crate::auth::account::redeem::ShownCode;
use crate::auth::account::rules::Delivery;
use crate::secret::SecretText;

/// What a mail is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// Proving an address.
    Verify,
    /// A new password.
    Reset,
}

impl Errand {
    const fn path(self) -> &'static str {
        match self {
            Self::Verify => VERIFY_LINK,
            Self::Reset => RESET_LINK,
        }
    }

    pub(super) fn usual(self, desk: &Desk) -> Delivery {
        let terms = desk.auth.terms();
        match self {
            Self::Verify => terms.verify_email,
            Self::Reset => terms.reset_password,
        }
    }
}

/// How the mail of an errand reaches its reader: in the form that the gateway is set to, and by way of a
/// page that the client names.
pub(super) fn delivery(
    desk: &Desk,
    errand: Errand,
    redirect_to: Option<&str>,
) -> Result<Delivery, Fault> {
    let target = redirect_to.map(|text| desk.redirects.target(text));
    let target = target.transpose()?;
    let link = |target: &Target| desk.redirects.link(errand.path(), target);
    Ok(match (errand.usual(desk), target) {
        (Delivery::Digits, _) | (Delivery::DigitsAndLink(_), None) => Delivery::Digits,
        (Delivery::DigitsAndLink(_), Some(target)) => Delivery::DigitsAndLink(link(&target)?),
        (Delivery::Link(_), Some(target)) => Delivery::Link(link(&target)?),
        (Delivery::Link(_), None) => return Err(Fault::invalid_input("redirectTo: Required")),
    })
}

/// `GET /email/verify-link`: proves the address, and leads on.
pub(super) async fn verify(State(desk): State<Desk>, call: Call) -> Result<Response, Fault> {
    let (token, target) = followed(&desk, &call)?;
    let (code, caller) = (ShownCode::Token(token), call.caller());
    let verified = desk.auth.verify_email(&code, None, &caller).await;
    let kind = ("insforge_type", "verify_email");
    match verified.map_err(Fault::from) {
        Ok(_) => Ok(lead(target.told(&[("insforge_status", "success"), kind]))),
        Err(fault) if fault.is_of_client() => {
            let error = ("insforge_error", fault.message());
            Ok(lead(target.told(&[
                ("insforge_status", "error"),
                kind,
                error,
            ])))
        }
        // The link holds still: whoever follows it again, is served.
        Err(fault) => Err(fault),
    }
}

/// `GET /email/reset-password-link`: takes the token to the page that asks for the password. It is used up
/// there; a look at the link, as mail programs take one, does not harm it.
pub(super) async fn reset(State(desk): State<Desk>, call: Call) -> Result<Response, Fault> {
    let (token, target) = followed(&desk, &call)?;
    Ok(lead(target.told(&[
        ("token", token.expose()),
        ("insforge_status", "ready"),
        ("insforge_type", "reset_password"),
    ])))
}

fn followed(desk: &Desk, call: &Call) -> Result<(SecretText, Target), Fault> {
    let token = call.query("token").filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Fault::invalid_input("token: Required"))?;
    let page = call.query("redirect_to");
    let page = page.ok_or_else(|| Fault::invalid_input("redirect_to: Required"))?;
    let target = desk.redirects.target(&page)?;
    Ok((SecretText::new(token.into_owned()), target))
}

/// 302, which no cache keeps, and of whose link no other page hears.
fn lead(location: String) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else {
        return Fault::internal().into_response();
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
    ];
    (StatusCode::FOUND, headers).into_response()
}
