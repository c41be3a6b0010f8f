//! `GET /user` and `PUT /user`: who the Bearer token speaks for, and what they say of themselves.

use axum::extract::State;
use axum::response::Response;

use super::super::gotrue::body::{UserBody, fresh};
use super::super::gotrue::fault::code;
use super::super::gotrue::link::{Kind, delivery};
use super::super::gotrue::{Account, Call, Fields, account};
use super::{Desk, Fault};
use crate::auth::account::Member;
use crate::auth::account::change_email::NewAddress;
use crate::auth::account::change_password::Proof;
use crate::auth::account::directory::Amendment;
use crate::auth::{AccountError, Agent};
use crate::secret::SecretText;
use crate::user::{Email, JsonObject, User};

/// The largest `user_metadata`, in bytes of JSON.
const METADATA_BYTES: usize = 16 * 1024;

/// How often a change is tried that others overtake.
const TRIES: usize = 3;

pub(super) async fn read(State(desk): State<Desk>, call: Call) -> Result<Response, Fault> {
    let account = account(&desk, &call).await?;
    Ok(fresh(&UserBody::of(&account.user, account.signed_in_at)))
}

/// What a user wants to be otherwise.
struct Wishes {
    email: Option<Email>,
    password: Option<SecretText>,
    data: Option<JsonObject>,
    proof: Proof,
}

impl Wishes {
    /// A session that was opened not long ago shows that its owner sits before it, and so does a nonce
    /// that was mailed to them.
    fn read(mut fields: Fields) -> Result<Self, Fault> {
        if fields.filled("phone")?.is_some() {
            let message = "Updating phone is not supported";
            return Err(Fault::unprocessable(code::VALIDATION_FAILED, message));
        }
        let nonce = fields.filled("nonce")?.map(SecretText::new);
        Ok(Self {
            email: fields.email("email")?,
            password: fields.filled("password")?.map(SecretText::new),
            data: fields.object("data")?,
            proof: nonce.map_or(Proof::FreshSession, Proof::MailedDigits),
        })
    }
}

/// Another address counts when the mail to it has been answered.
pub(super) async fn change(
    State(desk): State<Desk>,
    call: Call,
    fields: Fields,
) -> Result<Response, Fault> {
    let wishes = Wishes::read(fields)?;
    let account = account(&desk, &call).await?;
    let member = Member {
        user: account.user.id,
        session: account.session,
        caller: call.caller(),
    };
    let (auth, email) = (&desk.auth, wishes.email);
    let email = email.filter(|email| *email != account.user.email);
    // First what may be refused, and then what cannot be taken back: a mail that was sent.
    if let Some(password) = &wishes.password {
        let changed = auth.change_password(&member, &wishes.proof, password);
        changed.await.map_err(refused)?;
    }
    if let Some(email) = &email {
        let new = NewAddress {
            email: email.clone(),
            delivery: delivery(&desk.mount, Kind::EmailChange, &call),
        };
        // A nonce counts once, and for a password.
        let requested = auth.request_email_change(&member, &Proof::FreshSession, new);
        requested.await?;
    }
    let data = wishes.data;
    let user = match data {
        Some(data) => merge(&desk, &call, (&account, data)).await?,
        None => desk
            .auth
            .user(account.user.id)
            .await?
            .ok_or_else(Fault::user_not_found)?,
    };
    let body = UserBody::of(&user, account.signed_in_at);
    Ok(fresh(&body.moving_to(email.as_ref())))
}

fn refused(error: AccountError) -> Fault {
    match error {
        AccountError::InvalidCode => {
            let message = "Nonce has expired or is invalid";
            Fault::unprocessable(code::REAUTHENTICATION_NOT_VALID, message)
        }
        error => error.into(),
    }
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
        let agent = Agent {
            name: &user.id.to_string(),
            caller: &call.caller(),
        };
        match desk.auth.amend_user(user.id, amendment, &agent).await {
            Err(AccountError::Outdated) => {
                let newer = desk.auth.user(user.id).await?;
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
