//! The opening handshake of a WebSocket (RFC 6455 §4), the only upgrade that passes.
//!
//! A request is an upgrade when it is one to the letter, and becomes one when the upstream says `101`
//! with the right answer to the client's key. Everything else with an `Upgrade` header is an ordinary
//! request, which goes on without it: a proxy that believed in an upgrade too early let whatever
//! followed past its rules.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::{Body as _, Incoming};
use hyper::upgrade::OnUpgrade;

use super::error::UpstreamError;
use super::outgoing::tokens;
use super::tunnel::Tunnel;
use crate::wire::request_body::RequestBody;

/// A client's wish for a WebSocket.
#[derive(Debug)]
pub(super) struct Handshake {
    client: OnUpgrade,
    /// What the upstream must answer to the client's key.
    accept: String,
}

impl Handshake {
    /// The handshake that this request is, if it is one.
    pub(super) fn of(request: &mut Request<RequestBody>) -> Option<Self> {
        // Most requests end here.
        request.headers().get(UPGRADE)?;
        let well_formed = request.version() == Version::HTTP_11
            && request.method() == Method::GET
            && request.body().is_end_stream()
            && asks(request.headers());
        let accept = accept(request.headers()).filter(|_| well_formed)?;
        Some(Self {
            client: hyper::upgrade::on(request),
            accept,
        })
    }
}

/// Sets the headers that ask an upstream for the upgrade.
pub(super) fn ask(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// Joins what was asked with what was answered.
pub(super) fn conclude(
    handshake: Option<Handshake>,
    mut response: Response<Incoming>,
) -> Result<(Response<Incoming>, Option<Tunnel>), UpstreamError> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Ok((response, None));
    }
    let handshake = handshake.ok_or(UpstreamError::BadUpgrade)?;
    let accept = single(response.headers(), &SEC_WEBSOCKET_ACCEPT);
    if accept != Some(&handshake.accept) || !names_websocket(response.headers()) {
        return Err(UpstreamError::BadUpgrade);
    }
    let upstream = hyper::upgrade::on(&mut response);
    let tunnel = Tunnel::new(handshake.client, upstream);
    Ok((response, Some(tunnel)))
}

/// Whether these headers ask for a WebSocket, and for nothing else.
fn asks(headers: &HeaderMap) -> bool {
    names_websocket(headers)
        && tokens(headers, &CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade"))
        && single(headers, &SEC_WEBSOCKET_VERSION) == Some("13")
}

fn names_websocket(headers: &HeaderMap) -> bool {
    single(headers, &UPGRADE).is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

/// The answer to the client's key, which is 16 bytes in base64.
fn accept(headers: &HeaderMap) -> Option<String> {
    let key = single(headers, &SEC_WEBSOCKET_KEY)?;
    let bytes = STANDARD.decode(key).ok()?;
    if bytes.len() != 16 {
        return None;
    }
    // SHA-1 as the RFC has it: it shows that the server speaks WebSocket, and protects nothing.
    let mut hash = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(key.as_bytes());
    hash.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    Some(STANDARD.encode(hash.finish()))
}

/// The value of a header that is there once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let fields = fields.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn a_key_has_the_answer_of_the_rfc() {
        let key = headers(&[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")]);
        assert_eq!(
            accept(&key).as_deref(),
            Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        );
        for bad in ["", "dGhl", "not base64 at all!!!!!=="] {
            assert_eq!(
                accept(&headers(&[("sec-websocket-key", bad)])),
                None,
                "{bad}"
            );
        }
    }

    #[test]
    fn only_a_websocket_is_asked_for() {
        let check = |connection, upgrade, version, expected| {
            let headers = headers(&[
                ("connection", connection),
                ("upgrade", upgrade),
                ("sec-websocket-version", version),
            ]);
            assert_eq!(asks(&headers), expected, "{connection} {upgrade} {version}");
        };
        check("Upgrade", "websocket", "13", true);
        check("keep-alive, Upgrade", "WebSocket", "13", true);
        check("keep-alive", "websocket", "13", false);
        check("upgrade", "h2c", "13", false);
        check("upgrade", "websocket, h2c", "13", false);
        check("upgrade", "websocket", "8", false);
    }
}
