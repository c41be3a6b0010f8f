//! `sessions` and `users/{id}/sessions`.

use std::borrow::Cow;

use axum::Json;
use axum::extract::Path;
use http::StatusCode;
use serde::Serialize;

use super::super::describe::SessionView;
use super::users::identifier;
use super::{ApiError, Desk};
use crate::auth::admin::{SessionPlace, SessionQuery};
use crate::id::{SessionId, UserId};
use crate::session::Session;

/// A session, as administrators see it.
#[derive(Serialize)]
pub(super) struct View {
    #[serde(flatten)]
    session: SessionView,
    user: String,
    email: String,
    roles: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Page {
    sessions: Vec<View>,
    /// For the next page; null after the last.
    next_cursor: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Ended {
    ended: usize,
}

impl From<&Session> for View {
    fn from(session: &Session) -> Self {
        let subject = &session.subject;
        Self {
            session: session.into(),
            user: subject.user.to_string(),
            email: subject.email.to_string(),
            roles: subject.roles.iter().map(ToString::to_string).collect(),
        }
    }
}

pub(super) async fn list(mut desk: Desk) -> Result<Json<Page>, ApiError> {
    let user = desk.parameters.take("user", |text| {
        text.parse().map_err(|_no_id| "is no user id".into())
    });
    page(desk, user).await
}

pub(super) async fn of_user(desk: Desk, Path(id): Path<String>) -> Result<Json<Page>, ApiError> {
    let user = identifier(&id)?;
    page(desk, Some(user)).await
}

async fn page(mut desk: Desk, user: Option<UserId>) -> Result<Json<Page>, ApiError> {
    let limit = desk.parameters.limit();
    let after = desk.parameters.take("cursor", place);
    desk.parameters.finish()?;
    let query = SessionQuery {
        user,
        after,
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
    };
    let page = desk.administrator.sessions(&query).await?;
    Ok(Json(Page {
        sessions: page.sessions.iter().map(View::from).collect(),
        next_cursor: page.next.map(cursor),
    }))
}

pub(super) async fn read(desk: Desk, Path(id): Path<String>) -> Result<Json<View>, ApiError> {
    desk.parameters.finish()?;
    let session = desk.administrator.session(session(&id)?).await?;
    Ok(Json(View::from(&session)))
}

pub(super) async fn end(desk: Desk, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    desk.parameters.finish()?;
    desk.administrator.end_session(session(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn end_of_user(
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Json<Ended>, ApiError> {
    desk.parameters.finish()?;
    let ended = desk.administrator.end_sessions(identifier(&id)?).await?;
    Ok(Json(Ended { ended }))
}

/// By mistake nobody signs everybody out, so the call must say it twice.
pub(super) async fn end_all(mut desk: Desk) -> Result<Json<Ended>, ApiError> {
    let all = desk.parameters.take("all", |text| match text {
        "true" => Ok(()),
        _other => Err("is not true".into()),
    });
    desk.parameters.finish()?;
    let () = all.ok_or(ApiError::Malformed("say ?all=true to end all sessions"))?;
    let ended = desk.administrator.end_all_sessions().await?;
    Ok(Json(Ended { ended }))
}

fn session(text: &str) -> Result<SessionId, ApiError> {
    text.parse().or(Err(ApiError::NoSuchSession))
}

fn cursor(place: SessionPlace) -> String {
    format!("{}.{}", place.user, place.session)
}

fn place(text: &str) -> Result<SessionPlace, Cow<'static, str>> {
    let place = text.split_once('.').and_then(|(user, session)| {
        Some(SessionPlace {
            user: user.parse().ok()?,
            session: session.parse().ok()?,
        })
    });
    place.ok_or_else(|| "is no cursor that was given out here".into())
}
