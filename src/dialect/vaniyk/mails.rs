//! What goes by mail: `/password-reset/request`, `/password-reset/update`, `/email/resend` and
//! `/email/verify`.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::{Desk, Fault};
use crate::auth::account::Member;
use crate::auth::account::change_password::Proof;
use crate::auth::account::sign_in_code::EntryCode;
use crate::auth::account::verify::CodeRequest;
use crate::dialect::gotrue::body::{GrantBody, fresh, granted};
use crate::dialect::gotrue::grant::opening;
use crate::dialect::gotrue::link::Kind;
use crate::dialect::gotrue::{Call, Fields, account};

#[derive(Serialize)]
struct Said {
    message: &'static str,
}

#[derive(Serialize)]
struct Verified<'a> {
    message: &'static str,
    session: GrantBody<'a>,
}

/// `POST /password-reset/request`
pub(super) async fn request_reset(
    State(desk): State<Desk>,
    call: Call,
    fields: Fields,
) -> Result<Response, Fault> {
    let request = request(&call, (fields, "Password recovery requires an email"))?;
    desk.auth.request_reset(request).await?;
    Ok(said("Password reset email sent"))
}

/// `POST /password-reset/update`: by the code of the mail itself, or by the session that it has opened
/// at `/email/verify`.
pub(super) async fn update_password(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    let password = fields.secret("password")?;
    let (auth, caller) = (&desk.auth, call.caller());
    if let Some(code) = fields.code()? {
        auth.reset_password(&code, &password, &caller).await?;
    } else {
        let account = account(&desk, &call).await?;
        let member = Member {
            user: account.user.id,
            session: account.session,
            caller,
        };
        let changed = auth.change_password(&member, &Proof::FreshSession, &password);
        changed.await?;
    }
    Ok(said("Password updated successfully"))
}

/// `POST /email/resend`
pub(super) async fn resend(
    State(desk): State<Desk>,
    call: Call,
    fields: Fields,
) -> Result<Response, Fault> {
    let request = request(&call, (fields, "Type provided requires an email address"))?;
    desk.auth.request_verification(request).await?;
    Ok(said("Verification email sent"))
}

/// `POST /email/verify`: opens a session.
pub(super) async fn verify(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    let kind = fields.filled("type")?;
    let entry = match kind.as_deref().map_or(Some(Kind::Email), Kind::parse) {
        Some(Kind::SignUp | Kind::Invite | Kind::MagicLink | Kind::Email) => EntryCode::SignInOrUp,
        Some(Kind::Recovery) => EntryCode::Recovery,
        Some(Kind::EmailChange) | None => {
            return Err(Fault::invalid("Unsupported verification type"));
        }
    };
    let code = fields.code()?;
    let code = code.ok_or_else(|| {
        let message = "Verify requires either a token or a token hash";
        Fault::invalid(message)
    })?;
    let opening = opening(&desk, &call);
    let signed_in = desk.auth.sign_in_with_code(&code, entry, &opening).await?;
    let body = Verified {
        message: "Email verified successfully",
        session: GrantBody::of(&signed_in),
    };
    Ok(granted(&body, &signed_in.session))
}

fn request(
    call: &Call,
    (mut fields, missing): (Fields, &'static str),
) -> Result<CodeRequest, Fault> {
    let email = fields.email("email")?;
    Ok(CodeRequest {
        email: email.ok_or_else(|| Fault::invalid(missing))?,
        delivery: None,
        caller: call.caller(),
    })
}

fn said(message: &'static str) -> Response {
    fresh(&Said { message })
}
