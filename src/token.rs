//! JSON Web Tokens: read, checked by RFC 8725, and made.
//!
//! The way of a token: [`UnverifiedToken`](unverified::UnverifiedToken) is its parts and proves
//! nothing; [`verify`](verify::verify) is the only maker of [`VerifiedClaims`](verify::VerifiedClaims).
//! Where keys come from is the business of [`keys`](crate::keys).

pub mod algorithm;
pub mod jwk;
pub mod key;
pub mod mint;
pub mod signing;
mod strict_json;
pub mod unverified;
pub mod verify;

/// Why a token does not hold. For the log and for `explain`; clients do not see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than any token that is welcome.
    #[error("longer than the limit")]
    TooLong,
    /// Not a JWT in compact form, or one that two readers could read in two ways.
    #[error("not a well-formed JWT")]
    Malformed,
    /// A header that a token must not bring: `crit`, `b64`, an embedded key, another `typ`.
    #[error("a header parameter that is not accepted")]
    Header,
    /// No key with this `kid` and algorithm.
    #[error("no key for its kid and algorithm")]
    UnknownKey,
    /// The signature is not that of the key.
    #[error("the signature is wrong")]
    Signature,
    /// `iss` names nobody who is welcome here.
    #[error("an issuer that is not known here")]
    Issuer,
    /// `aud` does not name us.
    #[error("meant for another audience")]
    Audience,
    /// A claim that must be there is missing or of the wrong type.
    #[error("a required claim is missing or malformed")]
    Claims,
    /// `exp` has passed.
    #[error("expired")]
    Expired,
    /// `nbf` has not come.
    #[error("not valid yet")]
    NotYetValid,
    /// The keys of its issuer have not been to hand for too long.
    #[error("the keys of its issuer are not to be had")]
    KeysUnavailable,
}
