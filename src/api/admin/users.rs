//! `users` and `users/{id}/roles`.

use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::header::{ETAG, LOCATION};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::fields::Fields;
use super::precondition::{Expected, tag};
use super::{ApiError, Desk, user_fields};
use crate::auth::admin::{AdminError, RoleChange};
use crate::id::UserId;
use crate::user::{AccountStatus, EmailStatus, JsonObject, Role, User};
use crate::users::UserQuery;

/// A user, as administrators see them. Never a password, nor its hash.
#[derive(Serialize)]
struct UserView {
    id: String,
    email: String,
    username: Option<String>,
    roles: Vec<String>,
    email_verified: bool,
    disabled: bool,
    profile: JsonObject,
    metadata: JsonObject,
    created_at: String,
    updated_at: String,
    /// The number in the `ETag`.
    revision: i64,
}

#[derive(Serialize)]
struct Page {
    users: Vec<UserView>,
    total: u64,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.to_string(),
            username: user.username.map(|name| name.to_string()),
            roles: user.roles.iter().map(ToString::to_string).collect(),
            email_verified: user.email_status == EmailStatus::Verified,
            disabled: user.status == AccountStatus::Disabled,
            profile: user.profile,
            metadata: user.metadata,
            created_at: user.created_at.to_string(),
            updated_at: user.updated_at.to_string(),
            revision: user.revision.number(),
        }
    }
}

pub(super) async fn list(mut desk: Desk) -> Result<Response, ApiError> {
    let parameters = &mut desk.parameters;
    let query = UserQuery {
        search: parameters.text("search").unwrap_or_default(),
        role: parameters.take("role", |text| {
            Role::parse(text).map_err(|error| error.to_string().into())
        }),
        status: parameters.take("status", |text| match text {
            "enabled" => Ok(AccountStatus::Enabled),
            "disabled" => Ok(AccountStatus::Disabled),
            _other => Err("is neither enabled nor disabled".into()),
        }),
        limit: parameters.limit(),
        offset: parameters.offset(),
    };
    desk.parameters.finish()?;
    let page = desk.administrator.users(&query).await?;
    Ok(Json(Page {
        users: page.users.into_iter().map(Into::into).collect(),
        total: page.total,
    })
    .into_response())
}

pub(super) async fn add(desk: Desk, fields: Fields) -> Result<Response, ApiError> {
    desk.parameters.finish()?;
    let entry = user_fields::entry(fields)?;
    let user = desk.administrator.enter(entry).await?;
    let place = format!("/.doorward/api/admin/users/{}", user.id);
    let mut response = shown(user);
    *response.status_mut() = StatusCode::CREATED;
    // Fixed words and an id, which are always good in a header.
    let place = HeaderValue::try_from(place).ok();
    response
        .headers_mut()
        .extend(place.map(|at| (LOCATION, at)));
    Ok(response)
}

pub(super) async fn read(desk: Desk, Path(id): Path<String>) -> Result<Response, ApiError> {
    desk.parameters.finish()?;
    let user = desk.administrator.user(identifier(&id)?).await?;
    if desk.preconditions.has(user.revision)? {
        let tag = [(ETAG, tag(user.revision))];
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    Ok(shown(user))
}

pub(super) async fn change(
    desk: Desk,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, ApiError> {
    desk.parameters.finish()?;
    let expected = desk.preconditions.needed()?;
    let user = desk.administrator.user(identifier(&id)?).await?;
    expected.hold(user.revision)?;
    let amendment = user_fields::amendment(fields, &user)?;
    let user = desk.administrator.amend(user.id, amendment).await?;
    Ok(shown(user))
}

pub(super) async fn remove(desk: Desk, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    desk.parameters.finish()?;
    let expected = match desk.preconditions.expected()? {
        Some(Expected::This(revision)) => Some(revision),
        Some(Expected::Any) | None => None,
    };
    let id = identifier(&id)?;
    desk.administrator.remove(id, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn add_role(
    desk: Desk,
    path: Path<(String, String)>,
) -> Result<Response, ApiError> {
    change_role(desk, path, RoleChange::Add).await
}

pub(super) async fn remove_role(
    desk: Desk,
    path: Path<(String, String)>,
) -> Result<Response, ApiError> {
    change_role(desk, path, RoleChange::Remove).await
}

async fn change_role(
    desk: Desk,
    Path((id, role)): Path<(String, String)>,
    change: fn(Role) -> RoleChange,
) -> Result<Response, ApiError> {
    desk.parameters.finish()?;
    let expected = match desk.preconditions.expected()? {
        Some(Expected::This(revision)) => Some(revision),
        Some(Expected::Any) | None => None,
    };
    let id = identifier(&id)?;
    let role = Role::parse(&role).or(Err(ApiError::Malformed(
        "a role has lower-case letters, digits, `.`, `_`, `:` and `-`",
    )))?;
    let administrator = &desk.administrator;
    let user = administrator
        .change_role((id, expected), &change(role))
        .await?;
    Ok(shown(user))
}

fn shown(user: User) -> Response {
    let tag = [(ETAG, tag(user.revision))];
    (tag, Json(UserView::from(user))).into_response()
}

/// What is no id is nobody's.
pub(super) fn identifier(text: &str) -> Result<UserId, ApiError> {
    text.parse().map_err(|_no_id| AdminError::NoSuchUser.into())
}
