//! The CSRF token of this dialect: derived from the session, and so the same through all of its life.

use http::HeaderMap;

use super::answer::admin_subject;
use super::fault::Fault;
use crate::auth::Auth;
use crate::session::{Session, SessionKind};
use crate::user::User;

const HEADER: &str = "x-csrf-token";

/// What the token is derived from: kind, subject and a nonce, which is our session id.
pub(super) fn message(session: &Session, subject: &str) -> String {
    let kind = session.kind.as_str();
    format!("insforge:csrf:v1:{kind}:{subject}:{}", session.id)
}

/// Refuses a request that does not show the token of this session, exactly once.
pub(super) async fn check(
    auth: &Auth,
    headers: &HeaderMap,
    session: &Session,
) -> Result<(), Fault> {
    let message = message(session, &stored_subject(auth, session).await?);
    let mut shown = headers.get_all(HEADER).iter();
    let holds = match (shown.next(), shown.next()) {
        (Some(value), None) => value
            .to_str()
            .is_ok_and(|value| auth.csrf_matches(&message, value)),
        (None, _) | (Some(_), Some(_)) => false,
    };
    if holds {
        Ok(())
    } else {
        Err(Fault::invalid_csrf_token())
    }
}

/// The subject of a session that is not refreshed yet. That of an admin is a user name, which no
/// session keeps.
async fn stored_subject(auth: &Auth, session: &Session) -> Result<String, Fault> {
    let id = session.subject.user;
    match session.kind {
        SessionKind::User => Ok(id.to_string()),
        SessionKind::Admin => {
            let user = auth.user(id).await?.ok_or_else(Fault::user_not_found)?;
            Ok(admin_subject(&user))
        }
    }
}

/// The subject of a session of this user.
pub(super) fn subject(session: &Session, user: Option<&User>) -> Result<String, Fault> {
    match (session.kind, user) {
        (SessionKind::User, _) => Ok(session.subject.user.to_string()),
        (SessionKind::Admin, Some(user)) => Ok(admin_subject(user)),
        (SessionKind::Admin, None) => Err(Fault::unavailable()),
    }
}
