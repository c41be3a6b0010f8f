//! Access tokens as GoTrue makes them, so that PostgREST and its row-level security take them.

use serde_json::json;

use super::body;
use crate::auth::tokens::form::{Bearer, FormConfig, FormKey};
use crate::dialect::OwnNames;
use crate::token::mint::MadeType;
use crate::user::JsonObject;

/// `aud` and `role` of everybody who is signed in. What somebody may do stands in `roles`.
pub const AUTHENTICATED: &str = "authenticated";

/// What of `user_metadata` a token carries, in bytes of JSON: with more, it would grow beyond what
/// servers take in a header, and nobody could sign in.
const METADATA_BYTES: usize = 4096;

/// Tokens of the issuer `<base>/auth/v1`, signed by the ring or with the secret of the mount.
pub fn token_form(own: OwnNames<'_>) -> FormConfig {
    FormConfig {
        issuer: format!("{}/auth/v1", own.base),
        audience: AUTHENTICATED.to_owned(),
        token_type: MadeType::Plain,
        key: own
            .secret
            .map_or(FormKey::Ring, |secret| FormKey::Secret(secret.clone())),
        words,
    }
}

fn words(bearer: Bearer<'_>) -> JsonObject {
    let session = bearer.session;
    let profile = bearer.user.map(|user| &user.profile);
    let profile = profile.filter(|profile| bytes(profile) <= METADATA_BYTES);
    let metadata = bearer.user.map(|user| &user.metadata);
    let metadata = metadata.filter(|metadata| bytes(metadata) <= METADATA_BYTES);
    let signed_in = session.created_at.as_seconds();
    let words = [
        ("role", json!(AUTHENTICATED)),
        ("phone", json!("")),
        ("app_metadata", body::app_metadata(metadata).into()),
        ("user_metadata", profile.cloned().unwrap_or_default().into()),
        ("aal", json!("aal1")),
        (
            "amr",
            json!([{ "method": "password", "timestamp": signed_in }]),
        ),
        ("session_id", json!(session.id.to_string())),
        ("is_anonymous", json!(false)),
    ];
    JsonObject::from_iter(words.map(|(name, value)| (name.to_owned(), value)))
}

fn bytes(object: &JsonObject) -> usize {
    serde_json::to_vec(object).map_or(usize::MAX, |text| text.len())
}
