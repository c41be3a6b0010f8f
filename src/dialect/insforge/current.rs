//! `GET /sessions/current` and `GET /admin/sessions/current`: who the Bearer token speaks for.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::PROJECT_ADMIN;
use super::answer::{Who, fresh};
use super::call::{Bearer, Call};
use super::fault::Fault;
use crate::api_key::UnverifiedKey;
use crate::auth::Auth;
use crate::identity::{Identity, Issuer};
use crate::user::{AccountStatus, Role, User};

pub(super) async fn user(State(auth): State<Arc<Auth>>, call: Call) -> Result<Response, Fault> {
    let identity = identify(&auth, &call)?;
    refuse_administrators(&identity)?;
    let user = account(&auth, &identity).await?;
    Ok(fresh(&Who::user(&user)))
}

pub(super) async fn admin(State(auth): State<Arc<Auth>>, call: Call) -> Result<Response, Fault> {
    let identity = identify(&auth, &call)?;
    if !identity.has_role(Role::ADMIN) {
        return Err(Fault::admin_required());
    }
    let user = account(&auth, &identity).await?;
    Ok(fresh(&Who::admin(&user)))
}

/// A session that was opened at the admins' entrance is none of a user, as the original has it. A token
/// that the gateway made elsewhere is no such one, whatever its bearer may do.
fn refuse_administrators(identity: &Identity) -> Result<(), Fault> {
    match identity.claims.get("role") {
        Some(role) if role == PROJECT_ADMIN => Err(Fault::no_user_session()),
        Some(_) | None => Ok(()),
    }
}

/// Whose token it is. Keys are nobody's, and no tokens.
pub(super) fn identify(auth: &Auth, call: &Call) -> Result<Arc<Identity>, Fault> {
    match call.bearer() {
        Bearer::Token(key) if UnverifiedKey::read(key).is_some() => Err(Fault::invalid_token()),
        Bearer::Absent => Err(Fault::no_token()),
        Bearer::Unreadable => Err(Fault::invalid_token()),
        Bearer::Token(token) => Ok(auth.identify_token(token)?),
    }
}

/// Only tokens of ours have an account here; a closed one is as good as none.
pub(super) async fn account(auth: &Auth, identity: &Identity) -> Result<User, Fault> {
    let id = match identity.issuer {
        Issuer::Own => identity.subject.parse().ok(),
        Issuer::Foreign(_) | Issuer::ApiKey(_) => None,
    };
    let user = auth.user(id.ok_or_else(Fault::invalid_token)?).await?;
    let user = user.filter(|user| user.status == AccountStatus::Enabled);
    user.ok_or_else(Fault::user_not_found)
}
