//! `POST sign-out`: this session, or all of the user's.

use axum::extract::State as FromState;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::request::Parts;
use serde::Deserialize;

use super::State;
use super::body::OptionalJsonBody;
use super::clearing::Ended;
use super::error::ApiError;
use super::session::{own_session, own_user};
use crate::wire::context::RequestContext;

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scope {
    #[default]
    Session,
    All,
}

#[derive(Default, Deserialize)]
pub(super) struct Body {
    #[serde(default)]
    scope: Scope,
}

/// Signs out. The access token is refused from the moment that this answers.
pub(super) async fn sign_out(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
    OptionalJsonBody(body): OptionalJsonBody<Body>,
) -> Result<Response, ApiError> {
    let identity = auth.identify(&context.head(&parts))?;
    let session = own_session(&identity)?;
    let caller = context.caller(&parts.headers);
    // This one first and in any case: were it not in the store any more, it would not be among "all".
    auth.sign_out(session, &caller).await?;
    match body.scope {
        Scope::Session => {}
        Scope::All => {
            auth.sign_out_all(own_user(&identity)?, &caller).await?;
        }
    }
    Ok(Ended::SESSION.note(StatusCode::NO_CONTENT.into_response()))
}
