//! `POST verify-email` and `POST verify-email/resend`.

use axum::Json;
use axum::extract::State as FromState;
use axum::response::Response;
use http::request::Parts;
use serde::{Deserialize, Serialize};

use super::super::State;
use super::super::body::JsonBody;
use super::super::error::ApiError;
use super::{CodeFields, accepted, address};
use crate::auth::account::verify::CodeRequest;
use crate::wire::context::RequestContext;

#[derive(Serialize)]
pub(in super::super) struct Proved {
    email: String,
    email_verified: bool,
    /// Where the account has no password: good for `password/reset`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reset_token: Option<String>,
}

/// Proves an address. Nobody is signed in by it: a page that follows a link from a mail should not
/// find itself in an account that somebody else made.
pub(in super::super) async fn verify(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
    JsonBody(body): JsonBody<CodeFields>,
) -> Result<Json<Proved>, ApiError> {
    let caller = context.caller(&parts.headers);
    let verified = auth.verify_email(&body.read()?, None, &caller).await?;
    let token = verified.choose_password;
    Ok(Json(Proved {
        email: verified.user.email.to_string(),
        email_verified: true,
        reset_token: token.map(|token| token.text.expose().to_owned()),
    }))
}

#[derive(Deserialize)]
pub(in super::super) struct Body {
    pub(super) email: String,
}

/// Sends the code again.
pub(in super::super) async fn resend(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
    JsonBody(body): JsonBody<Body>,
) -> Result<Response, ApiError> {
    auth.request_verification(request(&body, (&context, &parts))?)
        .await?;
    Ok(accepted("accepted"))
}

/// A request for a mail to the address of the body.
pub(super) fn request(
    body: &Body,
    (context, parts): (&RequestContext, &Parts),
) -> Result<CodeRequest, ApiError> {
    Ok(CodeRequest {
        email: address(&body.email)?,
        delivery: None,
        caller: context.caller(&parts.headers),
    })
}
