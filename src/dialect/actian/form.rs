//! Access tokens of this dialect: HS256, signed with the secret of the mount. The original says nothing
//! of their claims, so they are those of the gateway.

use crate::auth::tokens::form::{FormConfig, FormKey};
use crate::dialect::OwnNames;
use crate::token::mint::MadeType;
use crate::user::JsonObject;

/// `aud`.
const AUDIENCE: &str = "vectorai";

/// Tokens of the issuer `<base>/auth/admin`. A mount without a secret (before the gateway has found or
/// made it) signs with the ring.
pub fn token_form(own: OwnNames<'_>) -> FormConfig {
    FormConfig {
        issuer: format!("{}/auth/admin", own.base),
        audience: AUDIENCE.to_owned(),
        token_type: MadeType::Plain,
        key: own
            .secret
            .map_or(FormKey::Ring, |secret| FormKey::Secret(secret.clone())),
        words: |_bearer| JsonObject::new(),
    }
}
