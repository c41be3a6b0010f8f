//! `POST code` and `POST code/sign-in`: signing in by mail.

use axum::extract::State as FromState;
use axum::response::Response;
use http::request::Parts;
use serde::Deserialize;

use super::super::State;
use super::super::body::JsonBody;
use super::super::error::ApiError;
use super::super::sign_in::{ClientFields, opening};
use super::super::tokens::hand_out;
use super::verify_email::{self, request};
use super::{CodeFields, accepted};
use crate::auth::account::sign_in_code::{EntryCode, Unknown};
use crate::wire::context::RequestContext;

/// Sends a code that signs in. An address without an account gets none: accounts are made by sign-up.
pub(in super::super) async fn send(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
    JsonBody(body): JsonBody<verify_email::Body>,
) -> Result<Response, ApiError> {
    let request = request(&body, (&context, &parts))?;
    auth.request_sign_in_code(request, Unknown::Ignored).await?;
    Ok(accepted("accepted"))
}

#[derive(Deserialize)]
pub(in super::super) struct Body {
    #[serde(flatten)]
    code: CodeFields,
    #[serde(flatten)]
    client: ClientFields,
}

/// Signs in with a code.
pub(in super::super) async fn sign_in(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
    JsonBody(body): JsonBody<Body>,
) -> Result<Response, ApiError> {
    let opening = opening(&auth, (&context, &parts), body.client)?;
    let code = body.code.read()?;
    let signed_in = auth
        .sign_in_with_code(&code, EntryCode::SignIn, &opening)
        .await?;
    hand_out(&auth, signed_in)
}
