//! What a decision may see of a request: method, host, normalised path, client address, credential.
//!
//! A request that two readers could read in two ways ends here as a [`BadRequest`]. Whether a
//! credential holds, `auth` says; here it is only found.

use std::net::IpAddr;

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Uri, Version, header};

use crate::net::Networks;
use crate::net::host::Authority;
use crate::path::NormalPath;

mod bad_request;
pub mod client;
pub mod cookie;
mod credential;
mod origin;

pub use bad_request::BadRequest;
pub use credential::Credential;
pub use origin::RequestOrigin;

/// A request as it is judged.
#[derive(Clone, Debug)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// The host, in lower case, without port and trailing dot; `Host` and `:authority` agree.
    pub host: Box<str>,
    /// The path in its one spelling: what is judged, and what is sent.
    pub path: NormalPath,
    /// The client, by the trusted-proxy rule.
    pub client: IpAddr,
    /// The headers as they came.
    pub headers: &'a HeaderMap,
}

impl<'a> RequestHead<'a> {
    /// Reads the head of a request that came from `peer`.
    ///
    /// A raw `#` in the target is refused where it is still there; the `http` crate cuts it off, with
    /// all that follows, when it reads a target from the wire. Both are safe, as what is forwarded is
    /// what was read here.
    pub fn read(parts: &'a Parts, peer: IpAddr, trusted: &Networks) -> Result<Self, BadRequest> {
        check_target(parts)?;
        check_coding(&parts.headers)?;
        Ok(Self {
            method: &parts.method,
            host: read_host(parts)?,
            path: NormalPath::parse(parts.uri.path())?,
            client: client::client_address(peer, &parts.headers, trusted),
            headers: &parts.headers,
        })
    }

    /// Whether the method is safe by definition (RFC 9110 §9.2.1): it asks for no change.
    pub fn is_safe_method(&self) -> bool {
        self.method.is_safe()
    }

    /// Whether a browser is loading a page, and so a person waits who can be sent to the sign-in page.
    ///
    /// `Sec-Fetch-Mode` says it exactly where it is sent; else it is a `GET` that accepts HTML.
    pub fn wants_page(&self) -> bool {
        if self.method != Method::GET {
            return false;
        }
        if let Some(mode) = self.headers.get("sec-fetch-mode") {
            return mode == "navigate";
        }
        let accepted = self.headers.get_all(header::ACCEPT).iter();
        accepted
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .any(|range| media_type(range).eq_ignore_ascii_case("text/html"))
    }
}

/// A media range of `Accept` without its parameters.
fn media_type(range: &str) -> &str {
    range.split(';').next().unwrap_or_default().trim()
}

/// Refuses targets that are not a path, perhaps with a query, of a web origin.
fn check_target(parts: &Parts) -> Result<(), BadRequest> {
    if parts.method == Method::CONNECT {
        return Err(BadRequest::Connect);
    }
    if !begins_with_path(parts) {
        return Err(BadRequest::Target);
    }
    if !matches!(parts.uri.scheme_str(), None | Some("http" | "https")) {
        return Err(BadRequest::Scheme);
    }
    check_query(parts.uri.query().unwrap_or_default())
}

/// Whatever is around the chunks is taken off with them, and the next server is not told.
fn check_coding(headers: &HeaderMap) -> Result<(), BadRequest> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_chunked = |line: &HeaderValue| line.as_bytes().eq_ignore_ascii_case(b"chunked");
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if is_chunked(coding) => Ok(()),
        (Some(_), _) => Err(BadRequest::TransferCoding),
    }
}

/// `?x` is no path, though `Uri::path` makes `/` of it; only behind the authority of an absolute target
/// is nothing the same as `/` (RFC 9110 §4.2.3).
fn begins_with_path(parts: &Parts) -> bool {
    let is_absolute_form = parts.version < Version::HTTP_2 && parts.uri.scheme().is_some();
    let target = parts.uri.path_and_query().map(PathAndQuery::as_str);
    is_absolute_form || target.is_some_and(|target| target.starts_with('/'))
}

/// The `http` crate lets none of these through; what we forward should not hang on that.
fn check_query(query: &str) -> Result<(), BadRequest> {
    let is_refused = |byte| byte == b'#' || byte <= b' ' || byte == 0x7f;
    if query.bytes().any(is_refused) {
        return Err(BadRequest::Query);
    }
    Ok(())
}

/// The host that the request is for. `Host` and the authority of the target say the same, port
/// included: RFC 9112 §3.2.2 has the target win, but a service behind us may read the other one.
fn read_host(parts: &Parts) -> Result<Box<str>, BadRequest> {
    let from_header = host_header(&parts.headers)?;
    let from_target = target_authority(&parts.uri)?;
    match (from_header, from_target) {
        (Some(header), Some(target)) if header != target => Err(BadRequest::HostDisagrees),
        (Some(header), _) => Ok(header.host),
        // HTTP/1.1 asks for `Host` even beside an absolute target (RFC 9112 §3.2); HTTP/2 does not.
        (None, Some(target)) if parts.version >= Version::HTTP_2 => Ok(target.host),
        (None, _) => Err(BadRequest::HostMissing),
    }
}

fn host_header(headers: &HeaderMap) -> Result<Option<Authority>, BadRequest> {
    let mut lines = headers.get_all(header::HOST).iter();
    let Some(line) = lines.next() else {
        return Ok(None);
    };
    if lines.next().is_some() {
        return Err(BadRequest::HostRepeated);
    }
    let text = line.to_str().or(Err(BadRequest::NotText))?;
    Ok(Some(Authority::parse(text)?))
}

fn target_authority(uri: &Uri) -> Result<Option<Authority>, BadRequest> {
    let authority = uri.authority();
    Ok(authority
        .map(|a| Authority::parse(a.as_str()))
        .transpose()?)
}

#[cfg(test)]
mod tests;
