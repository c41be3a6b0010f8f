//! `POST account/email` and `POST account/email/confirm`: another address.

use axum::Json;
use axum::extract::State as FromState;
use axum::response::Response;
use http::request::Parts;
use serde::Deserialize;

use super::super::State;
use super::super::body::JsonBody;
use super::super::describe::UserView;
use super::super::error::ApiError;
use super::{CodeFields, accepted, address, member, proof};
use crate::auth::account::change_email::NewAddress;
use crate::secret::SecretText;
use crate::wire::context::RequestContext;

#[derive(Deserialize)]
pub(in super::super) struct Body {
    email: String,
    current_password: Option<SecretText>,
}

/// Sends a code to the new address.
pub(in super::super) async fn send(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
    JsonBody(body): JsonBody<Body>,
) -> Result<Response, ApiError> {
    let member = member(&auth, (&context, &parts))?;
    let new = NewAddress {
        email: address(&body.email)?,
        delivery: None,
    };
    auth.request_email_change(&member, &proof(body.current_password), new)
        .await?;
    Ok(accepted("accepted"))
}

/// Moves the account to the new address.
pub(in super::super) async fn confirm(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
    JsonBody(body): JsonBody<CodeFields>,
) -> Result<Json<UserView>, ApiError> {
    let caller = context.caller(&parts.headers);
    let moved = auth
        .confirm_email_change(&body.read()?, None, &caller)
        .await?;
    Ok(Json(moved.user.into()))
}
