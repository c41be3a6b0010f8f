//! How users and sessions look on the wire.

use serde::Serialize;

use crate::session::Session;
use crate::user::{EmailStatus, JsonObject, User};

/// A user, as they see themselves.
#[derive(Debug, Serialize)]
pub(super) struct UserView {
    id: String,
    email: String,
    roles: Vec<String>,
    #[serde(flatten)]
    account: Option<AccountView>,
}

/// What only the user store knows; left out while it is away.
#[derive(Debug, Serialize)]
struct AccountView {
    username: Option<String>,
    email_verified: bool,
    profile: JsonObject,
    created_at: String,
}

impl UserView {
    /// From the session, and from the account where it is at hand.
    pub(super) fn of(session: &Session, user: Option<User>) -> Self {
        let subject = &session.subject;
        Self {
            id: subject.user.to_string(),
            email: subject.email.to_string(),
            roles: subject.roles.iter().map(ToString::to_string).collect(),
            account: user.map(AccountView::from),
        }
    }
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.to_string(),
            roles: user.roles.iter().map(ToString::to_string).collect(),
            account: Some(user.into()),
        }
    }
}

impl From<User> for AccountView {
    fn from(user: User) -> Self {
        Self {
            username: user.username.map(|name| name.to_string()),
            email_verified: user.email_status == EmailStatus::Verified,
            profile: user.profile,
            created_at: user.created_at.to_string(),
        }
    }
}

/// A session, as its user sees it.
#[derive(Debug, Serialize)]
pub(super) struct SessionView {
    id: String,
    kind: &'static str,
    client: &'static str,
    persistence: &'static str,
    created_at: String,
    refreshed_at: String,
    expires_at: String,
    ends_at: String,
    address: String,
    user_agent: String,
}

impl From<&Session> for SessionView {
    fn from(session: &Session) -> Self {
        Self {
            id: session.id.to_string(),
            kind: session.kind.as_str(),
            client: session.client.as_str(),
            persistence: session.persistence.as_str(),
            created_at: session.created_at.to_string(),
            refreshed_at: session.refreshed_at.to_string(),
            expires_at: session.expires_at.to_string(),
            ends_at: session.ends_at.to_string(),
            address: session.address.clone(),
            user_agent: session.user_agent.clone(),
        }
    }
}
