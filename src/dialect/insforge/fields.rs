//! The JSON body of a request, read field by field, so that all complaints come together.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::fault::{Fault, code};
use crate::id::UserId;
use crate::secret::SecretText;
use crate::user::{Email, JsonObject};

/// The fields of a body, and what is wrong with them so far.
#[derive(Debug, Default)]
pub(super) struct Fields {
    object: JsonObject,
    complaints: Vec<String>,
}

impl Fields {
    /// Takes a text that may be missing or null.
    pub(super) fn optional(&mut self, name: &str) -> Option<String> {
        match self.object.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(_other) => {
                self.complain(name, "Expected string");
                None
            }
        }
    }

    /// Takes a text that must be there and not empty.
    pub(super) fn required(&mut self, name: &str) -> Option<String> {
        let before = self.complaints.len();
        let text = self.optional(name).filter(|text| !text.is_empty());
        if text.is_none() && self.complaints.len() == before {
            self.complain(name, "Required");
        }
        text
    }

    /// Takes an address that must be there.
    pub(super) fn email(&mut self) -> Option<Email> {
        let text = self.required("email")?;
        let email = Email::parse(&text).ok();
        if email.is_none() {
            self.complain("email", "Invalid email");
        }
        email
    }

    /// Takes the six digits of a mail, which must be there.
    pub(super) fn digits(&mut self, name: &str) -> Option<SecretText> {
        let text = self.required(name)?;
        if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(SecretText::new(text));
        }
        self.complain(name, "Must be a 6-digit code");
        None
    }

    /// Takes a truth that may be missing or null.
    pub(super) fn truth(&mut self, name: &str) -> Option<bool> {
        match self.object.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::Bool(truth)) => Some(truth),
            Some(_other) => {
                self.complain(name, "Expected boolean");
                None
            }
        }
    }

    /// Takes an object that must be there.
    pub(super) fn object(&mut self, name: &str) -> Option<JsonObject> {
        match self.object.remove(name) {
            Some(Value::Object(object)) => Some(object),
            None => {
                self.complain(name, "Required");
                None
            }
            Some(_other) => {
                self.complain(name, "Expected object");
                None
            }
        }
    }

    /// Takes a list of user ids that must be there and not empty.
    pub(super) fn user_ids(&mut self, name: &str) -> Option<Vec<UserId>> {
        let list = match self.object.remove(name) {
            Some(Value::Array(list)) => list,
            None => {
                self.complain(name, "Required");
                return None;
            }
            Some(_other) => {
                self.complain(name, "Expected array");
                return None;
            }
        };
        if list.is_empty() {
            self.complain(name, "At least one user ID is required");
            return None;
        }
        let ids = list.iter().enumerate().map(|(index, value)| {
            let id = value.as_str().and_then(|text| text.parse().ok());
            if id.is_none() {
                self.complain(&format!("{name}.{index}"), "Invalid uuid");
            }
            id
        });
        // All of them are looked at, so that all complaints come together.
        let ids: Vec<Option<UserId>> = ids.collect();
        ids.into_iter().collect()
    }

    pub(super) fn complain(&mut self, name: &str, reason: &str) {
        self.complaints.push(format!("{name}: {reason}"));
    }

    /// What was wrong, if anything was.
    pub(super) fn fault(self) -> Fault {
        Fault::invalid_input(self.complaints.join(", "))
    }

    pub(super) const fn is_sound(&self) -> bool {
        self.complaints.is_empty()
    }
}

/// A body that does not call itself JSON counts as empty: a form of another site's page must not be
/// taken for a sign-in, and only other media types get past a browser without a preflight.
impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let is_json = is_json(request.headers());
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection| unreadable(rejection.status()))?;
        if !is_json || body.is_empty() {
            return Ok(Self::default());
        }
        match serde_json::from_slice(&body) {
            Ok(object) => Ok(Self {
                object,
                complaints: Vec::new(),
            }),
            Err(error) => Err(Fault::invalid_input(error.to_string())
                .next("Check that the request body is a well-formed JSON object.")),
        }
    }
}

fn unreadable(status: StatusCode) -> Fault {
    Fault::new(
        status,
        code::INVALID_INPUT,
        "Request body could not be read, or is too large",
    )
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE);
    let text = value.and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = text.split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/json")
}
