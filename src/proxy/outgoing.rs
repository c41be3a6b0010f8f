//! The head of a request as an upstream gets it: the target that was judged, the client's headers
//! without what is not the client's to say, and ours.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, TE, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use hyper::body::SizeHint;

use super::cookies::{self, OwnCookies};
use super::error::UpstreamError;
use super::names::{Unwanted, same_folded};
use super::values::Values;
use super::{IdentityHeaders, forwarded, identity};
use crate::identity::Identity;
use crate::path::NormalPath;
use crate::route::Credentials;

/// How many headers we set at most.
const OUR_HEADERS: usize = 12;

/// The head of a request, without the server that it goes to.
#[derive(Clone, Debug)]
pub(super) struct OutgoingHead {
    pub(super) method: Method,
    pub(super) target: PathAndQuery,
    pub(super) headers: HeaderMap,
}

/// Who is calling, and what the upstream may know of it.
pub(super) struct Caller<'a> {
    pub(super) identity: Option<&'a Identity>,
    pub(super) origin: forwarded::Origin,
    pub(super) credentials: Credentials,
    /// A header for credentials on this route alone.
    pub(super) key_header: Option<HeaderName>,
}

/// Turns the heads of clients into heads for upstreams.
#[derive(Debug)]
pub(super) struct Rewriter {
    identity: IdentityHeaders,
    cookies: OwnCookies,
    key_header: Option<HeaderName>,
    unwanted: Arc<Unwanted>,
    unwanted_in_answers: Unwanted,
}

impl Rewriter {
    pub(super) fn new(identity: IdentityHeaders, cookies: Vec<String>) -> Self {
        Self {
            unwanted: Arc::new(Unwanted::in_requests(&identity)),
            unwanted_in_answers: Unwanted::in_answers(&identity),
            cookies: OwnCookies::new(cookies),
            key_header: None,
            identity,
        }
    }

    /// The same, keeping API keys from upstreams.
    pub(super) fn keeping(mut self, key_header: Option<HeaderName>) -> Self {
        self.key_header = key_header;
        self
    }

    /// What a client may not say to an upstream, in headers or trailers.
    pub(super) const fn unwanted(&self) -> &Arc<Unwanted> {
        &self.unwanted
    }

    /// What an upstream may not say to a client.
    pub(super) const fn unwanted_in_answers(&self) -> &Unwanted {
        &self.unwanted_in_answers
    }

    /// The head that goes out. Ours are set last, so that no header of the client can remove them.
    pub(super) fn head(
        &self,
        parts: Parts,
        path: &NormalPath,
        caller: Caller<'_>,
    ) -> Result<OutgoingHead, UpstreamError> {
        let target = target(&parts.uri, path)?;
        let mut headers = parts.headers;
        // At once, not by doubling.
        headers.reserve(OUR_HEADERS);
        let host = host(&headers, &parts.uri);
        let trailers = takes_trailers(&headers);
        remove(&mut headers, &self.unwanted);
        for name in self.key_header.iter().chain(&caller.key_header) {
            keep_key(&mut headers, name, caller.credentials);
        }
        match caller.credentials {
            Credentials::Kept => {
                headers.remove(AUTHORIZATION);
                self.cookies.remove_from(&mut headers);
            }
            Credentials::Forwarded => {}
        }
        cookies::join(&mut headers);
        if let Some(host) = host {
            headers.insert(HOST, host);
        }
        if trailers {
            headers.insert(TE, HeaderValue::from_static("trailers"));
            headers.insert(CONNECTION, HeaderValue::from_static("te"));
        }
        let mut values = Values::new();
        forwarded::set(&mut headers, caller.origin, &mut values);
        if let Some(caller) = caller.identity {
            identity::set(&mut headers, &self.identity, caller, &mut values);
        }
        Ok(OutgoingHead {
            method: parts.method,
            target,
            headers,
        })
    }
}

/// The judged path with the client's query, byte for byte.
fn target(uri: &Uri, path: &NormalPath) -> Result<PathAndQuery, UpstreamError> {
    // `path()` says `/` where there is none, so the text itself has to start with the path.
    let unchanged =
        |target: &&PathAndQuery| target.path() == path.as_str() && target.as_str().starts_with('/');
    if let Some(target) = uri.path_and_query().filter(unchanged) {
        return Ok(target.clone());
    }
    let text = match uri.query() {
        Some(query) => format!("{}?{query}", path.as_str()),
        None => path.as_str().to_owned(),
    };
    PathAndQuery::from_maybe_shared(Bytes::from(text))
        .map_err(|error| UpstreamError::Unsendable(error.into()))
}

/// The host as the client named it, with its port: services make their own URLs from it.
///
/// HTTP/2 has it in `:authority` (RFC 9113 §8.3.1), and so has an absolute target, which overrules
/// `Host` (RFC 9112 §3.2.2).
fn host(headers: &HeaderMap, uri: &Uri) -> Option<HeaderValue> {
    match uri.authority() {
        Some(authority) => HeaderValue::from_str(without_userinfo(authority)).ok(),
        None => headers.get(HOST).cloned(),
    }
}

fn without_userinfo(authority: &Authority) -> &str {
    let text = authority.as_str();
    text.rsplit_once('@').map_or(text, |(_, host)| host)
}

/// Whether the client can take trailers: the one thing in `TE` that means something beyond its own
/// connection.
fn takes_trailers(headers: &HeaderMap) -> bool {
    tokens(headers, &TE).any(|token| token.eq_ignore_ascii_case("trailers"))
}

/// Removes the header for API keys unless credentials are forwarded, and whatever an upstream may take
/// for it, which nobody judged, in any case.
fn keep_key(headers: &mut HeaderMap, name: &HeaderName, credentials: Credentials) {
    let judged = match credentials {
        Credentials::Kept => None,
        Credentials::Forwarded => Some(name),
    };
    let doomed = headers
        .keys()
        .filter(|found| same_folded(found.as_str(), name.as_str()) && judged != Some(*found));
    let doomed: Vec<HeaderName> = doomed.cloned().collect();
    for name in &doomed {
        headers.remove(name);
    }
}

/// Removes unwanted headers, and those that `Connection` names (RFC 9110 §7.6.1).
pub(super) fn remove(headers: &mut HeaderMap, unwanted: &Unwanted) {
    let named = tokens(headers, &CONNECTION).filter(|token| !unwanted.holds(token));
    let named: Vec<HeaderName> = named.filter_map(|token| token.parse().ok()).collect();
    let doomed = headers.keys().filter(|name| unwanted.holds(name.as_str()));
    let doomed: Vec<HeaderName> = doomed.cloned().collect();
    for name in named.iter().chain(&doomed) {
        headers.remove(name);
    }
}

/// The members of a comma-separated list, over all its fields.
pub(super) fn tokens<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> {
    let fields = headers.get_all(name).into_iter();
    let texts = fields.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim)
}

/// Says how long the body is, by what hyper made of it and not by what the client wrote.
pub(super) fn frame(headers: &mut HeaderMap, is_empty: bool, length: &SizeHint) {
    let told = headers.remove(CONTENT_LENGTH).is_some();
    match length.exact() {
        // A POST that says that it has no body must go on saying so.
        _ if is_empty && told => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
        }
        _ if is_empty => {}
        Some(length) => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        // Said here, as hyper takes a GET of unknown length for one without a body.
        None => {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
    }
}

#[cfg(test)]
mod tests;
