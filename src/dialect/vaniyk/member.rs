//! A user of the directory, as this dialect shows one.

use serde::Serialize;

use super::directory_id;
use crate::user::{EmailStatus, JsonObject, Role, User};

/// Who signed in.
#[derive(Serialize)]
pub(super) struct Member<'a> {
    id: String,
    email: &'a str,
    name: &'a str,
    role: &'a str,
}

/// Who signed up: without a role.
#[derive(Serialize)]
pub(super) struct Newcomer<'a> {
    id: String,
    email: &'a str,
    name: &'a str,
}

/// The same as of who signed in, and whether the address is proved.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Profile<'a> {
    #[serde(flatten)]
    member: Member<'a>,
    email_verified: bool,
}

impl<'a> Member<'a> {
    pub(super) fn of(user: &'a User) -> Self {
        Self {
            id: directory_id(user.id),
            email: user.email.as_str(),
            name: name(user),
            role: role(user),
        }
    }
}

impl<'a> Newcomer<'a> {
    pub(super) fn of(user: &'a User) -> Self {
        let Member {
            id, email, name, ..
        } = Member::of(user);
        Self { id, email, name }
    }
}

impl<'a> Profile<'a> {
    pub(super) fn of(user: &'a User) -> Self {
        Self {
            member: Member::of(user),
            email_verified: user.email_status == EmailStatus::Verified,
        }
    }
}

/// The name in the profile, else the user name, else none.
fn name(user: &User) -> &str {
    let username = || user.username.as_ref().map_or("", |name| name.as_str());
    text(&user.profile, "name").unwrap_or_else(username)
}

/// There is one role there; of several it is the highest.
fn role(user: &User) -> &str {
    if user.roles.has_admin() {
        return Role::ADMIN;
    }
    user.roles.iter().next().map_or("user", Role::as_str)
}

fn text<'a>(object: &'a JsonObject, name: &str) -> Option<&'a str> {
    object.get(name).and_then(serde_json::Value::as_str)
}
