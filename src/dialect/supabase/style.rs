//! Refusals on proxied routes, in the words of the services that clients of this dialect know there.

use axum::Json;
use axum::body::Body;
use axum::response::IntoResponse as _;
use http::header::CONTENT_TYPE;
use http::{HeaderName, Response};
use serde_json::json;

use super::words::ERROR_CODE;
use crate::wire::refusal::{Cause, Refusal, RefusalStyle, Shown};

/// Where proxies on the way look for it (RFC 9209).
const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// As GoTrue words errors, both generations in one: what the client asked for is not known here.
#[derive(Clone, Copy, Debug, Default)]
pub struct SupabaseStyle;

/// As PostgREST words them, for what lies below `/rest/v1`.
#[derive(Clone, Copy, Debug, Default)]
pub struct RestStyle;

impl RefusalStyle for SupabaseStyle {
    fn render(&self, refusal: &Refusal) -> Response<Body> {
        let status = refusal.status();
        let code = match refusal.cause() {
            Cause::Unauthenticated(Shown::Nothing) => "no_authorization",
            Cause::Unauthenticated(Shown::Token | Shown::Key) => "bad_jwt",
            Cause::Forbidden => "not_admin",
            Cause::TooManyRequests(_) => "over_request_rate_limit",
            Cause::NotFound | Cause::MethodNotAllowed(_) => "not_found",
            Cause::BadRequest(_) | Cause::PathCase | Cause::BodyTooLarge => "validation_failed",
            Cause::CrossOrigin => "unexpected_origin",
            Cause::BadGateway | Cause::Unavailable { .. } => "unexpected_failure",
            Cause::GatewayTimeout => "request_timeout",
        };
        let message = refusal.detail();
        let body = json!({
            "code": status.as_u16(),
            "error_code": code,
            "msg": message,
            "message": message,
        });
        (status, [(ERROR_CODE, code)], Json(body)).into_response()
    }
}

impl RefusalStyle for RestStyle {
    fn render(&self, refusal: &Refusal) -> Response<Body> {
        let code = match refusal.cause() {
            Cause::Unauthenticated(Shown::Nothing) => "PGRST302",
            // Of an older and of a newer release at once: clients refresh by this code and by no newer.
            Cause::Unauthenticated(Shown::Token | Shown::Key) => "PGRST301",
            Cause::Forbidden | Cause::CrossOrigin => "42501",
            Cause::NotFound => "PGRST125",
            Cause::MethodNotAllowed(_) => "PGRST117",
            Cause::BadRequest(_)
            | Cause::PathCase
            | Cause::BodyTooLarge
            | Cause::TooManyRequests(_) => "PGRST100",
            Cause::BadGateway | Cause::Unavailable { .. } => "PGRST000",
            Cause::GatewayTimeout => "PGRST003",
        };
        let body = json!({
            "code": code,
            "message": message(refusal),
            "details": null,
            "hint": null,
        });
        let headers = [
            (CONTENT_TYPE, "application/json; charset=utf-8".to_owned()),
            (PROXY_STATUS, format!("PostgREST; error={code}")),
        ];
        (refusal.status(), headers, Json(body)).into_response()
    }
}

fn message(refusal: &Refusal) -> &'static str {
    match refusal.cause() {
        Cause::Unauthenticated(Shown::Nothing) => "Anonymous access is disabled",
        Cause::Unauthenticated(Shown::Token | Shown::Key) => "JWT invalid or expired",
        Cause::Forbidden => "permission denied",
        _otherwise => refusal.detail(),
    }
}
