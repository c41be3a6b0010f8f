//! `POST sign-up`.

use axum::extract::State as FromState;
use axum::response::Response;
use http::request::Parts;
use serde::Deserialize;

use super::super::State;
use super::super::body::JsonBody;
use super::super::error::ApiError;
use super::super::sign_in::{ClientFields, opening};
use super::super::tokens::hand_out;
use super::{accepted, address, username};
use crate::auth::account::sign_up::{Admission, NewAccount, SignedUp};
use crate::secret::SecretText;
use crate::user::JsonObject;
use crate::wire::context::RequestContext;

#[derive(Deserialize)]
pub(in super::super) struct Body {
    email: String,
    username: Option<String>,
    password: SecretText,
    #[serde(default)]
    profile: JsonObject,
    #[serde(flatten)]
    client: ClientFields,
}

/// Makes an account: its user is signed in, or has mail to read first.
pub(in super::super) async fn sign_up(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
    JsonBody(body): JsonBody<Body>,
) -> Result<Response, ApiError> {
    let new = NewAccount {
        opening: opening(&auth, (&context, &parts), body.client)?,
        email: address(&body.email)?,
        username: body.username.as_deref().map(username).transpose()?,
        password: body.password,
        profile: body.profile,
        admission: Admission::Public,
        delivery: None,
    };
    match auth.sign_up(new).await? {
        SignedUp::SignedIn(signed_in) => hand_out(&auth, *signed_in),
        SignedUp::MustVerify(_) | SignedUp::Made(_) => Ok(accepted("verification_required")),
    }
}
