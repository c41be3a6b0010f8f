//! The errors of this dialect: `{error}` and nothing else.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::Fault;
use crate::dialect::gotrue::fault::code;
use crate::wire::rate_limit::Form;

pub(super) const NO_TOKEN: &str = "No token provided";
pub(super) const INVALID_TOKEN: &str = "Invalid token";
pub(super) const INVALID_ADMIN_SECRET: &str = "Invalid admin secret";
pub(super) const NOT_ADMIN: &str = "Access denied. Admin privileges required.";

#[derive(Serialize)]
pub(super) struct Body<'a> {
    pub(super) error: &'a str,
}

/// The words of a fault. What GoTrue says of credentials is passed on there with a 401, whatever its
/// status was.
pub(super) fn render(fault: &Fault, _asked: &HeaderMap) -> Response {
    let (status, error) = match fault.code {
        code::NOT_ADMIN => (StatusCode::FORBIDDEN, NOT_ADMIN),
        code::NO_AUTHORIZATION => (StatusCode::UNAUTHORIZED, NO_TOKEN),
        code::BAD_JWT | code::SESSION_NOT_FOUND => (StatusCode::UNAUTHORIZED, INVALID_TOKEN),
        code::USER_NOT_FOUND => (StatusCode::NOT_FOUND, "User not found"),
        _other if fault.status == StatusCode::BAD_REQUEST => {
            (StatusCode::UNAUTHORIZED, &*fault.message)
        }
        // A closed account has no session that would do.
        code::USER_BANNED => (StatusCode::UNAUTHORIZED, INVALID_TOKEN),
        _other => (fault.status, &*fault.message),
    };
    answer(fault, (status, error))
}

/// The words of a fault where somebody makes an account or reads their mail: whatever GoTrue says of a
/// request is passed on there with a 400.
pub(super) fn render_account(fault: &Fault, _asked: &HeaderMap) -> Response {
    let status = match fault.code {
        // Only the secret of administrators is refused with it there.
        code::NOT_ADMIN => StatusCode::FORBIDDEN,
        _other if fault.may_pass() => fault.status,
        _other => StatusCode::BAD_REQUEST,
    };
    let error = match fault.code {
        code::NO_AUTHORIZATION => "Auth session missing!",
        _other => &*fault.message,
    };
    answer(fault, (status, error))
}

fn answer(fault: &Fault, (status, error): (StatusCode, &str)) -> Response {
    let mut response = (status, Json(Body { error })).into_response();
    fault.add_headers(response.headers_mut(), Form::Standard);
    response
}
