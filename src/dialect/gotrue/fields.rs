//! The JSON body of a request, read field by field.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use serde_json::Value;

use super::fault::{Fault, code};
use crate::secret::SecretText;
use crate::user::JsonObject;

/// The fields of a body. The media type is not looked at, as in the original: nothing here hangs on a
/// cookie, so a form of another site's page gains nothing.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Fields(JsonObject);

impl Fields {
    /// Takes a text; one that is missing or null is empty, as in the original.
    pub(in crate::dialect) fn text(&mut self, name: &str) -> Result<String, Fault> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(_other) => Err(wrong_type(name, "a text")),
        }
    }

    /// Takes a secret text.
    pub(in crate::dialect) fn secret(&mut self, name: &str) -> Result<SecretText, Fault> {
        self.text(name).map(SecretText::new)
    }

    /// Takes a text that may be missing, null or empty, which is all the same.
    pub(in crate::dialect) fn filled(&mut self, name: &str) -> Result<Option<String>, Fault> {
        Ok(Some(self.text(name)?).filter(|text| !text.is_empty()))
    }

    /// Takes an object.
    pub(in crate::dialect) fn object(&mut self, name: &str) -> Result<Option<JsonObject>, Fault> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_other) => Err(wrong_type(name, "an object")),
        }
    }

    /// Takes true or false.
    pub(in crate::dialect) fn truth(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(truth)),
            Some(_other) => Err(wrong_type(name, "true or false")),
        }
    }
}

fn wrong_type(name: &str, expected: &str) -> Fault {
    let message = format!("Could not parse request body as JSON: {name} must be {expected}");
    Fault::bad_request(code::BAD_JSON, message)
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection| {
            let message = "Request body could not be read, or is too large";
            Fault::new(rejection.status(), code::BAD_JSON, message)
        })?;
        if body.is_empty() {
            return Ok(Self::default());
        }
        let read = serde_json::from_slice(&body);
        read.map(Self).map_err(|error| {
            let message = format!("Could not parse request body as JSON: {error}");
            Fault::bad_request(code::BAD_JSON, message)
        })
    }
}
