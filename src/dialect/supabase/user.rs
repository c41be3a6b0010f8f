//! `GET /user` and `PUT /user`: who the Bearer token speaks for, and what they say of themselves.

use axum::extract::State;
use axum::response::Response;

use super::super::gotrue::body::{UserBody, fresh};
use super::super::gotrue::fault::code;
use super::super::gotrue::{Account, Call, Fields, account};
use super::{Desk, Fault};
use crate::auth::AccountError;
use crate::auth::account::Member;
use crate::auth::account::change_password::Proof;
use crate::auth::account::directory::Amendment;
use crate::secret::SecretText;
use crate::user::{JsonObject, User};

/// The largest `user_metadata`, in bytes of JSON.
const METADATA_BYTES: usize = 16 * 1024;

/// How often a change is tried that others overtake.
const TRIES: usize = 3;

pub(super) async fn read(State(desk): State<Desk>, call: Call) -> Result<Response, Fault> {
    let account = account(&desk, &call).await?;
    Ok(fresh(&UserBody::of(&account.user, account.signed_in_at)))
}

/// Of what the original changes here, this changes `data` and `password`. Another address wants a proof
/// by mail.
pub(super) async fn change(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    for name in ["email", "phone"] {
        if fields.filled(name)?.is_some() {
            let message = format!("Updating {name} is not supported");
            return Err(Fault::unprocessable(code::VALIDATION_FAILED, message));
        }
    }
    let (password, data) = (fields.filled("password")?, fields.object("data")?);
    let account = account(&desk, &call).await?;
    if let Some(password) = password {
        change_password(&desk, &call, (&account, SecretText::new(password))).await?;
    }
    let user = match data {
        Some(data) => merge(&desk, &call, (&account, data)).await?,
        None => desk
            .auth
            .user(account.user.id)
            .await?
            .ok_or_else(Fault::user_not_found)?,
    };
    Ok(fresh(&UserBody::of(&user, account.signed_in_at)))
}

/// A session that was opened not long ago shows that its owner sits before it; the others end.
async fn change_password(
    desk: &Desk,
    call: &Call,
    (account, new): (&Account, SecretText),
) -> Result<(), Fault> {
    let member = Member {
        user: account.user.id,
        session: account.session,
        caller: call.caller(),
    };
    let changed = desk
        .auth
        .change_password(&member, &Proof::FreshSession, &new);
    Ok(changed.await?)
}

/// Puts `data` into what is there, over what somebody else may change at the same time.
async fn merge(
    desk: &Desk,
    call: &Call,
    (account, data): (&Account, JsonObject),
) -> Result<User, Fault> {
    let mut user = account.user.clone();
    for _ in 0..TRIES {
        let amendment = Amendment {
            expected: Some(user.revision),
            profile: Some(merged(&user.profile, data.clone())?),
            ..Amendment::default()
        };
        let (id, caller) = (user.id, call.caller());
        match desk.auth.amend_user(id, amendment, &caller).await {
            Err(AccountError::Outdated) => {
                let newer = desk.auth.user(id).await?;
                user = newer.ok_or_else(Fault::user_not_found)?;
            }
            Err(AccountError::Gone) => return Err(Fault::user_not_found()),
            result => return Ok(result?),
        }
    }
    Err(Fault::conflict())
}

/// Key by key, as the original does; null takes a key away.
pub(super) fn merged(before: &JsonObject, data: JsonObject) -> Result<JsonObject, Fault> {
    let mut all = before.clone();
    for (key, value) in data {
        if value.is_null() {
            all.remove(&key);
        } else {
            all.insert(key, value);
        }
    }
    let size = serde_json::to_vec(&all).map_or(usize::MAX, |text| text.len());
    if size > METADATA_BYTES {
        let message = "The metadata of a user has at most 16 KB";
        return Err(Fault::unprocessable(code::VALIDATION_FAILED, message));
    }
    Ok(all)
}
