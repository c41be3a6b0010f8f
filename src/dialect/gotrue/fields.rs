//! The JSON body of a request, read field by field.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use serde_json::Value;

use super::fault::{Fault, code};
use crate::auth::account::redeem::ShownCode;
use crate::secret::SecretText;
use crate::user::{Email, JsonObject};

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

    /// Takes an address that may be missing.
    pub(in crate::dialect) fn email(&mut self, name: &str) -> Result<Option<Email>, Fault> {
        let email = self.filled(name)?;
        let email = email.map(|text| Email::parse(&text)).transpose();
        let message = "Unable to validate email address: invalid format";
        email.map_err(|_no_address| Fault::invalid(message))
    }

    /// Takes a code, six digits with an address or the token of a link, that may be missing.
    pub(in crate::dialect) fn code(&mut self) -> Result<Option<ShownCode>, Fault> {
        let (token, hash) = (self.filled("token")?, self.filled("token_hash")?);
        let email = self.email("email")?;
        match (token, hash, email) {
            (None, None, _) => Ok(None),
            (None, Some(hash), None) => Ok(Some(ShownCode::Token(SecretText::new(hash)))),
            (None, Some(_), Some(_)) => {
                let message = "Only the token_hash and type should be provided";
                Err(Fault::invalid(message))
            }
            (Some(digits), None, Some(email)) => Ok(Some(ShownCode::Digits {
                email,
                digits: SecretText::new(digits),
            })),
            (Some(_), None, None) => {
                let message = "Only an email address or phone number should be provided on verify";
                Err(Fault::invalid(message))
            }
            (Some(_), Some(_), _) => {
                let message = "Verify requires either a token or a token hash";
                Err(Fault::invalid(message))
            }
        }
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
