//! `GET session`, `GET sessions`, `DELETE sessions/{id}`: what a user sees of their sessions.

use axum::Json;
use axum::extract::{Path, State as FromState};
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;

use super::State;
use super::describe::{SessionView, UserView};
use super::error::ApiError;
use crate::id::{SessionId, UserId};
use crate::identity::{Identity, Issuer};
use crate::wire::context::RequestContext;

#[derive(Serialize)]
pub(super) struct Current {
    user: UserView,
    session: SessionView,
}

#[derive(Serialize)]
pub(super) struct Listed {
    #[serde(flatten)]
    session: SessionView,
    /// Whether it is the one that asks.
    current: bool,
}

#[derive(Serialize)]
pub(super) struct List {
    sessions: Vec<Listed>,
}

/// The session that asks, and its user.
pub(super) async fn current(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
) -> Result<Json<Current>, ApiError> {
    let identity = auth.identify(&context.head(&parts))?;
    let session = own_session(&identity)?;
    let user = own_user(&identity)?;
    let sessions = auth.sessions_of(user).await?;
    let session = sessions.iter().find(|known| known.id == session);
    let session = session.ok_or(ApiError::SessionEnded)?;
    let user = auth.user(user).await?;
    Ok(Json(Current {
        user: UserView::of(session, user),
        session: SessionView::from(session),
    }))
}

/// All sessions of the user, newest first.
pub(super) async fn list(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
) -> Result<Json<List>, ApiError> {
    let identity = auth.identify(&context.head(&parts))?;
    let sessions = auth.sessions_of(own_user(&identity)?).await?;
    let listed = sessions.iter().map(|session| Listed {
        session: SessionView::from(session),
        current: identity.session == Some(session.id),
    });
    Ok(Json(List {
        sessions: listed.collect(),
    }))
}

/// Ends one of the user's sessions.
pub(super) async fn end(
    FromState(auth): FromState<State>,
    context: RequestContext,
    Path(id): Path<String>,
    parts: Parts,
) -> Result<StatusCode, ApiError> {
    let identity = auth.identify(&context.head(&parts))?;
    let user = own_user(&identity)?;
    let id: SessionId = id.parse().or(Err(ApiError::NoSuchSession))?;
    if auth
        .end_session(user, id, &context.caller(&parts.headers))
        .await?
    {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NoSuchSession)
    }
}

const NOT_OURS: ApiError = ApiError::Forbidden(
    "foreign_token",
    "This token was not given out here: it has no session.",
);

const NO_SESSION: ApiError =
    ApiError::Forbidden("api_key", "An API key is no session; sign in for this.");

/// The session of a token of ours.
pub(super) fn own_session(identity: &Identity) -> Result<SessionId, ApiError> {
    match identity.issuer {
        Issuer::Own | Issuer::Foreign(_) => identity.session.ok_or(NOT_OURS),
        Issuer::ApiKey(_) => Err(NO_SESSION),
    }
}

/// The user of a token of ours. The `sub` of another issuer may look like one, and is not.
pub(super) fn own_user(identity: &Identity) -> Result<UserId, ApiError> {
    match identity.issuer {
        Issuer::Own => identity.subject.parse().or(Err(NOT_OURS)),
        Issuer::Foreign(_) => Err(NOT_OURS),
        Issuer::ApiKey(_) => Err(NO_SESSION),
    }
}
