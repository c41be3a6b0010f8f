//! The check of a token, and the only maker of [`VerifiedClaims`].
//!
//! RFC 8725: the key fixes the algorithm (§3.1), the issuer its keys (§3.8), `aud` says that we are
//! meant (§3.9), and `typ` and a few claims that it is an access token (§3.11, §3.12). Whether the
//! session behind a token still lives, others judge.

use std::time::Duration;

use serde_json::Value;

use super::TokenError;
use super::key::KeySet;
use super::unverified::{TokenType, UnverifiedToken};
use crate::clock::Timestamp;
use crate::user::JsonObject;

/// The longest `sub`, in bytes (OpenID Connect Core 1.0 §2 allows 255 characters).
const MAX_SUBJECT_BYTES: usize = 255;

/// The last second of the year 9999: what comes after it is no date but an attempt.
const LAST_SECOND: i64 = 253_402_300_799;

/// What a token must be.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Its `iss`, exactly.
    pub issuer: &'a str,
    /// Its `aud` must name one of these.
    pub audiences: &'a [String],
    /// Which `typ` it may have.
    pub types: AcceptedTypes,
    /// The present.
    pub now: Timestamp,
    /// How far its maker's clock may be off.
    pub leeway: Duration,
}

/// Which `typ` a token may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptedTypes {
    /// `at+jwt` alone: for our own tokens, all of which have it.
    AccessOnly,
    /// `at+jwt`, `JWT` or none: most issuers do not follow RFC 9068.
    Any,
}

/// The claims of a token whose signature, issuer, audience and times were checked.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedClaims {
    claims: JsonObject,
    subject: Box<str>,
    not_before: Option<Timestamp>,
    expires_at: Timestamp,
    trusted_until: Option<Timestamp>,
}

/// Checks `token` with the keys of its issuer.
///
/// # Errors
///
/// `UnknownKey` or `Signature` before any claim is looked at; then what the claims lack.
pub fn verify(
    token: UnverifiedToken<'_>,
    keys: &KeySet,
    expected: &Expected<'_>,
) -> Result<VerifiedClaims, TokenError> {
    let key = keys.find(&token, expected.now)?;
    key.check(&token)?;
    check_type(token.token_type, expected.types)?;
    let claims = token.claims;
    check_kind(&claims)?;
    check_issuer(&claims, expected.issuer)?;
    check_audience(&claims, expected.audiences)?;
    let times = Times::read(&claims)?;
    times.check(expected)?;
    Ok(VerifiedClaims {
        subject: subject(&claims)?,
        not_before: times.not_before,
        expires_at: times.expires_at,
        trusted_until: key.until(),
        claims,
    })
}

impl VerifiedClaims {
    /// Its `sub`: not empty, no control characters, at most 255 bytes.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Its `nbf`.
    pub const fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// Its `exp`.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// When the key that signed it stops counting, whatever `exp` says.
    pub const fn trusted_until(&self) -> Option<Timestamp> {
        self.trusted_until
    }

    /// All its claims.
    pub const fn all(&self) -> &JsonObject {
        &self.claims
    }

    /// All its claims, taken out.
    pub fn into_all(self) -> JsonObject {
        self.claims
    }
}

const fn check_type(found: TokenType, accepted: AcceptedTypes) -> Result<(), TokenError> {
    match (accepted, found) {
        (AcceptedTypes::Any, _) | (AcceptedTypes::AccessOnly, TokenType::Access) => Ok(()),
        (AcceptedTypes::AccessOnly, TokenType::Untold) => Err(TokenError::Header),
    }
}

/// Refuses tokens that say they are no access token. `typ` says so at few issuers, these claims at
/// many: `at_hash` and `c_hash` stand in ID tokens alone (OpenID Connect Core 1.0 §3.1.3.6, §3.3.2.11),
/// `token_use` is Cognito's, a claim `typ` Keycloak's, `type` that of many homemade ones.
fn check_kind(claims: &JsonObject) -> Result<(), TokenError> {
    let names_another_kind = |name: &str| {
        let kind = claims.get(name).and_then(Value::as_str).unwrap_or_default();
        ["id", "refresh", "offline", "id_token", "refresh_token"]
            .iter()
            .any(|other| kind.eq_ignore_ascii_case(other))
    };
    let another_kind = ["typ", "type", "token_use", "token_type"]
        .into_iter()
        .any(names_another_kind);
    if another_kind || claims.contains_key("at_hash") || claims.contains_key("c_hash") {
        return Err(TokenError::Claims);
    }
    Ok(())
}

fn check_issuer(claims: &JsonObject, expected: &str) -> Result<(), TokenError> {
    match claims.get("iss").and_then(Value::as_str) {
        Some(issuer) if issuer == expected => Ok(()),
        _ => Err(TokenError::Issuer),
    }
}

/// RFC 7519 §4.1.3: one text, or a list of texts.
fn check_audience(claims: &JsonObject, ours: &[String]) -> Result<(), TokenError> {
    let is_ours = |audience: &str| ours.iter().any(|our| our == audience);
    let meant = match claims.get("aud") {
        Some(Value::String(audience)) => is_ours(audience),
        Some(Value::Array(audiences)) => {
            audiences.iter().all(Value::is_string)
                && audiences.iter().filter_map(Value::as_str).any(is_ours)
        }
        _ => false,
    };
    if meant {
        Ok(())
    } else {
        Err(TokenError::Audience)
    }
}

struct Times {
    issued_at: Option<Timestamp>,
    not_before: Option<Timestamp>,
    expires_at: Timestamp,
}

impl Times {
    fn read(claims: &JsonObject) -> Result<Self, TokenError> {
        let time = |name: &str| claims.get(name).map(numeric_date).transpose();
        Ok(Self {
            issued_at: time("iat")?,
            not_before: time("nbf")?,
            expires_at: time("exp")?.ok_or(TokenError::Claims)?,
        })
    }

    fn check(&self, expected: &Expected<'_>) -> Result<(), TokenError> {
        if self.expires_at.plus(expected.leeway) <= expected.now {
            return Err(TokenError::Expired);
        }
        let latest_start = expected.now.plus(expected.leeway);
        let starts = [self.issued_at, self.not_before];
        if starts
            .into_iter()
            .flatten()
            .any(|start| start > latest_start)
        {
            return Err(TokenError::NotYetValid);
        }
        Ok(())
    }
}

/// A whole number of seconds. RFC 7519 §2 would allow fractions; no issuer that we know writes them,
/// and a float is where two readers begin to differ.
fn numeric_date(value: &Value) -> Result<Timestamp, TokenError> {
    match value.as_i64() {
        Some(seconds @ 0..=LAST_SECOND) => Ok(Timestamp::from_seconds(seconds)),
        _ => Err(TokenError::Claims),
    }
}

fn subject(claims: &JsonObject) -> Result<Box<str>, TokenError> {
    match claims.get("sub").and_then(Value::as_str) {
        Some(subject)
            if !subject.is_empty()
                && subject.len() <= MAX_SUBJECT_BYTES
                && !subject.chars().any(char::is_control) =>
        {
            Ok(subject.into())
        }
        _ => Err(TokenError::Claims),
    }
}

#[cfg(test)]
mod tests;
