//! Finds the account that somebody means.

use super::UserError;
use crate::id::UserId;
use crate::user::{Login, User};
use crate::users::UserStore;

/// By id, address or user name. An id goes first: a user name may look like one, and whoever pastes an
/// id means the account with that id.
pub(in crate::cli) async fn user(users: &dyn UserStore, text: &str) -> Result<User, UserError> {
    let by_id = match text.trim().parse::<UserId>() {
        Ok(id) => users.by_id(id).await?,
        Err(_not_an_id) => None,
    };
    let found = match (by_id, Login::parse(text)) {
        (Some(user), _) => Some(user),
        (None, Ok(login)) => users.by_login(&login).await?.map(|stored| stored.user),
        (None, Err(_no_name)) => None,
    };
    found.ok_or_else(|| UserError::NoSuchUser(text.to_owned()))
}
