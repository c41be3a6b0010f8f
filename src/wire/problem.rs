//! Problem bodies (RFC 9457).

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::id::RequestId;

/// A problem, as a client may see it.
///
/// `type` is `about:blank` (RFC 9457 §4.2.1), so the title is the phrase of the status; programs tell
/// problems apart by the extension member `code`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// A word for programs, in lower case with underscores.
    pub code: &'static str,
    /// A sentence for people.
    pub detail: Option<Cow<'static, str>>,
    /// What is wrong with which part of the request (`errors`, as in RFC 9457 §3).
    pub mistakes: Vec<Mistake>,
    /// The request, as the logs name it.
    pub request_id: Option<RequestId>,
}

/// What is wrong with one part of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// Which part.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong, for people. Never the value itself, which may be a secret.
    pub detail: Cow<'static, str>,
}

/// A part of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A member of the body, by its JSON pointer (RFC 6901).
    Pointer(String),
    /// A parameter of the query.
    Parameter(String),
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Mistake],
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl Problem {
    /// The media type of the body (RFC 9457 §6.1).
    pub const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

    /// A problem with this status and code, and nothing else to say.
    pub const fn new(status: StatusCode, code: &'static str) -> Self {
        Self {
            status,
            code,
            detail: None,
            mistakes: Vec::new(),
            request_id: None,
        }
    }

    /// The same, with a sentence for people.
    #[must_use]
    pub fn detail(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }

    /// The same, with what is wrong with which part.
    #[must_use]
    pub fn mistakes(self, mistakes: Vec<Mistake>) -> Self {
        Self { mistakes, ..self }
    }

    /// The same, with the name of the request.
    #[must_use]
    pub fn request_id(self, id: impl Into<Option<RequestId>>) -> Self {
        Self {
            request_id: id.into(),
            ..self
        }
    }

    /// The JSON text.
    pub fn to_json(&self) -> Vec<u8> {
        let body = Body {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail.as_deref(),
            errors: &self.mistakes,
            request_id: self.request_id.map(|id| id.to_string()),
        };
        // Texts and a number: there is nothing in it that JSON could not hold.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, Self::MEDIA_TYPE),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (self.status, headers, self.to_json()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn a_problem_says_no_more_than_it_was_given() {
        let problem = Problem::new(StatusCode::NOT_FOUND, "not_found");
        let json = String::from_utf8(problem.to_json()).unwrap();
        assert_eq!(
            json,
            r#"{"type":"about:blank","title":"Not Found","status":404,"code":"not_found"}"#
        );
        let id = RequestId::new(Timestamp::from_seconds(1));
        let problem = problem.detail("There is \"nothing\" here.").request_id(id);
        let json: serde_json::Value = serde_json::from_slice(&problem.to_json()).unwrap();
        assert_eq!(json["detail"], "There is \"nothing\" here.");
        assert_eq!(json["request_id"], id.to_string());
    }

    #[test]
    fn a_problem_is_not_kept_by_caches() {
        let response = Problem::new(StatusCode::CONFLICT, "conflict").into_response();
        assert_eq!(response.status(), StatusCode::CONFLICT);
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
        assert_eq!(response.headers()["cache-control"], "no-store");
    }
}
