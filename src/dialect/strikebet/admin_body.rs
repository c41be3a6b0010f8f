//! The answer to a sign-in of an administrator: a flat session, and what the directory has of them.

use serde::Serialize;

use crate::auth::SignedIn;
use crate::dialect::gotrue::body::{SessionBody, app_metadata};
use crate::dialect::gotrue::form::AUTHENTICATED;
use crate::user::{EmailStatus, JsonObject, User};

/// The session with user and directory entry.
#[derive(Serialize)]
pub(super) struct AdminBody<'a> {
    #[serde(flatten)]
    session: SessionBody<'a>,
    user: UserBody<'a>,
    admin_details: AdminDetails<'a>,
}

/// A user, as the documents of this dialect show one: without a telephone it has null, where GoTrue
/// itself has an empty text.
#[derive(Serialize)]
struct UserBody<'a> {
    id: String,
    aud: &'static str,
    role: &'static str,
    email: &'a str,
    phone: Option<&'a str>,
    email_confirmed_at: Option<String>,
    phone_confirmed_at: Option<String>,
    last_sign_in_at: String,
    app_metadata: JsonObject,
    user_metadata: &'a JsonObject,
    created_at: String,
    updated_at: String,
}

/// The row of the users' table.
#[derive(Serialize)]
struct AdminDetails<'a> {
    id: String,
    email: &'a str,
    is_admin: bool,
    created_at: String,
}

impl<'a> AdminBody<'a> {
    pub(super) fn of(signed_in: &'a SignedIn, user: &'a User) -> Self {
        let created_at = user.created_at.to_string();
        let confirmed_at = match user.email_status {
            EmailStatus::Verified => Some(created_at.clone()),
            EmailStatus::Unverified => None,
        };
        Self {
            session: SessionBody::of(signed_in),
            user: UserBody {
                id: user.id.to_string(),
                aud: AUTHENTICATED,
                role: AUTHENTICATED,
                email: user.email.as_str(),
                phone: None,
                email_confirmed_at: confirmed_at,
                phone_confirmed_at: None,
                last_sign_in_at: signed_in.session.created_at.to_string(),
                app_metadata: app_metadata(Some(&user.metadata)),
                user_metadata: &user.profile,
                created_at: created_at.clone(),
                updated_at: user.updated_at.to_string(),
            },
            admin_details: AdminDetails {
                id: user.id.to_string(),
                email: user.email.as_str(),
                is_admin: user.roles.has_admin(),
                created_at,
            },
        }
    }
}
