//! Refusals that gRPC clients can read: they look at no HTTP status and at no body, only at `grpc-status`
//! (gRPC over HTTP/2, "Responses").

use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response, Version};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{Cause, Refusal, RefusalStyle};

/// `Trailers-Only`: a head that is also the end, with status 200.
#[derive(Clone, Copy, Debug, Default)]
pub struct GrpcStyle;

/// What `grpc-message` has encoded beside what is no printable ASCII.
const MESSAGE: &AsciiSet = &CONTROLS.add(b'%');

/// Whether a request is a call of a gRPC client. gRPC-Web is another protocol, for browsers.
pub fn is_call(version: Version, headers: &HeaderMap) -> bool {
    version == Version::HTTP_2
        && headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.as_bytes().strip_prefix(b"application/grpc"))
            .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

impl RefusalStyle for GrpcStyle {
    fn render(&self, refusal: &Refusal) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert("grpc-status", HeaderValue::from(code(refusal.cause())));
        let message = utf8_percent_encode(refusal.detail(), MESSAGE).to_string();
        let message = HeaderValue::try_from(message).ok();
        headers.extend(message.map(|message| (GRPC_MESSAGE, message)));
        response
    }
}

const GRPC_MESSAGE: http::HeaderName = http::HeaderName::from_static("grpc-message");

/// The status codes of gRPC (`doc/statuscodes.md`), as clients take them for the HTTP status of each.
const fn code(cause: &Cause) -> u16 {
    const INVALID_ARGUMENT: u16 = 3;
    const PERMISSION_DENIED: u16 = 7;
    const RESOURCE_EXHAUSTED: u16 = 8;
    const UNIMPLEMENTED: u16 = 12;
    const UNAVAILABLE: u16 = 14;
    const UNAUTHENTICATED: u16 = 16;
    match cause {
        Cause::BadRequest(_) | Cause::PathCase => INVALID_ARGUMENT,
        Cause::Unauthenticated(_) => UNAUTHENTICATED,
        Cause::Forbidden | Cause::CrossOrigin => PERMISSION_DENIED,
        Cause::NotFound | Cause::MethodNotAllowed(_) => UNIMPLEMENTED,
        Cause::BodyTooLarge | Cause::TooManyRequests(_) => RESOURCE_EXHAUSTED,
        Cause::BadGateway | Cause::Unavailable { .. } | Cause::GatewayTimeout => UNAVAILABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::refusal::Shown;

    #[test]
    fn a_call_is_told_by_its_version_and_media_type() {
        let check = |version, media_type: &'static str, expected| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            assert_eq!(is_call(version, &headers), expected, "{media_type}");
        };
        check(Version::HTTP_2, "application/grpc", true);
        check(Version::HTTP_2, "application/grpc+proto", true);
        check(Version::HTTP_2, "application/grpc; x=y", true);
        check(Version::HTTP_2, "application/grpc-web", false);
        check(Version::HTTP_2, "application/json", false);
        check(Version::HTTP_11, "application/grpc", false);
        assert!(!is_call(Version::HTTP_2, &HeaderMap::new()));
    }

    #[test]
    fn a_refusal_is_all_in_its_head() {
        let refusal = Refusal::from(Cause::Unauthenticated(Shown::Nothing));
        let response = refusal.respond(&GrpcStyle);
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["grpc-status"], "16");
        assert_eq!(response.headers()["grpc-message"], "Sign in to go on.");
        assert!(http_body::Body::is_end_stream(response.body()));
    }
}
