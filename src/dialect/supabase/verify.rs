//! `POST /verify` and `GET /verify`: showing a code from a mail. It opens a session.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use url::{Url, form_urlencoded};

use super::super::gotrue::body::{GrantBody, granted};
use super::super::gotrue::grant::opening;
use super::super::gotrue::link::Kind;
use super::super::gotrue::{Call, Fields};
use super::{Desk, Fault};
use crate::auth::SignedIn;
use crate::auth::account::redeem::ShownCode;
use crate::auth::account::sign_in_code::EntryCode;
use crate::secret::SecretText;

const REFERRER_POLICY: HeaderName = HeaderName::from_static("referrer-policy");

/// `POST /verify`: with six digits and an address, or with the token of a link.
pub(super) async fn post(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    let kind = kind(&fields.text("type")?)?;
    let code = fields.code()?;
    let code = code.ok_or_else(|| {
        let message = "Verify requires either a token or a token hash";
        Fault::invalid(message)
    })?;
    let signed_in = redeem(&desk, &call, (kind, code)).await?;
    Ok(granted(&GrantBody::of(&signed_in), &signed_in.session))
}

/// `GET /verify`: the link of a mail. The session travels in the fragment, which no server sees, to a
/// page of the list; what the holder of the link cannot help, they are told there, too.
pub(super) async fn get(State(desk): State<Desk>, call: Call) -> Result<Response, Fault> {
    let kind = kind(&call.query("type").unwrap_or_default())?;
    let token = call.query("token").filter(|token| !token.is_empty());
    let token = token.or_else(|| call.query("token_hash"));
    let token = token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Fault::invalid("Verify requires a token or a token hash"))?;
    let code = ShownCode::Token(SecretText::new(token.into_owned()));
    let wanted = call.query("redirect_to");
    let page = desk.mount.targets.choose(wanted.as_deref());
    let page = page.ok_or_else(|| Fault::invalid("There is no page to go on to"))?;
    let fragment = match redeem(&desk, &call, (kind, code)).await {
        Ok(signed_in) => session(&signed_in, kind),
        // What will pass leaves the link good, and says so by its status.
        Err(fault) if fault.may_pass() => return Err(fault),
        Err(fault) => refusal(&fault),
    };
    Ok(redirect(page, &fragment))
}

fn kind(text: &str) -> Result<Kind, Fault> {
    if text.is_empty() {
        return Err(Fault::invalid("Verify requires a verification type"));
    }
    Kind::parse(text).ok_or_else(|| Fault::invalid("Unsupported verification type"))
}

async fn redeem(
    desk: &Desk,
    call: &Call,
    (kind, code): (Kind, ShownCode),
) -> Result<SignedIn, Fault> {
    let opening = opening(desk, call);
    let entry = match kind {
        Kind::SignUp | Kind::Invite | Kind::MagicLink | Kind::Email => EntryCode::SignInOrUp,
        Kind::Recovery => EntryCode::Recovery,
        Kind::EmailChange => {
            let (auth, caller) = (&desk.auth, &opening.caller);
            let moved = auth.confirm_email_change(&code, Some(&opening), caller);
            return moved.await?.signed_in.ok_or_else(Fault::internal);
        }
    };
    let signed_in = desk.auth.sign_in_with_code(&code, entry, &opening);
    Ok(signed_in.await?)
}

fn session(signed_in: &SignedIn, kind: Kind) -> String {
    let access = &signed_in.access;
    let expires_at = access.expires_at.as_seconds();
    let lifetime = expires_at.saturating_sub(signed_in.issued_at.as_seconds());
    form_urlencoded::Serializer::new(String::new())
        .append_pair("access_token", access.text.expose())
        .append_pair("expires_at", &expires_at.to_string())
        .append_pair("expires_in", &lifetime.to_string())
        .append_pair("refresh_token", signed_in.refresh.expose())
        .append_pair("sb", "")
        .append_pair("token_type", "bearer")
        .append_pair("type", kind.as_str())
        .finish()
}

fn refusal(fault: &Fault) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("error", "access_denied")
        .append_pair("error_code", fault.code)
        .append_pair("error_description", &fault.message)
        .append_pair("sb", "")
        .finish()
}

fn redirect(page: &Url, fragment: &str) -> Response {
    let mut target = page.clone();
    target.set_fragment(Some(fragment));
    // A URL is always good in a header.
    let target = HeaderValue::try_from(String::from(target)).ok();
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.extend(target.map(|target| (header::LOCATION, target)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
