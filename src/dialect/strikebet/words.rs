//! The errors of this dialect: `{code, msg, details?}`.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::Fault;
use crate::dialect::gotrue::fault::code;
use crate::wire::rate_limit::Form;

/// Of who has the right password and no row in the table of users.
const NOT_FOUND: &str = "User not found in database";
pub(super) const NOT_ADMIN: &str = "Access denied: administrator privileges required";

#[derive(Serialize)]
pub(super) struct Body<'a> {
    pub(super) code: u16,
    pub(super) msg: &'a str,
    /// A word for programs, from the list of GoTrue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) details: Option<&'a str>,
}

/// The words of a fault.
pub(super) fn render(fault: &Fault, _asked: &HeaderMap) -> Response {
    let (status, msg) = match fault.code {
        code::NOT_ADMIN => (fault.status, NOT_ADMIN),
        code::USER_NOT_FOUND => (StatusCode::NOT_FOUND, NOT_FOUND),
        _other => (fault.status, &*fault.message),
    };
    let body = Body {
        code: status.as_u16(),
        msg,
        details: Some(fault.code),
    };
    let mut response = (status, Json(body)).into_response();
    fault.add_headers(response.headers_mut(), Form::Prefixed);
    response
}
