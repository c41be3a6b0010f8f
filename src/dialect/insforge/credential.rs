//! Which credential of a call counts, and what it opens: an admin key as Bearer token before one in
//! `X-API-Key`, that before an anonymous key, that before a token. The first that is there counts, good or
//! bad.

use axum::http::{HeaderMap, HeaderValue};
use http::header;

use super::call::{Bearer, Call};
use super::current;
use super::desk::Desk;
use super::fault::Fault;
use crate::api_key::UnverifiedKey;
use crate::auth::{Auth, Denial, Member, Unauthenticated};
use crate::identity::Issuer;
use crate::policy::Requirement;
use crate::user::User;

const KEY_HEADER: &str = "x-api-key";

/// The credential that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown<'a> {
    Nothing,
    AdminKey(&'a str),
    AnonKey(&'a str),
    Token(&'a str),
    Unreadable,
}

/// Who may call, beside nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visitor {
    /// Somebody with an admin key, or signed in as an administrator.
    Admin,
    /// Anybody else.
    Anybody,
}

impl<'a> Shown<'a> {
    fn by(call: &'a Call) -> Self {
        let bearer = call.bearer();
        if let Bearer::Token(text) = bearer
            && text.starts_with("ik_")
        {
            return Self::AdminKey(text);
        }
        let mut keys = call.parts.headers.get_all(KEY_HEADER).iter();
        match (keys.next().map(HeaderValue::to_str), keys.next(), bearer) {
            (Some(Ok(key)), None, _) => Self::AdminKey(key),
            (Some(_), _, _) => Self::AdminKey(""),
            (None, _, Bearer::Absent) => Self::Nothing,
            (None, _, Bearer::Unreadable) => Self::Unreadable,
            (None, _, Bearer::Token(text)) if text.starts_with("anon_") => Self::AnonKey(text),
            (None, _, Bearer::Token(text)) => Self::Token(text),
        }
    }
}

/// Refuses whoever is no administrator.
pub(super) fn admit_admin(desk: &Desk, call: &Call) -> Result<(), Fault> {
    match Shown::by(call) {
        Shown::Nothing => Err(Fault::no_admin_token()),
        Shown::Unreadable => Err(Fault::invalid_token()),
        Shown::AnonKey(key) if desk.keys.is_public(key) => Err(Fault::admin_required()),
        Shown::AnonKey(_) => Err(Fault::invalid_anon_key()),
        Shown::AdminKey(key) => admit_key(&desk.auth, call, key),
        Shown::Token(token) => admit_bearer(&desk.auth, call, token),
    }
}

/// Who calls where anybody may who has a credential. Where apps carry no key, none is asked for: they have
/// nothing to show until somebody has signed in.
pub(super) fn visitor(desk: &Desk, call: &Call) -> Result<Visitor, Fault> {
    match Shown::by(call) {
        Shown::Nothing if desk.keys.are_asked_for() => Err(Fault::no_token()),
        Shown::Nothing => Ok(Visitor::Anybody),
        Shown::Unreadable => Err(Fault::invalid_token()),
        Shown::AnonKey(key) if desk.keys.is_public(key) => Ok(Visitor::Anybody),
        Shown::AnonKey(_) => Err(Fault::invalid_anon_key()),
        Shown::AdminKey(key) => admit_key(&desk.auth, call, key).map(|()| Visitor::Admin),
        Shown::Token(token) => match judge(&desk.auth, call, token) {
            Ok(()) => Ok(Visitor::Admin),
            Err(Denial::Forbidden { .. }) => Ok(Visitor::Anybody),
            Err(denial) => Err(denial.into()),
        },
    }
}

/// Whose Bearer token it is, for what they do with their own account.
pub(super) async fn member(auth: &Auth, call: &Call) -> Result<(Member, User), Fault> {
    let identity = current::identify(auth, call)?;
    let user = current::account(auth, &identity).await?;
    let member = Member {
        user: user.id,
        session: identity.session.ok_or_else(Fault::invalid_token)?,
        caller: call.caller(),
    };
    Ok((member, user))
}

/// Only what looks like a key is tried as one: a token has no place in that header.
fn admit_key(auth: &Auth, call: &Call, key: &str) -> Result<(), Fault> {
    match UnverifiedKey::read(key) {
        Some(Ok(_)) => admit_bearer(auth, call, key),
        Some(Err(_)) | None => Err(Fault::invalid_api_key()),
    }
}

fn admit_bearer(auth: &Auth, call: &Call, text: &str) -> Result<(), Fault> {
    judge(auth, call, text).map_err(Fault::from)
}

/// As a route for administrators judges, so that a key which may only read deletes nobody here either.
fn judge(auth: &Auth, call: &Call, text: &str) -> Result<(), Denial> {
    let unreadable = |_| Denial::Unauthenticated(Unauthenticated::Ambiguous);
    let line = HeaderValue::try_from(format!("Bearer {text}")).map_err(unreadable)?;
    let headers = HeaderMap::from_iter([(header::AUTHORIZATION, line)]);
    let permit = auth.authenticate(&call.head_with(&headers), &Requirement::Admin)?;
    match permit.identity().map(|identity| &identity.issuer) {
        Some(Issuer::Own | Issuer::Foreign(_) | Issuer::ApiKey(_)) => Ok(()),
        None => Err(Denial::Unauthenticated(Unauthenticated::NoCredential)),
    }
}
