//! `GET /user` and `PUT /user`: who the Bearer token speaks for, and what they say of themselves.

use axum::extract::State;
use axum::response::Response;

use super::super::gotrue::body::{UserBody, fresh};
use super::super::gotrue::fault::code;
use super::super::gotrue::{Account, Call, Fields, account};
use super::{Desk, Fault};
use crate::auth::directory::{Amendment, DirectoryError};
use crate::user::{JsonObject, User};

/// The largest `user_metadata`, in bytes of JSON.
const METADATA_BYTES: usize = 16 * 1024;

/// How often a change is tried that others overtake.
const TRIES: usize = 3;

pub(super) async fn read(State(desk): State<Desk>, call: Call) -> Result<Response, Fault> {
    let account = account(&desk, &call).await?;
    Ok(fresh(&UserBody::of(&account.user, account.signed_in_at)))
}

/// Of what the original changes here, this changes `data`. Address and password want a proof by mail.
pub(super) async fn change(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    for name in ["email", "phone", "password"] {
        if fields.filled(name)?.is_some() {
            let message = format!("Updating {name} is not supported");
            return Err(Fault::unprocessable(code::VALIDATION_FAILED, message));
        }
    }
    let account = account(&desk, &call).await?;
    let user = match fields.object("data")? {
        Some(data) => merge(&desk, &call, (&account, data)).await?,
        None => account.user,
    };
    Ok(fresh(&UserBody::of(&user, account.signed_in_at)))
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
            Err(DirectoryError::Outdated) => {
                let newer = desk.auth.user(id).await?;
                user = newer.ok_or_else(Fault::user_not_found)?;
            }
            Err(DirectoryError::NoSuchUser) => return Err(Fault::user_not_found()),
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

impl From<DirectoryError> for Fault {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Weak(weak) => {
                Self::unprocessable(code::WEAK_PASSWORD, weak.to_string())
            }
            DirectoryError::EmailTaken => {
                let message = "A user with this email address has already been registered";
                Self::unprocessable(code::EMAIL_EXISTS, message)
            }
            DirectoryError::IdTaken => {
                let message = "A user with this ID has already been registered";
                Self::unprocessable(code::USER_ALREADY_EXISTS, message)
            }
            DirectoryError::NoSuchUser => {
                let status = http::StatusCode::NOT_FOUND;
                Self::new(status, code::USER_NOT_FOUND, "User not found")
            }
            DirectoryError::Outdated => Self::conflict(),
            DirectoryError::Busy(_) => Self::busy(),
            DirectoryError::Unavailable(error) => error.into(),
        }
    }
}
