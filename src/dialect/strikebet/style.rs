//! Refusals on proxied routes, in the words of this dialect.

use axum::Json;
use axum::body::Body as HttpBody;
use axum::response::IntoResponse as _;
use http::Response;

use super::words::{Body, NOT_ADMIN};
use crate::wire::rate_limit::{self, Form};
use crate::wire::refusal::{Cause, Refusal, RefusalStyle};

/// `{code, msg, details}`.
#[derive(Clone, Copy, Debug, Default)]
pub struct StrikebetStyle;

impl RefusalStyle for StrikebetStyle {
    fn render(&self, refusal: &Refusal) -> Response<HttpBody> {
        let msg = match refusal.cause() {
            Cause::Forbidden => NOT_ADMIN,
            Cause::Unauthenticated(_)
            | Cause::BadRequest(_)
            | Cause::PathCase
            | Cause::CrossOrigin
            | Cause::NotFound
            | Cause::MethodNotAllowed(_)
            | Cause::BodyTooLarge
            | Cause::TooManyRequests(_)
            | Cause::BadGateway
            | Cause::Unavailable { .. }
            | Cause::GatewayTimeout => refusal.detail(),
        };
        let body = Body {
            code: refusal.status().as_u16(),
            msg,
            details: Some(refusal.code()),
        };
        let mut response = (refusal.status(), Json(body)).into_response();
        if let Cause::TooManyRequests(limited) = refusal.cause() {
            rate_limit::add(response.headers_mut(), limited, Form::Prefixed);
        }
        response
    }
}
