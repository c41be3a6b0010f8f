//! The JSON body of a request, read field by field.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;

use super::fault::Fault;
use crate::secret::SecretText;
use crate::user::JsonObject;

/// The fields of a body. The media type is not looked at: no credential here comes by itself, as a
/// cookie would, and where the place of the caller counts, pages of others are refused.
#[derive(Debug, Default)]
pub(super) struct Fields(JsonObject);

impl Fields {
    /// Takes a text that must be more than white space.
    pub(super) fn required(&mut self, name: &'static str) -> Result<String, Fault> {
        self.optional(name)?
            .filter(|text| !text.trim().is_empty())
            .ok_or_else(|| missing(name))
    }

    /// Takes a secret that must be more than white space.
    pub(super) fn secret(&mut self, name: &'static str) -> Result<SecretText, Fault> {
        self.required(name).map(SecretText::new)
    }

    /// Takes a text that may be missing or null.
    pub(super) fn optional(&mut self, name: &'static str) -> Result<Option<String>, Fault> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_other) => Err(wrong_type(name)),
        }
    }

    /// Takes true or false, which must be there.
    pub(super) fn truth(&mut self, name: &'static str) -> Result<bool, Fault> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Err(missing(name)),
            Some(Value::Bool(truth)) => Ok(truth),
            Some(_other) => Err(wrong_type(name)),
        }
    }

    /// Whether a field is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    /// Takes a whole number that is not negative; 0 where it is missing.
    pub(super) fn number(&mut self, name: &'static str) -> Result<u64, Fault> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(0),
            Some(value) => value.as_u64().ok_or_else(|| wrong_type(name)),
        }
    }
}

fn missing(name: &str) -> Fault {
    Fault::bad_request(format!("Missing required field: {name}"))
}

fn wrong_type(name: &str) -> Fault {
    Fault::bad_request(format!("Invalid value for field: {name}"))
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Fault::too_large(),
            _unreadable => Fault::bad_request("Request body could not be read"),
        })?;
        if body.is_empty() {
            return Ok(Self::default());
        }
        let read = serde_json::from_slice(&body);
        // Not what serde says: it may show parts of a password.
        read.map(Self)
            .map_err(|_no_object| Fault::bad_request("Invalid JSON in request body"))
    }
}
