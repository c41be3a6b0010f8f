//! The bodies of answers that went well.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::csrf;
use super::entrance::Entrance;
use super::fault::Fault;
use crate::auth::{Auth, SignedIn};
use crate::session::{ClientKind, Session, SessionKind};
use crate::user::{EmailStatus, JsonObject, User};
use crate::wire::cookie::CookieLife;

/// A user, as clients see one. What a session alone does not know is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserBody<'a> {
    id: String,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    providers: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<String>,
    profile: Option<&'a JsonObject>,
    metadata: Option<&'a JsonObject>,
}

/// Whom an answer is about.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Who<'a> {
    User {
        user: UserBody<'a>,
    },
    /// The releases say `admin`, the published document says `projectAdmin`; clients ignore what they
    /// do not know.
    #[serde(rename_all = "camelCase")]
    Admin {
        admin: AdminSub,
        project_admin: ProjectAdmin<'a>,
    },
}

#[derive(Serialize)]
pub(super) struct AdminSub {
    sub: String,
}

#[derive(Serialize)]
pub(super) struct ProjectAdmin<'a> {
    subject: String,
    username: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Opened<'a> {
    #[serde(flatten)]
    who: Who<'a>,
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    require_email_verification: Option<bool>,
}

/// A new account, whose user is not signed in.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Registered<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserBody<'a>>,
    /// Always null, and there: so it is told from a session.
    access_token: Option<&'a str>,
    require_email_verification: bool,
}

/// What a user says of themselves.
#[derive(Serialize)]
struct ProfileBody<'a> {
    id: String,
    profile: Option<&'a JsonObject>,
}

#[derive(Serialize)]
struct Done {
    success: bool,
    message: &'static str,
}

/// The `sub` of an admin.
pub(super) fn admin_subject(user: &User) -> String {
    format!("local:{}", admin_name(user))
}

/// An admin without a user name goes by the address.
fn admin_name(user: &User) -> &str {
    let username = user.username.as_ref();
    username.map_or_else(|| user.email.as_str(), |name| name.as_str())
}

impl<'a> UserBody<'a> {
    pub(super) fn of(user: &'a User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.as_str(),
            email_verified: Some(user.email_status == EmailStatus::Verified),
            providers: PROVIDERS,
            created_at: Some(user.created_at.to_string()),
            updated_at: Some(user.updated_at.to_string()),
            profile: filled(&user.profile),
            metadata: filled(&user.metadata),
        }
    }
}

impl<'a> Who<'a> {
    pub(super) fn user(user: &'a User) -> Self {
        let user = UserBody::of(user);
        Self::User { user }
    }

    pub(super) fn admin(user: &'a User) -> Self {
        let subject = admin_subject(user);
        Self::Admin {
            admin: AdminSub {
                sub: subject.clone(),
            },
            project_admin: ProjectAdmin {
                subject,
                username: admin_name(user),
            },
        }
    }

    /// The clients save no session without a `user`, so while the user store is away a session of a
    /// user answers with what it knows itself.
    fn of(signed_in: &'a SignedIn) -> Result<Self, Fault> {
        match (signed_in.session.kind, &signed_in.user) {
            (SessionKind::User, Some(user)) => Ok(Self::user(user)),
            (SessionKind::User, None) => Ok(Self::remembered(&signed_in.session)),
            (SessionKind::Admin, Some(user)) => Ok(Self::admin(user)),
            (SessionKind::Admin, None) => Err(Fault::unavailable()),
        }
    }

    fn remembered(session: &'a Session) -> Self {
        let user = UserBody {
            id: session.subject.user.to_string(),
            email: session.subject.email.as_str(),
            email_verified: None,
            providers: PROVIDERS,
            created_at: None,
            updated_at: None,
            profile: None,
            metadata: None,
        };
        Self::User { user }
    }
}

/// Whoever signs in here does so with a password, which is what clients call the provider `email`.
const PROVIDERS: [&str; 1] = ["email"];

fn filled(object: &JsonObject) -> Option<&JsonObject> {
    (!object.is_empty()).then_some(object)
}

/// The answer to a sign-in or refresh: to a browser with the refresh token in a cookie, to a program
/// with the refresh token in the body.
pub(super) fn opened(
    auth: &Auth,
    signed_in: &SignedIn,
    at: (&Entrance, ClientKind),
) -> Result<Response, Fault> {
    respond(auth, signed_in, (at, None))
}

/// The answer to a sign-up whose user is signed in at once.
pub(super) fn signed_up(
    auth: &Auth,
    signed_in: &SignedIn,
    client: ClientKind,
) -> Result<Response, Fault> {
    respond(auth, signed_in, ((&Entrance::USER, client), Some(false)))
}

/// The answer to a sign-up whose user must prove the address first: who that is, it does not tell, as it
/// may be nobody new.
pub(super) fn must_verify() -> Response {
    fresh(&Registered {
        user: None,
        access_token: None,
        require_email_verification: true,
    })
}

/// The answer to an administrator who has made an account.
pub(super) fn registered(user: &User, require_email_verification: bool) -> Response {
    fresh(&Registered {
        user: Some(UserBody::of(user)),
        access_token: None,
        require_email_verification,
    })
}

/// The profile of a user.
pub(super) fn profile(user: &User) -> Response {
    fresh(&ProfileBody {
        id: user.id.to_string(),
        profile: filled(&user.profile),
    })
}

/// 202: a mail may be on its way.
pub(super) fn accepted(message: &'static str) -> Response {
    let body = Done {
        success: true,
        message,
    };
    (StatusCode::ACCEPTED, fresh(&body)).into_response()
}

fn respond(
    auth: &Auth,
    signed_in: &SignedIn,
    ((entrance, client), require_email_verification): ((&Entrance, ClientKind), Option<bool>),
) -> Result<Response, Fault> {
    let mut body = Opened {
        require_email_verification,
        who: Who::of(signed_in)?,
        access_token: signed_in.access.text.expose(),
        csrf_token: None,
        refresh_token: None,
    };
    match client {
        ClientKind::Native => {
            body.refresh_token = Some(signed_in.refresh.expose());
            Ok(fresh(&body))
        }
        ClientKind::Web => {
            let session = &signed_in.session;
            let subject = csrf::subject(session, signed_in.user.as_ref())?;
            let token = auth.csrf_value(&csrf::message(session, &subject));
            body.csrf_token = Some(token.ok_or_else(Fault::internal)?);
            let mut response = fresh(&body);
            let cookie = refresh_cookie(entrance, signed_in)?;
            response.headers_mut().append(header::SET_COOKIE, cookie);
            Ok(response)
        }
    }
}

/// The cookie lives as long as the newest refresh token of its session.
fn refresh_cookie(entrance: &Entrance, signed_in: &SignedIn) -> Result<HeaderValue, Fault> {
    let session = &signed_in.session;
    let lifetime = session.expires_at.since(signed_in.issued_at);
    let cookie = entrance
        .cookie
        .set(&signed_in.refresh, CookieLife::For(lifetime));
    cookie.map_err(|error| {
        tracing::error!(%error, "a refresh token does not fit into a cookie");
        Fault::internal()
    })
}

/// The answer to a logout.
pub(super) fn logged_out() -> Response {
    fresh(&Done {
        success: true,
        message: "Logged out successfully",
    })
}

/// A 200 that no cache keeps.
pub(super) fn fresh<T: Serialize>(body: &T) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    ([(header::CACHE_CONTROL, no_store)], Json(body)).into_response()
}
