//! Refusals on proxied routes, in the words of this dialect.

use axum::Json;
use axum::body::Body as HttpBody;
use axum::response::IntoResponse as _;
use http::Response;

use super::words::{Body, INVALID_TOKEN, NO_TOKEN, NOT_ADMIN};
use crate::wire::refusal::{Cause, Refusal, RefusalStyle, Shown};

/// `{error}`.
#[derive(Clone, Copy, Debug, Default)]
pub struct VaniykStyle;

impl RefusalStyle for VaniykStyle {
    fn render(&self, refusal: &Refusal) -> Response<HttpBody> {
        let error = match refusal.cause() {
            Cause::Unauthenticated(Shown::Nothing) => NO_TOKEN,
            Cause::Unauthenticated(Shown::Token | Shown::Key) => INVALID_TOKEN,
            Cause::Forbidden => NOT_ADMIN,
            Cause::BadRequest(_)
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
        (refusal.status(), Json(Body { error })).into_response()
    }
}
