//! `POST /token`: a session for a password, and new tokens for a refresh token.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::body::{GrantBody, granted};
use super::call::Call;
use super::fault::{Fault, code};
use super::{Desk, Fields};
use crate::auth::account::sign_in_code::Opening;
use crate::auth::{SignIn, SignedIn};
use crate::session::{ClientKind, Persistence, SessionKind};

/// The shortest text that is read as a refresh token, in bytes, as in the original.
const SHORTEST_REFRESH_TOKEN: usize = 12;

/// Answers by the `grant_type` in the query.
pub(in crate::dialect) async fn token(
    State(desk): State<Desk>,
    call: Call,
    fields: Fields,
) -> Result<Response, Fault> {
    let signed_in = match call.query("grant_type").as_deref() {
        Some("password") => {
            let attempt = attempt(&desk, &call, (fields, SessionKind::User))?;
            desk.auth.sign_in(attempt).await?
        }
        Some("refresh_token") => refresh(&desk, &call, fields).await?,
        grant => return Err(no_such_grant(grant)),
    };
    Ok(granted(&GrantBody::of(&signed_in), &signed_in.session))
}

/// As the original answers where these are switched off, or have nothing to go on with.
fn no_such_grant(grant: Option<&str>) -> Fault {
    match grant {
        Some("pkce") => {
            let message = "invalid flow state, no valid flow state found";
            Fault::new(StatusCode::NOT_FOUND, code::FLOW_STATE_NOT_FOUND, message)
        }
        Some("id_token") => Fault::bad_request(code::PROVIDER_DISABLED, "Provider is not enabled"),
        Some("web3") => {
            let message = "Web3 provider is disabled";
            Fault::unprocessable(code::WEB3_PROVIDER_DISABLED, message)
        }
        _other => Fault::bad_request(code::INVALID_CREDENTIALS, "unsupported_grant_type"),
    }
}

/// The session that a call shall get. The tokens travel in bodies alone, also to browsers.
pub(in crate::dialect) fn opening(desk: &Desk, call: &Call) -> Opening {
    Opening {
        client: ClientKind::Native,
        persistence: Persistence::Persistent,
        form: desk.mount.form.clone(),
        caller: call.caller(),
    }
}

/// The attempt to sign in at this entrance that a body makes.
pub(in crate::dialect) fn attempt(
    desk: &Desk,
    call: &Call,
    (mut fields, entrance): (Fields, SessionKind),
) -> Result<SignIn, Fault> {
    let login = match (fields.filled("email")?, fields.filled("phone")?) {
        (Some(email), _) => email,
        (None, Some(_phone)) => {
            return Err(Fault::no_phone("Phone logins are disabled"));
        }
        (None, None) => {
            return Err(Fault::invalid("missing email or phone"));
        }
    };
    let opening = opening(desk, call);
    Ok(SignIn {
        login,
        password: fields.secret("password")?,
        entrance,
        client: opening.client,
        persistence: opening.persistence,
        form: opening.form,
        caller: opening.caller,
    })
}

/// A refresh token out of a cookie is none here: scripts cannot read it, and that is to stay so.
async fn refresh(desk: &Desk, call: &Call, mut fields: Fields) -> Result<SignedIn, Fault> {
    let text = fields.secret("refresh_token")?;
    if text.expose().len() < SHORTEST_REFRESH_TOKEN {
        let message = "Invalid Refresh Token: it is malformed";
        return Err(Fault::bad_request(code::VALIDATION_FAILED, message));
    }
    let shown = desk.auth.session_of(text.expose()).await?;
    let shown = shown.filter(|shown| shown.session().client == ClientKind::Native);
    let shown = shown.ok_or_else(Fault::refresh_token_not_found)?;
    let (form, caller) = (&desk.mount.form, call.caller());
    Ok(desk.auth.refresh(&shown, form, &caller).await?)
}
