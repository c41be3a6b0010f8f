//! The members of a body: what an endpoint knows it takes, each of its one type, and what is left then is
//! a mistake with a pointer.

use std::borrow::Cow;

use axum::extract::{FromRequest, Request};
use http::StatusCode;
use serde_json::Value;

use super::super::body::{JsonBody, OptionalJsonBody};
use super::ApiError;
use crate::clock::Timestamp;
use crate::user::JsonObject;
use crate::wire::problem::{Mistake, Place, Problem};

/// The most items of a list.
const MAX_ITEMS: usize = 64;

/// The members of a body.
pub(super) struct Fields {
    members: JsonObject,
    mistakes: Vec<Mistake>,
}

/// What is wrong with a value, for people.
pub(super) type Wrong = Cow<'static, str>;

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let JsonBody(members) = JsonBody::from_request(request, state).await?;
        Ok(Self::of(members))
    }
}

/// The same where a call may come without a body.
pub(super) struct OptionalFields(pub(super) Fields);

impl<S: Send + Sync> FromRequest<S> for OptionalFields {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let OptionalJsonBody(members) = OptionalJsonBody::from_request(request, state).await?;
        Ok(Self(Fields::of(members)))
    }
}

impl Fields {
    const fn of(members: JsonObject) -> Self {
        Self {
            members,
            mistakes: Vec::new(),
        }
    }

    /// A member as `read` understands it; a mistake is kept until [`finish`](Self::finish).
    pub(super) fn take<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Value) -> Result<T, Wrong>,
    ) -> Option<T> {
        let value = read(self.members.remove(name)?);
        value.map_err(|detail| self.mistaken(name, detail)).ok()
    }

    /// A text that `parse` reads.
    pub(super) fn text<T, E: std::fmt::Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.take(name, |value| parsed(&value, parse))
    }

    /// Texts that `parse` reads.
    pub(super) fn texts<T, E: std::fmt::Display>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        self.take(name, |value| match value {
            Value::Array(items) if items.len() <= MAX_ITEMS => {
                let items = items.iter().map(|item| parsed(item, &parse));
                items.collect::<Result<Vec<T>, Wrong>>()
            }
            Value::Array(_) => Err(format!("has more than {MAX_ITEMS} items").into()),
            _other => Err("is not a list of texts".into()),
        })
    }

    pub(super) fn truth(&mut self, name: &'static str) -> Option<bool> {
        self.take(name, |value| {
            value.as_bool().ok_or_else(|| "is not true or false".into())
        })
    }

    pub(super) fn object(&mut self, name: &'static str) -> Option<JsonObject> {
        self.take(name, |value| match value {
            Value::Object(object) => Ok(object),
            _other => Err("is not an object".into()),
        })
    }

    /// A point in time that lies in the future.
    pub(super) fn future(&mut self, name: &'static str, now: Timestamp) -> Option<Timestamp> {
        let parse = |text: &str| {
            let time = Timestamp::parse(text).filter(|time| *time > now);
            time.ok_or("is not a time in the future, such as 2027-01-31T12:00:00Z")
        };
        self.text(name, parse)
    }

    /// What must be there.
    pub(super) fn needed<T>(&mut self, name: &'static str, value: Option<T>) -> Option<T> {
        let is_told = |mistake: &Mistake| mistake.place == pointer(name);
        if value.is_none() && !self.mistakes.iter().any(is_told) {
            self.mistaken(name, "is missing".into());
        }
        value
    }

    pub(super) fn mistaken(&mut self, name: &str, detail: Wrong) {
        self.mistakes.push(Mistake {
            place: pointer(name),
            detail,
        });
    }

    /// To be called when all that is known was taken: what is left nobody knows. `None`, for want of what
    /// is needed, comes with a mistake.
    pub(super) fn finish<T>(mut self, value: Option<T>) -> Result<T, ApiError> {
        let left: Vec<String> = self.members.keys().cloned().collect();
        for name in left {
            self.mistaken(&name, "is not known here".into());
        }
        match value {
            Some(value) if self.mistakes.is_empty() => Ok(value),
            Some(_) | None => Err(ApiError::Refused(
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields")
                    .mistakes(self.mistakes),
            )),
        }
    }
}

/// The member of this name at the top of the body (RFC 6901 §3).
fn pointer(name: &str) -> Place {
    Place::Pointer(format!("/{}", name.replace('~', "~0").replace('/', "~1")))
}

/// A text that `parse` reads; null takes away what is there.
pub(super) fn text_or_null<T, E: std::fmt::Display>(
    value: &Value,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, Wrong> {
    match value {
        Value::Null => Ok(None),
        other => parsed(other, parse).map(Some),
    }
}

fn parsed<T, E: std::fmt::Display>(
    value: &Value,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, Wrong> {
    let text = value.as_str().ok_or(Wrong::Borrowed("is not a text"))?;
    parse(text).map_err(|error| error.to_string().into())
}
