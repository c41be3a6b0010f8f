//! What verified claims say about their bearer.

use serde_json::Value;

use crate::identity::{Identity, Issuer};
use crate::keys::{AdminClaim, IssuerConfig};
use crate::policy::ClaimTest;
use crate::token::TokenError;
use crate::token::verify::VerifiedClaims;
use crate::user::{JsonObject, Role};

/// The bearer of a token of ours: all that we put into it must be there.
pub(super) fn own(claims: VerifiedClaims) -> Result<Identity, TokenError> {
    let all = claims.all();
    let session = text(all, "sid")
        .and_then(|sid| sid.parse().ok())
        .ok_or(TokenError::Claims)?;
    let roles = all.get("roles").and_then(Value::as_array);
    let roles = roles.ok_or(TokenError::Claims)?.iter().map(Value::as_str);
    let roles: Option<Vec<Box<str>>> = roles.map(|role| role.map(Into::into)).collect();
    Ok(Identity {
        session: Some(session),
        email: text(all, "email").map(Into::into),
        roles: roles.ok_or(TokenError::Claims)?,
        ..common(Issuer::Own, claims)
    })
}

/// The bearer of somebody else's token.
///
/// `admin` opens this gateway's walls, so the word of another issuer is not enough for it: it is taken
/// out of the roles of the token, in every letter case, and put back only if the operator's rule for
/// this issuer is met.
pub(super) fn foreign(claims: VerifiedClaims, config: &IssuerConfig) -> Identity {
    let all = claims.all();
    let is_admin = config.admin.as_ref().is_some_and(|rule| meets(all, rule));
    let mut roles: Vec<Box<str>> = ["roles", "role"]
        .into_iter()
        .flat_map(|name| texts(all.get(name)))
        .filter(|role| is_plain(role) && !role.eq_ignore_ascii_case(Role::ADMIN))
        .map(Into::into)
        .collect();
    if is_admin {
        roles.push(Role::ADMIN.into());
    }
    roles.sort_unstable();
    roles.dedup();
    let issuer = Issuer::Foreign(config.issuer.as_str().into());
    Identity {
        email: foreign_email(all),
        roles,
        ..common(issuer, claims)
    }
}

fn common(issuer: Issuer, claims: VerifiedClaims) -> Identity {
    let scopes = ["scope", "scp"]
        .into_iter()
        .flat_map(|name| texts(claims.all().get(name)))
        .flat_map(str::split_whitespace)
        .map(Into::into)
        .collect();
    Identity {
        issuer,
        subject: claims.subject().into(),
        session: None,
        email: None,
        roles: Vec::new(),
        scopes,
        not_before: claims.not_before(),
        expires_at: claims.expires_at(),
        claims: claims.into_all(),
    }
}

/// An address that its issuer says is not verified is anybody's claim to be anybody.
fn foreign_email(claims: &JsonObject) -> Option<Box<str>> {
    let unverified = claims.get("email_verified").is_some_and(|verified| {
        *verified == Value::Bool(false) || verified.as_str() == Some("false")
    });
    let email = text(claims, "email").filter(|email| is_plain(email) && !unverified)?;
    Some(email.into())
}

/// Roles and addresses travel on in lists that others split at commas and spaces.
fn is_plain(text: &str) -> bool {
    let splits = |c: char| c.is_control() || c.is_whitespace() || matches!(c, ',' | ';');
    !text.is_empty() && !text.contains(splits)
}

fn text<'a>(claims: &'a JsonObject, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// A text, or the texts of a list.
fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let (one, many) = match value {
        Some(Value::String(text)) => (Some(text.as_str()), None),
        Some(Value::Array(list)) => (None, Some(list)),
        _ => (None, None),
    };
    one.into_iter()
        .chain(many.into_iter().flatten().filter_map(Value::as_str))
}

fn meets(claims: &JsonObject, rule: &AdminClaim) -> bool {
    let Some(found) = at_path(claims, &rule.claim) else {
        return false;
    };
    match &rule.test {
        ClaimTest::Equals(value) => found == value,
        ClaimTest::OneOf(values) => values.contains(found),
        ClaimTest::Contains(value) => match found {
            Value::Array(list) => list.contains(value),
            Value::String(words) => value
                .as_str()
                .is_some_and(|word| words.split_whitespace().any(|other| other == word)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        },
    }
}

/// A claim whose name holds dots itself (`https://example.com/roles`) is found by its whole name first.
fn at_path<'a>(object: &'a JsonObject, path: &str) -> Option<&'a Value> {
    if let Some(value) = object.get(path) {
        return Some(value);
    }
    let (name, rest) = path.split_once('.')?;
    at_path(object.get(name)?.as_object()?, rest)
}
