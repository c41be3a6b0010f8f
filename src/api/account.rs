//! `/account` and all that a user does for an account of their own.

use axum::Json;
use axum::extract::State as FromState;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::request::Parts;
use serde::{Deserialize, Serialize};

use super::State;
use super::body::{JsonBody, OptionalJsonBody};
use super::clearing::Ended;
use super::describe::UserView;
use super::error::ApiError;
use super::session::{own_session, own_user};
use crate::auth::account::change_password::Proof;
use crate::auth::account::profile::ProfileChange;
use crate::auth::account::redeem::ShownCode;
use crate::auth::{Auth, Member};
use crate::secret::SecretText;
use crate::user::{Email, JsonObject, Username};
use crate::wire::context::RequestContext;

pub(super) mod code;
pub(super) mod email;
pub(super) mod password;
pub(super) mod sign_up;
pub(super) mod verify_email;

/// 202, whatever comes of it.
#[derive(Serialize)]
struct Accepted {
    status: &'static str,
}

fn accepted(status: &'static str) -> Response {
    (StatusCode::ACCEPTED, Json(Accepted { status })).into_response()
}

/// A code in a body: `token`, or `email` and `code`.
#[derive(Deserialize)]
pub(super) struct CodeFields {
    token: Option<SecretText>,
    email: Option<String>,
    code: Option<SecretText>,
}

impl CodeFields {
    fn read(self) -> Result<ShownCode, ApiError> {
        match (self.token, self.email, self.code) {
            (Some(token), None, None) => Ok(ShownCode::Token(token)),
            (None, Some(email), Some(digits)) => Ok(ShownCode::Digits {
                email: address(&email)?,
                digits,
            }),
            _neither_or_both => Err(ApiError::Malformed(
                "send either a token, or an email and a code",
            )),
        }
    }
}

fn address(text: &str) -> Result<Email, ApiError> {
    Email::parse(text).or(Err(ApiError::Malformed("the email is not an address")))
}

fn username(text: &str) -> Result<Username, ApiError> {
    Username::parse(text).or(Err(ApiError::Malformed(
        "the username holds something that is not allowed there",
    )))
}

/// The member who asks, by their own token.
fn member(auth: &Auth, (context, parts): (&RequestContext, &Parts)) -> Result<Member, ApiError> {
    let identity = auth.identify(&context.head(parts))?;
    Ok(Member {
        user: own_user(&identity)?,
        session: own_session(&identity)?,
        caller: context.caller(&parts.headers),
    })
}

/// Without the present password a fresh session must do.
fn proof(password: Option<SecretText>) -> Proof {
    password.map_or(Proof::FreshSession, Proof::Password)
}

/// The account of the user who asks.
pub(super) async fn show(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
) -> Result<Json<UserView>, ApiError> {
    let member = member(&auth, (&context, &parts))?;
    let user = auth.user(member.user).await?;
    user.map(|user| Json(user.into()))
        .ok_or(ApiError::SessionEnded)
}

#[derive(Deserialize)]
pub(super) struct Change {
    profile: Option<JsonObject>,
    /// An empty text takes it away.
    username: Option<String>,
}

/// Changes what the user says of themselves.
pub(super) async fn change(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
    JsonBody(body): JsonBody<Change>,
) -> Result<Json<UserView>, ApiError> {
    let member = member(&auth, (&context, &parts))?;
    let username = match body.username.as_deref() {
        None => None,
        Some("") => Some(None),
        Some(name) => Some(Some(username(name)?)),
    };
    let change = ProfileChange {
        expected: None,
        profile: body.profile,
        username,
    };
    let user = auth.change_profile(&member, change).await?;
    Ok(Json(user.into()))
}

#[derive(Default, Deserialize)]
pub(super) struct Confirmation {
    current_password: Option<SecretText>,
}

/// Removes the account.
pub(super) async fn remove(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
    OptionalJsonBody(body): OptionalJsonBody<Confirmation>,
) -> Result<Response, ApiError> {
    let member = member(&auth, (&context, &parts))?;
    auth.delete_account(&member, &proof(body.current_password))
        .await?;
    Ok(Ended::SESSION.note(StatusCode::NO_CONTENT.into_response()))
}
