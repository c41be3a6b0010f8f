//! `POST password/forgot`, `password/reset` and `password/change`.

use axum::extract::State as FromState;
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use serde::Deserialize;

use super::super::State;
use super::super::body::JsonBody;
use super::super::error::ApiError;
use super::verify_email::{self, request};
use super::{CodeFields, accepted, member, proof};
use crate::secret::SecretText;
use crate::wire::context::RequestContext;

/// Sends a code that sets a password.
pub(in super::super) async fn forgot(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
    JsonBody(body): JsonBody<verify_email::Body>,
) -> Result<Response, ApiError> {
    auth.request_reset(request(&body, (&context, &parts))?)
        .await?;
    Ok(accepted("accepted"))
}

#[derive(Deserialize)]
pub(in super::super) struct Reset {
    #[serde(flatten)]
    code: CodeFields,
    password: SecretText,
}

/// Sets a password; all sessions end.
pub(in super::super) async fn reset(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
    JsonBody(body): JsonBody<Reset>,
) -> Result<StatusCode, ApiError> {
    let caller = context.caller(&parts.headers);
    auth.reset_password(&body.code.read()?, &body.password, &caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub(in super::super) struct Change {
    current_password: Option<SecretText>,
    password: SecretText,
}

/// Sets the password of the user who asks; their other sessions end.
pub(in super::super) async fn change(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
    JsonBody(body): JsonBody<Change>,
) -> Result<StatusCode, ApiError> {
    let member = member(&auth, (&context, &parts))?;
    auth.change_password(&member, &proof(body.current_password), &body.password)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
