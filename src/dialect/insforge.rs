//! The `InsForge` dialect: the paths, bodies, cookies and errors of its login API.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderValue, Method, header};

use super::{Desk, Mount, OwnNames, cors};
use crate::auth::Auth;
use crate::auth::tokens::form::{Bearer, FormConfig, FormKey};
use crate::session::SessionKind;
use crate::token::mint::MadeType;
use crate::user::JsonObject;
use crate::wire::cookie::Cookie;

mod answer;
mod call;
mod csrf;
mod current;
mod entrance;
mod fault;
mod fields;
mod refresh;
mod sign_in;
mod sign_out;
mod style;

pub use self::style::InsForgeStyle;

use self::entrance::Entrance;

const ADMIN_SESSIONS: &str = "/api/auth/admin/sessions";
const ADMIN_CURRENT: &str = "/api/auth/admin/sessions/current";
const ADMIN_REFRESH: &str = "/api/auth/admin/refresh";
const ADMIN_LOGOUT: &str = "/api/auth/admin/logout";
const SESSIONS: &str = "/api/auth/sessions";
const CURRENT: &str = "/api/auth/sessions/current";
const REFRESH: &str = "/api/auth/refresh";
const LOGOUT: &str = "/api/auth/logout";
const JWKS: &str = "/api/.well-known/jwks.json";

/// The endpoints, and the preflights of those that pages of other origins call.
pub const ROUTES: &[(Method, &str)] = &[
    (Method::POST, ADMIN_SESSIONS),
    (Method::GET, ADMIN_CURRENT),
    (Method::POST, ADMIN_REFRESH),
    (Method::POST, ADMIN_LOGOUT),
    (Method::POST, SESSIONS),
    (Method::GET, CURRENT),
    (Method::POST, REFRESH),
    (Method::POST, LOGOUT),
    (Method::GET, JWKS),
    (Method::OPTIONS, ADMIN_SESSIONS),
    (Method::OPTIONS, ADMIN_CURRENT),
    (Method::OPTIONS, ADMIN_REFRESH),
    (Method::OPTIONS, ADMIN_LOGOUT),
    (Method::OPTIONS, SESSIONS),
    (Method::OPTIONS, CURRENT),
    (Method::OPTIONS, REFRESH),
    (Method::OPTIONS, LOGOUT),
    (Method::OPTIONS, JWKS),
];

/// The refresh cookies of users and of administrators.
pub const COOKIES: &[Cookie] = &[Entrance::USER.cookie, Entrance::ADMIN.cookie];

/// The largest body of a request, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// The endpoints of [`ROUTES`].
pub fn router(auth: Arc<Auth>, mount: &Mount) -> Router {
    let cors = mount.cors();
    let desk = Desk {
        auth,
        form: mount.form.clone(),
    };
    Router::new()
        .route(ADMIN_SESSIONS, post(sign_in::admin))
        .route(ADMIN_CURRENT, get(current::admin))
        .route(ADMIN_REFRESH, post(refresh::admin))
        .route(ADMIN_LOGOUT, post(sign_out::admin))
        .route(SESSIONS, post(sign_in::user))
        .route(CURRENT, get(current::user))
        .route(REFRESH, post(refresh::user))
        .route(LOGOUT, post(sign_out::user))
        .route(JWKS, get(jwks))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(cors, cors::layer))
        .with_state(desk)
}

/// Our own tokens, with the `role` that an `InsForge` service behind the gateway reads.
pub fn token_form(own: OwnNames<'_>) -> FormConfig {
    FormConfig {
        issuer: own.issuer.to_owned(),
        audience: own.audience.to_owned(),
        token_type: MadeType::Access,
        key: FormKey::Ring,
        words,
    }
}

fn words(bearer: Bearer<'_>) -> JsonObject {
    let role = match bearer.session.kind {
        SessionKind::Admin => "project_admin",
        SessionKind::User => "authenticated",
    };
    JsonObject::from_iter([("role".to_owned(), role.into())])
}

/// The public keys of our tokens.
async fn jwks(State(auth): State<Arc<Auth>>) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], auth.tokens().jwks()).into_response()
}
