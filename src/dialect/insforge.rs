//! The `InsForge` dialect: the paths, bodies, cookies and errors of its login API.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, patch, post};
use http::{HeaderValue, Method};

use super::cors::{self, Sharing};
use super::{Mount, OwnNames, Shape};
use crate::auth::Auth;
use crate::auth::tokens::form::{Bearer, FormConfig, FormKey};
use crate::session::SessionKind;
use crate::token::mint::MadeType;
use crate::user::JsonObject;
use crate::wire::cookie::Cookie;

mod about;
mod answer;
mod call;
mod credential;
mod csrf;
mod current;
mod desk;
mod entrance;
mod fault;
mod fields;
mod links;
mod mail;
mod profile;
mod redirect;
mod refresh;
mod sign_in;
mod sign_out;
mod style;
mod users;

pub use self::style::InsForgeStyle;

use self::desk::Desk;
use self::entrance::Entrance;

/// The `role` of a session that was opened at the admins' entrance, in tokens.
const PROJECT_ADMIN: &str = "project_admin";

const ALL: &str = "/api/auth/**";
const JWKS: &str = "/api/.well-known/jwks.json";
const VERIFY_LINK: &str = "/api/auth/email/verify-link";
const RESET_LINK: &str = "/api/auth/email/reset-password-link";

/// The endpoints, so that no route of the configuration takes their place unseen; and all else below
/// `/api/auth`, so that no login of another is reached there by mistake.
pub const ROUTES: &[(Method, &str)] = &[
    (Method::GET, "/api/auth/public-config"),
    (Method::POST, "/api/auth/admin/sessions"),
    (Method::GET, "/api/auth/admin/sessions/current"),
    (Method::POST, "/api/auth/admin/refresh"),
    (Method::POST, "/api/auth/admin/logout"),
    (Method::POST, "/api/auth/sessions"),
    (Method::GET, "/api/auth/sessions/current"),
    (Method::POST, "/api/auth/refresh"),
    (Method::POST, "/api/auth/logout"),
    (Method::POST, "/api/auth/users"),
    (Method::GET, "/api/auth/users"),
    (Method::DELETE, "/api/auth/users"),
    (Method::GET, "/api/auth/users/*"),
    (Method::PATCH, "/api/auth/profiles/current"),
    (Method::GET, "/api/auth/profiles/*"),
    (Method::POST, "/api/auth/email/send-otp"),
    (Method::POST, "/api/auth/email/send-verification"),
    (Method::POST, "/api/auth/email/verify"),
    (Method::POST, "/api/auth/email/send-reset-password"),
    (
        Method::POST,
        "/api/auth/email/exchange-reset-password-token",
    ),
    (Method::POST, "/api/auth/email/reset-password"),
    (Method::GET, VERIFY_LINK),
    (Method::GET, RESET_LINK),
    (Method::GET, ALL),
    (Method::HEAD, ALL),
    (Method::POST, ALL),
    (Method::PUT, ALL),
    (Method::PATCH, ALL),
    (Method::DELETE, ALL),
    (Method::OPTIONS, ALL),
    (Method::GET, JWKS),
    (Method::OPTIONS, JWKS),
];

/// What pages of other origins may send and read: the methods here, and what the clients read of PostgREST.
pub const SHARING: Sharing = Sharing {
    methods: HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"),
    headers: HeaderValue::from_static("content-type, authorization, x-csrf-token, x-api-key"),
    exposed: HeaderValue::from_static(
        "content-range, preference-applied, retry-after, x-request-id",
    ),
};

/// The refresh cookies of users and of administrators.
pub const COOKIES: &[Cookie] = &[Entrance::USER.cookie, Entrance::ADMIN.cookie];

/// The largest body of a request, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// The endpoints below [`ROUTES`].
pub fn router(auth: Arc<Auth>, mount: &Mount) -> Router {
    let cors = Shape::InsForge.cors(mount.allowed_origins.clone());
    Router::new()
        .merge(sessions())
        .merge(accounts())
        .route(JWKS, get(about::jwks))
        .fallback(about::missing)
        .method_not_allowed_fallback(about::missing)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(cors, cors::layer))
        .with_state(Desk::new(auth, mount))
}

fn sessions() -> Router<Desk> {
    Router::new()
        .route("/api/auth/admin/sessions", post(sign_in::admin))
        .route("/api/auth/admin/sessions/current", get(current::admin))
        .route("/api/auth/admin/refresh", post(refresh::admin))
        .route("/api/auth/admin/logout", post(sign_out::admin))
        .route("/api/auth/sessions", post(sign_in::user))
        .route("/api/auth/sessions/current", get(current::user))
        .route("/api/auth/refresh", post(refresh::user))
        .route("/api/auth/logout", post(sign_out::user))
}

fn accounts() -> Router<Desk> {
    Router::new()
        .route("/api/auth/public-config", get(about::public_config))
        .route(
            "/api/auth/users",
            post(users::sign_up).get(users::list).delete(users::remove),
        )
        .route("/api/auth/users/{id}", get(users::read))
        .route("/api/auth/profiles/current", patch(profile::change))
        .route("/api/auth/profiles/{id}", get(profile::read))
        .route("/api/auth/email/send-otp", post(mail::send_otp))
        .route(
            "/api/auth/email/send-verification",
            post(mail::send_verification),
        )
        .route("/api/auth/email/verify", post(mail::verify))
        .route(
            "/api/auth/email/send-reset-password",
            post(mail::send_reset),
        )
        .route(
            "/api/auth/email/exchange-reset-password-token",
            post(mail::exchange),
        )
        .route("/api/auth/email/reset-password", post(mail::reset))
        // A `HEAD` only looks; whoever follows a link, gets it.
        .route(VERIFY_LINK, get(links::verify).head(about::missing))
        .route(RESET_LINK, get(links::reset))
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
        SessionKind::Admin => PROJECT_ADMIN,
        SessionKind::User => "authenticated",
    };
    JsonObject::from_iter([("role".to_owned(), role.into())])
}
