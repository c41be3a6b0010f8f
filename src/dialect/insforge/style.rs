//! Refusals on proxied routes, in the words of this dialect.

use axum::body::Body;
use axum::response::IntoResponse as _;
use http::{Response, StatusCode};

use super::fault::{Fault, code};
use crate::wire::refusal::{Cause, Refusal, RefusalStyle, Shown};

/// Refusals as the clients of this dialect read them: they refresh by themselves upon a 401 with
/// `AUTH_UNAUTHORIZED`, and upon no other.
#[derive(Clone, Copy, Debug, Default)]
pub struct InsForgeStyle;

impl RefusalStyle for InsForgeStyle {
    fn render(&self, refusal: &Refusal) -> Response<Body> {
        fault(refusal).into_response()
    }
}

fn fault(refusal: &Refusal) -> Fault {
    let other = |code: &'static str| Fault::new(refusal.status(), code, refusal.detail());
    match refusal.cause() {
        Cause::Unauthenticated(Shown::Token) => Fault::invalid_token(),
        Cause::Unauthenticated(Shown::Key) => Fault::invalid_api_key(),
        Cause::Unauthenticated(Shown::Nothing) => Fault::no_token(),
        Cause::Forbidden => Fault::admin_required(),
        Cause::CrossOrigin => other(code::FORBIDDEN),
        Cause::NotFound => Fault::new(StatusCode::NOT_FOUND, code::NOT_FOUND, "Endpoint not found")
            .next("Check the path and the method of the request."),
        Cause::MethodNotAllowed(_) => other(code::NOT_FOUND),
        Cause::BadRequest(_) | Cause::PathCase | Cause::BodyTooLarge => other(code::INVALID_INPUT),
        Cause::TooManyRequests(limited) => Fault::too_many_requests(*limited),
        Cause::Unavailable { .. } => other(code::INTERNAL),
        Cause::BadGateway | Cause::GatewayTimeout => other(code::UPSTREAM),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::to_bytes;
    use serde_json::Value;

    use super::*;

    #[tokio::test]
    async fn each_refusal_has_its_words() {
        let check = async |cause: Cause, status: u16, error: &str, message: Option<&str>| {
            let response = Refusal::from(cause.clone()).respond(&InsForgeStyle);
            assert_eq!(response.status().as_u16(), status, "{cause:?}");
            assert_eq!(response.headers()["content-type"], "application/json");
            let body = to_bytes(response.into_body(), 4096).await.unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["error"], error, "{cause:?}");
            assert_eq!(body["statusCode"], status);
            let said = body["message"].as_str().unwrap();
            assert_eq!(said, message.unwrap_or(said));
        };
        let token = Cause::Unauthenticated(Shown::Token);
        check(token, 401, "AUTH_UNAUTHORIZED", Some("Invalid token")).await;
        let key = Cause::Unauthenticated(Shown::Key);
        check(key, 401, "AUTH_INVALID_API_KEY", Some("Invalid API key")).await;
        let none = Cause::Unauthenticated(Shown::Nothing);
        let message = Some("No token provided");
        check(none, 401, "AUTH_INVALID_CREDENTIALS", message).await;
        let message = Some("Admin access required");
        check(Cause::Forbidden, 403, "AUTH_UNAUTHORIZED", message).await;
        check(Cause::CrossOrigin, 403, "FORBIDDEN", None).await;
        check(Cause::NotFound, 404, "NOT_FOUND", None).await;
        let methods = Cause::MethodNotAllowed(Vec::new());
        check(methods, 405, "NOT_FOUND", None).await;
        check(Cause::BodyTooLarge, 413, "INVALID_INPUT", None).await;
        check(Cause::PathCase, 400, "INVALID_INPUT", None).await;
        check(Cause::BadGateway, 502, "UPSTREAM_FAILURE", None).await;
        let retry_after = Duration::from_secs(1);
        let away = Cause::Unavailable { retry_after };
        check(away, 503, "INTERNAL_ERROR", None).await;
        check(Cause::GatewayTimeout, 504, "UPSTREAM_FAILURE", None).await;
    }
}
