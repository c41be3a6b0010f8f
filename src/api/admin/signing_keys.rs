//! `signing-keys`: what anybody may know of the keys of the tokens, and a new one.

use axum::Json;
use serde::Serialize;

use super::fields::OptionalFields;
use super::{ApiError, Desk};
use crate::clock::Timestamp;
use crate::keys::SigningAlgorithm;
use crate::keys::ring::{KeyFacts, Standing};
use crate::token::algorithm::Algorithm;

/// A key, without its private part.
#[derive(Serialize)]
struct KeyView {
    kid: Box<str>,
    algorithm: &'static str,
    status: &'static str,
    /// Null where nobody knows, as of a single key in PEM.
    created_at: Option<String>,
    retired_at: Option<String>,
    verifies_until: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Ring {
    /// The newest first.
    signing_keys: Vec<KeyView>,
}

impl From<KeyFacts> for KeyView {
    fn from(key: KeyFacts) -> Self {
        let (status, end) = match key.standing {
            Standing::Signs => ("signing", None),
            Standing::Verifies(end) => ("verifying", Some(end)),
            Standing::IsOver(end) => ("expired", Some(end)),
        };
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Self {
            kid: key.kid,
            algorithm: Algorithm::from(key.algorithm).as_str(),
            status,
            created_at: time(key.created_at),
            retired_at: time(end.map(|end| end.retired_at)),
            verifies_until: time(end.map(|end| end.verifies_until)),
        }
    }
}

impl From<Vec<KeyFacts>> for Ring {
    fn from(keys: Vec<KeyFacts>) -> Self {
        Self {
            signing_keys: keys.into_iter().map(Into::into).collect(),
        }
    }
}

pub(super) async fn list(desk: Desk) -> Result<Json<Ring>, ApiError> {
    desk.parameters.finish()?;
    Ok(Json(desk.administrator.signing_keys().await?.into()))
}

pub(super) async fn rotate(
    desk: Desk,
    OptionalFields(mut fields): OptionalFields,
) -> Result<Json<Ring>, ApiError> {
    desk.parameters.finish()?;
    let algorithm = fields.text("algorithm", str::parse::<SigningAlgorithm>);
    let algorithm = fields.finish(Some(algorithm))?;
    let keys = desk.administrator.rotate_signing_keys(algorithm).await?;
    Ok(Json(keys.into()))
}
