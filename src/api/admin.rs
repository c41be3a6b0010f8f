//! The Admin API: users, sessions, keys and the audit trail, for administrators.
//!
//! Every endpoint takes a [`Desk`], which is had by those alone whom the core judges to be one. What may be
//! in a body or a query is read in [`fields`] and [`parameters`]; what is not known there is refused.

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts};
use axum::routing::{get, post, put};
use http::request::Parts;

use super::State;
use super::error::ApiError;
use crate::auth::admin::Administrator;
use crate::wire::context::RequestContext;

mod api_keys;
mod audit;
mod fields;
mod import;
mod parameters;
mod precondition;
mod sessions;
mod signing_keys;
mod user_fields;
mod users;

use self::parameters::Parameters;
use self::precondition::Preconditions;

/// How many there are on a page unless the call says.
const USUAL_PAGE: u32 = 50;

/// How many there are on a page at most.
const LARGEST_PAGE: u32 = 200;

pub(super) fn router() -> Router<State> {
    Router::new()
        .route(
            "/.doorward/api/admin/users",
            get(users::list).post(users::add),
        )
        .route(
            "/.doorward/api/admin/users/import",
            post(import::import).layer(DefaultBodyLimit::max(import::BODY_LIMIT)),
        )
        .route(
            "/.doorward/api/admin/users/{id}",
            get(users::read).patch(users::change).delete(users::remove),
        )
        .route(
            "/.doorward/api/admin/users/{id}/roles/{role}",
            put(users::add_role).delete(users::remove_role),
        )
        .route(
            "/.doorward/api/admin/users/{id}/sessions",
            get(sessions::of_user).delete(sessions::end_of_user),
        )
        .route(
            "/.doorward/api/admin/sessions",
            get(sessions::list).delete(sessions::end_all),
        )
        .route(
            "/.doorward/api/admin/sessions/{id}",
            get(sessions::read).delete(sessions::end),
        )
        .route(
            "/.doorward/api/admin/api-keys",
            get(api_keys::list).post(api_keys::add),
        )
        .route(
            "/.doorward/api/admin/api-keys/{id}",
            get(api_keys::read)
                .patch(api_keys::rename)
                .delete(api_keys::revoke),
        )
        .route(
            "/.doorward/api/admin/api-keys/{id}/rotate",
            post(api_keys::rotate),
        )
        .route("/.doorward/api/admin/signing-keys", get(signing_keys::list))
        .route(
            "/.doorward/api/admin/signing-keys/rotate",
            post(signing_keys::rotate),
        )
        .route("/.doorward/api/admin/audit", get(audit::query))
        .route("/.doorward/api/admin/audit/head", get(audit::head))
        .route("/.doorward/api/admin/audit/verify", post(audit::verify))
}

/// A call of an administrator, without its body.
pub(super) struct Desk {
    administrator: Administrator,
    parameters: Parameters,
    preconditions: Preconditions,
}

impl FromRequestParts<State> for Desk {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, auth: &State) -> Result<Self, ApiError> {
        let context = RequestContext::from_request_parts(parts, auth).await;
        let context = context.map_err(|_past_the_gate| ApiError::Unavailable)?;
        let caller = context.caller(&parts.headers);
        let administrator = auth.administrator(&context.head(parts), caller).await?;
        Ok(Self {
            administrator,
            parameters: Parameters::read(parts.uri.query()),
            preconditions: Preconditions::read(&parts.headers),
        })
    }
}
