//! What an upstream learns of the connection that it does not see: client, host, scheme, request.

use std::net::IpAddr;

use http::header::{FORWARDED, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::values::Values;
use crate::net::address_text;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Plain HTTP is never forwarded: it is redirected.
const SCHEME: &str = "https";

/// Sets `X-Forwarded-*`, `Forwarded` (RFC 7239) and `X-Request-Id`; the client's own are gone by now.
///
/// The client is the one that the trusted-proxy rule found, and stands alone: addresses further back
/// are hearsay.
pub(super) fn set(headers: &mut HeaderMap, origin: Origin, values: &mut Values) {
    let client = address_text(origin.client);
    let host = headers.get(HOST).cloned();
    let element = element(&client, host.as_ref());
    put(headers, FORWARDED, values.join([&*element]));
    put(headers, X_FORWARDED_FOR, values.join([&*client]));
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(SCHEME));
    if let Some(host) = host {
        headers.insert(X_FORWARDED_HOST, host);
    }
    headers.insert(X_REQUEST_ID, origin.request_id);
}

/// Where a request came from.
pub(super) struct Origin {
    pub(super) client: IpAddr,
    pub(super) request_id: HeaderValue,
}

/// One element of `Forwarded`; an IPv6 address is in brackets and quotes (RFC 7239 §6).
fn element(client: &str, host: Option<&HeaderValue>) -> String {
    let mut element = String::with_capacity(128);
    element.push_str("for=");
    if client.contains(':') {
        element.extend(["\"[", client, "]\""]);
    } else {
        element.push_str(client);
    }
    if let Some(host) = host.and_then(|host| host.to_str().ok()) {
        element.push_str(";host=");
        push_quoted(&mut element, host);
    }
    element.extend([";proto=", SCHEME]);
    element
}

/// A quoted string (RFC 9110 §5.6.4): the colon of a port is no token character.
fn push_quoted(to: &mut String, text: &str) {
    to.push('"');
    for character in text.chars() {
        if matches!(character, '\\' | '"') {
            to.push('\\');
        }
        to.push(character);
    }
    to.push('"');
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_is_written_as_rfc_7239_has_it() {
        let check = |client: &str, host: Option<&'static str>, expected: &str| {
            let host = host.map(HeaderValue::from_static);
            let client: IpAddr = client.parse().unwrap();
            assert_eq!(element(&address_text(client), host.as_ref()), expected);
        };
        check(
            "192.0.2.1",
            Some("gw.example.com:8443"),
            "for=192.0.2.1;host=\"gw.example.com:8443\";proto=https",
        );
        check("2001:db8::1", None, "for=\"[2001:db8::1]\";proto=https");
        check("::ffff:10.0.0.1", None, "for=10.0.0.1;proto=https");
        check(
            "192.0.2.1",
            Some("a\";for=6.6.6.6"),
            "for=192.0.2.1;host=\"a\\\";for=6.6.6.6\";proto=https",
        );
    }
}
