//! The head of an answer as the client gets it.

use http::header::{CONNECTION, CONTENT_LENGTH, UPGRADE};
use http::{Response, StatusCode, Version};
use hyper::body::{Body as _, Incoming};

use super::names::Unwanted;
use super::outgoing;

/// Removes what belongs to the connection to the upstream, and our own identity headers where the
/// upstream echoes them. All else, `Server` among it, stays.
pub(super) fn clean(response: &mut Response<Incoming>, unwanted: &Unwanted) {
    let switching = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let upgrade = response
        .headers()
        .get(UPGRADE)
        .filter(|_| switching)
        .cloned();
    // A server of HTTP/1.0 must not make us one.
    *response.version_mut() = Version::HTTP_11;
    let unknown_length = response.body().size_hint().exact().is_none();
    let headers = response.headers_mut();
    outgoing::remove(headers, unwanted);
    // Beside `Transfer-Encoding` a length is a lie (RFC 9112 §6.3).
    if unknown_length {
        headers.remove(CONTENT_LENGTH);
    }
    if let Some(protocol) = upgrade {
        headers.insert(UPGRADE, protocol);
        headers.insert(CONNECTION, http::HeaderValue::from_static("upgrade"));
    }
}
