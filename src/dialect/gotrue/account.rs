//! Whose Bearer token it is: the session that it belongs to, and the account as it is now.

use super::Desk;
use super::call::{Call, Shown};
use super::fault::Fault;
use crate::auth::Auth;
use crate::clock::Timestamp;
use crate::id::SessionId;
use crate::identity::{Identity, Issuer};
use crate::user::{AccountStatus, User};

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(in crate::dialect) struct Account {
    pub(in crate::dialect) user: User,
    pub(in crate::dialect) session: SessionId,
    /// When the session was opened, where the token says so.
    pub(in crate::dialect) signed_in_at: Option<Timestamp>,
}

/// Only tokens of ours that belong to a session have an account here; the account is read anew, so that
/// what has changed shows at once.
pub(in crate::dialect) async fn account(desk: &Desk, call: &Call) -> Result<Account, Fault> {
    let Shown::Token(token) = call.shown() else {
        return Err(Fault::no_authorization());
    };
    let identity = desk.auth.identify_token(token)?;
    let id = match identity.issuer {
        Issuer::Own => identity.subject.parse().ok(),
        Issuer::Foreign(_) | Issuer::ApiKey(_) => None,
    };
    let (id, session) = id.zip(identity.session).ok_or_else(Fault::bad_jwt)?;
    let user = user(&desk.auth, id).await?;
    Ok(Account {
        user,
        session,
        signed_in_at: signed_in_at(&identity),
    })
}

async fn user(auth: &Auth, id: crate::id::UserId) -> Result<User, Fault> {
    let user = auth.user(id).await?.ok_or_else(Fault::user_not_found)?;
    match user.status {
        AccountStatus::Enabled => Ok(user),
        AccountStatus::Disabled => Err(Fault::user_banned()),
    }
}

/// What `amr` says in the tokens of these dialects.
fn signed_in_at(identity: &Identity) -> Option<Timestamp> {
    let first = identity.claims.get("amr")?.get(0)?;
    let seconds = first.get("timestamp")?.as_i64()?;
    Some(Timestamp::from_seconds(seconds))
}
