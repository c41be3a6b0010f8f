//! The session and the user, as GoTrue shows them.

use aws_lc_rs::digest::{SHA256, digest};
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, header};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::form::AUTHENTICATED;
use crate::auth::SignedIn;
use crate::clock::Timestamp;
use crate::id::UserId;
use crate::session::Session;
use crate::user::{AccountStatus, Email, EmailStatus, JsonObject, User};

const USER_ID: HeaderName = HeaderName::from_static("sb-auth-user-id");
const SESSION_ID: HeaderName = HeaderName::from_static("sb-auth-session-id");

/// The provider of everybody here: an address and a password.
const PROVIDER: &str = "email";

/// A closed account opens by somebody's hand and not by itself; the original writes such a date, too.
const BANNED_UNTIL: &str = "2999-12-31T23:59:59.000Z";

/// A session.
#[derive(Serialize)]
pub struct SessionBody<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    expires_at: i64,
    refresh_token: &'a str,
}

/// A user.
#[derive(Serialize)]
pub struct UserBody<'a> {
    id: String,
    aud: &'static str,
    role: &'static str,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_confirmed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invited_at: Option<String>,
    /// Never null.
    phone: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation_sent_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sign_in_at: Option<String>,
    app_metadata: JsonObject,
    user_metadata: JsonObject,
    identities: Vec<IdentityBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    banned_until: Option<&'static str>,
    is_anonymous: bool,
}

/// How a user signs in.
#[derive(Serialize)]
struct IdentityBody<'a> {
    identity_id: String,
    id: String,
    user_id: String,
    identity_data: serde_json::Value,
    provider: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sign_in_at: Option<String>,
    created_at: String,
    updated_at: String,
    email: &'a str,
}

/// A session with its user: the answer to a grant.
#[derive(Serialize)]
pub struct GrantBody<'a> {
    #[serde(flatten)]
    session: SessionBody<'a>,
    user: UserBody<'a>,
}

impl<'a> SessionBody<'a> {
    /// The session with the tokens that were just made.
    pub fn of(signed_in: &'a SignedIn) -> Self {
        let access = &signed_in.access;
        // What `exp` says, and so in whole seconds on both sides.
        let expires_at = access.expires_at.as_seconds();
        let lifetime = expires_at.saturating_sub(signed_in.issued_at.as_seconds());
        Self {
            access_token: access.text.expose(),
            token_type: "bearer",
            expires_in: u64::try_from(lifetime).unwrap_or(0),
            expires_at,
            refresh_token: signed_in.refresh.expose(),
        }
    }
}

impl<'a> GrantBody<'a> {
    /// The session and its user.
    pub fn of(signed_in: &'a SignedIn) -> Self {
        Self {
            session: SessionBody::of(signed_in),
            user: UserBody::of_session(signed_in),
        }
    }
}

impl<'a> UserBody<'a> {
    /// A user, and when they last signed in where that is known.
    ///
    /// When an address was confirmed is not kept; it was at some time after the account was made.
    pub fn of(user: &'a User, signed_in_at: Option<Timestamp>) -> Self {
        let created_at = user.created_at.to_string();
        let confirmed_at = match user.email_status {
            EmailStatus::Verified => Some(created_at.clone()),
            EmailStatus::Unverified => None,
        };
        Self {
            id: user.id.to_string(),
            aud: AUTHENTICATED,
            role: AUTHENTICATED,
            email: user.email.as_str(),
            email_confirmed_at: confirmed_at.clone(),
            invited_at: None,
            phone: "",
            confirmation_sent_at: None,
            confirmed_at,
            new_email: None,
            last_sign_in_at: signed_in_at.map(|at| at.to_string()),
            app_metadata: app_metadata(Some(&user.metadata)),
            user_metadata: user.profile.clone(),
            identities: vec![IdentityBody::of(user, signed_in_at)],
            created_at: Some(created_at),
            updated_at: Some(user.updated_at.to_string()),
            banned_until: match user.status {
                AccountStatus::Enabled => None,
                AccountStatus::Disabled => Some(BANNED_UNTIL),
            },
            is_anonymous: false,
        }
    }

    /// Who has signed up a moment ago, and has mail to read.
    pub fn of_new(user: &'a User) -> Self {
        let body = Self::of(user, None);
        Self {
            confirmation_sent_at: body.created_at.clone(),
            ..body
        }
    }

    /// Who was invited a moment ago, and has mail to read.
    pub fn of_invited(user: &'a User) -> Self {
        let body = Self::of_new(user);
        Self {
            invited_at: body.created_at.clone(),
            ..body
        }
    }

    /// A user who has asked for another address.
    #[must_use]
    pub fn moving_to(self, address: Option<&Email>) -> Self {
        Self {
            new_email: address.map(ToString::to_string),
            ..self
        }
    }

    /// The user of a session. The clients save no session without one, so while the user store is away
    /// it is made of what the session itself knows.
    pub fn of_session(signed_in: &'a SignedIn) -> Self {
        let session = &signed_in.session;
        // In whole seconds, as the token has it, so that both ways show the same user.
        let signed_in_at = Timestamp::from_seconds(session.created_at.as_seconds());
        match &signed_in.user {
            Some(user) => Self::of(user, Some(signed_in_at)),
            None => Self::remembered(session),
        }
    }

    fn remembered(session: &'a Session) -> Self {
        Self {
            id: session.subject.user.to_string(),
            aud: AUTHENTICATED,
            role: AUTHENTICATED,
            email: session.subject.email.as_str(),
            email_confirmed_at: None,
            invited_at: None,
            phone: "",
            confirmation_sent_at: None,
            confirmed_at: None,
            new_email: None,
            last_sign_in_at: Some(session.created_at.to_string()),
            app_metadata: app_metadata(None),
            user_metadata: JsonObject::new(),
            identities: Vec::new(),
            created_at: None,
            updated_at: None,
            banned_until: None,
            is_anonymous: false,
        }
    }
}

impl<'a> IdentityBody<'a> {
    fn of(user: &'a User, signed_in_at: Option<Timestamp>) -> Self {
        let id = user.id.to_string();
        Self {
            identity_id: identity_id(user.id).to_string(),
            // With an address, the provider knows somebody by our own name.
            id: id.clone(),
            identity_data: json!({
                "email": user.email.as_str(),
                "email_verified": user.email_status == EmailStatus::Verified,
                "phone_verified": false,
                "sub": id,
            }),
            user_id: id,
            provider: PROVIDER,
            last_sign_in_at: signed_in_at.map(|at| at.to_string()),
            created_at: user.created_at.to_string(),
            updated_at: user.updated_at.to_string(),
            email: user.email.as_str(),
        }
    }
}

/// A name that follows from that of the user: nothing more is kept of an identity. A UUID of version 8
/// (RFC 9562 §5.8).
fn identity_id(user: UserId) -> Uuid {
    let mut text = b"identity:email:".to_vec();
    text.extend_from_slice(user.as_bytes());
    let hash = digest(&SHA256, &text);
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(hash.as_ref())
        .for_each(|(to, from)| *to = *from);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// What the system keeps about a user, and how they sign in.
pub fn app_metadata(kept: Option<&JsonObject>) -> JsonObject {
    let mut all = kept.cloned().unwrap_or_default();
    all.insert("provider".to_owned(), json!(PROVIDER));
    all.insert("providers".to_owned(), json!([PROVIDER]));
    all
}

/// A 200 that no cache keeps.
pub fn fresh<T: Serialize>(body: &T) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    ([(header::CACHE_CONTROL, no_store)], Json(body)).into_response()
}

/// A 200 with tokens in it, and in headers whose they are.
pub fn granted<T: Serialize>(body: &T, session: &Session) -> Response {
    let mut response = fresh(body);
    let named = [
        (USER_ID, session.subject.user.to_string()),
        (SESSION_ID, session.id.to_string()),
    ];
    for (name, value) in named {
        // UUIDs are always good in a header.
        let value = HeaderValue::try_from(value).ok();
        response
            .headers_mut()
            .extend(value.map(|value| (name, value)));
    }
    response
}
