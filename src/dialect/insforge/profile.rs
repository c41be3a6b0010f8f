//! `PATCH /profiles/current` and `GET /profiles/{id}`: what users say of themselves. Everybody may read
//! it, as the clients show it beside what somebody has written.

use axum::extract::{Path, State};
use axum::response::Response;

use super::answer;
use super::call::Call;
use super::credential::member;
use super::desk::Desk;
use super::fault::Fault;
use super::fields::Fields;
use crate::auth::account::Member;
use crate::auth::account::profile::ProfileChange;
use crate::auth::{AccountError, Auth};
use crate::user::{AccountStatus, JsonObject, User};

/// The largest profile, in bytes of JSON.
const MOST_BYTES: usize = 16 * 1024;

/// How often a change is tried that others overtake.
const TRIES: usize = 3;

pub(super) async fn change(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    let (member, user) = member(&desk.auth, &call).await?;
    let Some(said) = fields.object("profile") else {
        return Err(fields.fault());
    };
    let user = merge(&desk.auth, &member, (user, said)).await?;
    Ok(answer::profile(&user))
}

pub(super) async fn read(
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let invalid = |_no_uuid| Fault::invalid_input("Invalid user ID format");
    let user = desk.auth.user(id.parse().map_err(invalid)?).await?;
    let user = user.filter(|user| user.status == AccountStatus::Enabled);
    Ok(answer::profile(&user.ok_or_else(Fault::no_such_user)?))
}

/// Gives a user a name.
pub(super) async fn name(
    auth: &Auth,
    member: &Member,
    (user, name): (&User, String),
) -> Result<User, Fault> {
    let said = named(Some(name));
    merge(auth, member, (user.clone(), said)).await
}

/// A profile that has a name alone, if that.
pub(super) fn named(name: Option<String>) -> JsonObject {
    let name = name.filter(|name| !name.is_empty());
    name.map(|name| ("name".to_owned(), name.into()))
        .into_iter()
        .collect()
}

/// Key by key, over what somebody else may change at the same time.
async fn merge(
    auth: &Auth,
    member: &Member,
    (mut user, said): (User, JsonObject),
) -> Result<User, Fault> {
    for _ in 0..TRIES {
        let change = ProfileChange {
            expected: Some(user.revision),
            profile: Some(merged(&user.profile, &said)?),
            username: None,
        };
        match auth.change_profile(member, change).await {
            Err(AccountError::Outdated) => {
                let newer = auth.user(member.user).await?;
                user = newer.ok_or_else(Fault::user_not_found)?;
            }
            result => return Ok(result?),
        }
    }
    Err(AccountError::Outdated.into())
}

fn merged(before: &JsonObject, said: &JsonObject) -> Result<JsonObject, Fault> {
    let mut all = before.clone();
    all.extend(said.clone());
    let size = serde_json::to_vec(&all).map_or(usize::MAX, |text| text.len());
    if size > MOST_BYTES {
        return Err(Fault::invalid_input("profile: At most 16 KB"));
    }
    Ok(all)
}
