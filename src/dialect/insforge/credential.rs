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
use crate::auth::admin::Administrator;
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
    Ok(judge(&desk.auth, call, admin_text(desk, call)?)?)
}

/// The same, judged anew by the account, for what is changed: attributed, recorded, and without locking
/// anybody out.
pub(super) async fn administrator(desk: &Desk, call: &Call) -> Result<Administrator, Fault> {
    let headers = bearer(admin_text(desk, call)?)?;
    let head = call.head_with(&headers);
    Ok(desk.auth.administrator(&head, call.caller()).await?)
}

/// What was shown that may be an administrator's.
fn admin_text<'a>(desk: &Desk, call: &'a Call) -> Result<&'a str, Fault> {
    match Shown::by(call) {
        Shown::Nothing => Err(Fault::no_admin_token()),
        Shown::Unreadable => Err(Fault::invalid_token()),
        Shown::AnonKey(key) if desk.keys.is_public(key) => Err(Fault::admin_required()),
        Shown::AnonKey(_) => Err(Fault::invalid_anon_key()),
        Shown::AdminKey(key) => key_text(key),
        Shown::Token(token) => Ok(token),
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
        Shown::AdminKey(key) => {
            judge(&desk.auth, call, key_text(key)?)?;
            Ok(Visitor::Admin)
        }
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
fn key_text(key: &str) -> Result<&str, Fault> {
    match UnverifiedKey::read(key) {
        Some(Ok(_)) => Ok(key),
        Some(Err(_)) | None => Err(Fault::invalid_api_key()),
    }
}

fn bearer(text: &str) -> Result<HeaderMap, Denial> {
    let unreadable = |_| Denial::Unauthenticated(Unauthenticated::Ambiguous);
    let line = HeaderValue::try_from(format!("Bearer {text}")).map_err(unreadable)?;
    Ok(HeaderMap::from_iter([(header::AUTHORIZATION, line)]))
}

/// As a route for administrators judges, so that a key which may only read deletes nobody here either.
fn judge(auth: &Auth, call: &Call, text: &str) -> Result<(), Denial> {
    let headers = bearer(text)?;
    let permit = auth.authenticate(&call.head_with(&headers), &Requirement::Admin)?;
    match permit.identity().map(|identity| &identity.issuer) {
        Some(Issuer::Own | Issuer::Foreign(_) | Issuer::ApiKey(_)) => Ok(()),
        None => Err(Denial::Unauthenticated(Unauthenticated::NoCredential)),
    }
}
