//! `api-keys`.

use std::time::Duration;

use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::fields::{Fields, OptionalFields};
use super::{ApiError, Desk};
use crate::api_key::{ApiKey, KeyName, KeyStanding, KeySubject, Kind, Scope, ServiceName};
use crate::api_keys::KeyQuery;
use crate::auth::api_keys::{KeyError, Made, NewApiKey, Succession};
use crate::clock::Timestamp;
use crate::id::{ApiKeyId, UserId};
use crate::user::Role;

/// The longest grace of a rotation, in seconds: 90 days. Longer is another key.
const LONGEST_GRACE: u64 = 90 * 24 * 60 * 60;

/// A key, without its text, which nobody has.
#[derive(Serialize)]
pub(super) struct KeyView {
    id: String,
    name: String,
    /// The first characters of its text.
    hint: String,
    subject: String,
    status: &'static str,
    roles: Vec<String>,
    scopes: Vec<String>,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    retires_at: Option<String>,
    revoked_at: Option<String>,
    rotated_from: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Page {
    api_keys: Vec<KeyView>,
    total: u64,
}

#[derive(Serialize)]
struct MadeView<'a> {
    api_key: KeyView,
    /// The key itself: the only time that anybody sees it.
    secret: &'a str,
}

impl KeyView {
    fn of(key: &ApiKey, now: Timestamp) -> Self {
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Self {
            id: key.id.to_string(),
            name: key.name.to_string(),
            hint: key.hint.to_string(),
            subject: key.subject.to_string(),
            status: match key.standing(now) {
                KeyStanding::Live => "live",
                KeyStanding::Revoked => "revoked",
                KeyStanding::Retired => "retired",
                KeyStanding::Expired => "expired",
            },
            roles: key.roles.iter().map(ToString::to_string).collect(),
            scopes: key.scopes.iter().map(ToString::to_string).collect(),
            created_at: key.created_at.to_string(),
            expires_at: time(key.expires_at),
            last_used_at: time(key.last_used_at),
            retires_at: time(key.retires_at),
            revoked_at: time(key.revoked_at),
            rotated_from: key.rotated_from.map(|id| id.to_string()),
        }
    }
}

pub(super) async fn list(mut desk: Desk) -> Result<Json<Page>, ApiError> {
    let parameters = &mut desk.parameters;
    let user = parameters.take("user", |text| {
        let user = text.parse().or(Err("is no user id"));
        Ok(user.map(KeySubject::User)?)
    });
    let service = parameters.take("service", |text| {
        let service = ServiceName::parse(text).map_err(|error| error.to_string());
        Ok(service.map(KeySubject::Service)?)
    });
    if user.is_some() && service.is_some() {
        return Err(ApiError::Malformed("name either a user or a service"));
    }
    let query = KeyQuery {
        subject: user.or(service),
        limit: parameters.limit(),
        offset: parameters.offset(),
    };
    desk.parameters.finish()?;
    let now = desk.administrator.now();
    let page = desk.administrator.api_keys(query).await?;
    Ok(Json(Page {
        api_keys: page.keys.iter().map(|key| KeyView::of(key, now)).collect(),
        total: page.total,
    }))
}

pub(super) async fn add(desk: Desk, fields: Fields) -> Result<Response, ApiError> {
    desk.parameters.finish()?;
    let new = new_key(fields, desk.administrator.now())?;
    let made = desk.administrator.create_api_key(new).await?;
    Ok(handed_over(&made, desk.administrator.now()))
}

fn new_key(mut fields: Fields, now: Timestamp) -> Result<NewApiKey, ApiError> {
    let name = fields.text("name", KeyName::parse);
    let name = fields.needed("name", name);
    let user = fields.text("user", str::parse::<UserId>);
    let service = fields.text("service", ServiceName::parse);
    let subject = match (user, service) {
        (Some(user), None) => Some(KeySubject::User(user)),
        (None, Some(service)) => Some(KeySubject::Service(service)),
        (None, None) => fields.needed("user", None),
        (Some(_), Some(_)) => {
            fields.mistaken(
                "service",
                "stands beside a user: a key has one subject".into(),
            );
            None
        }
    };
    let roles = fields.texts("roles", Role::parse).unwrap_or_default();
    let scopes = fields.texts("scopes", Scope::parse).unwrap_or_default();
    let expires_at = fields.future("expires_at", now);
    let new = name.zip(subject).map(|(name, subject)| NewApiKey {
        kind: Kind::Doorward,
        name,
        subject,
        roles: roles.into_iter().collect(),
        scopes: scopes.into_iter().collect(),
        expires_at,
    });
    fields.finish(new)
}

pub(super) async fn read(desk: Desk, Path(id): Path<String>) -> Result<Json<KeyView>, ApiError> {
    desk.parameters.finish()?;
    let key = desk.administrator.api_key(identifier(&id)?).await?;
    Ok(Json(KeyView::of(&key, desk.administrator.now())))
}

pub(super) async fn rename(
    desk: Desk,
    Path(id): Path<String>,
    mut fields: Fields,
) -> Result<Json<KeyView>, ApiError> {
    desk.parameters.finish()?;
    let id = identifier(&id)?;
    let name = fields.text("name", KeyName::parse);
    let name = fields.needed("name", name);
    let name = fields.finish(name)?;
    let key = desk.administrator.rename_api_key(id, &name).await?;
    Ok(Json(KeyView::of(&key, desk.administrator.now())))
}

pub(super) async fn revoke(desk: Desk, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    desk.parameters.finish()?;
    desk.administrator.revoke_api_key(identifier(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn rotate(
    desk: Desk,
    Path(id): Path<String>,
    OptionalFields(mut fields): OptionalFields,
) -> Result<Response, ApiError> {
    desk.parameters.finish()?;
    let id = identifier(&id)?;
    let grace = fields.take("grace", |value| {
        let seconds = value.as_u64().filter(|seconds| *seconds <= LONGEST_GRACE);
        seconds.ok_or_else(|| format!("is no number of seconds up to {LONGEST_GRACE}").into())
    });
    let end = match grace.unwrap_or(0) {
        0 => Succession::AtOnce,
        seconds => Succession::After(Duration::from_secs(seconds)),
    };
    let end = fields.finish(Some(end))?;
    let made = desk.administrator.rotate_api_key(id, end).await?;
    Ok(handed_over(&made, desk.administrator.now()))
}

fn handed_over(made: &Made, now: Timestamp) -> Response {
    let place = format!("/.doorward/api/admin/api-keys/{}", made.key.id);
    let view = MadeView {
        api_key: KeyView::of(&made.key, now),
        secret: made.text.expose(),
    };
    let mut response = (StatusCode::CREATED, Json(view)).into_response();
    // Fixed words and an id, which are always good in a header.
    let place = HeaderValue::try_from(place).ok();
    response
        .headers_mut()
        .extend(place.map(|at| (LOCATION, at)));
    response
}

/// What is no id is no key's.
fn identifier(text: &str) -> Result<ApiKeyId, ApiError> {
    text.parse().map_err(|_no_id| KeyError::NoSuchKey.into())
}
