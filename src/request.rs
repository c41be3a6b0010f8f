//! What a decision may see of a request: method, host, normalised path, client address, credential.

use std::net::IpAddr;

use http::{HeaderMap, Method};

use crate::path::NormalPath;

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

/// The credential that a request shows. Credentials are looked for in a fixed order, and the first
/// that is there counts, good or bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential<'a> {
    /// None.
    Absent,
    /// `Authorization: Bearer …` (RFC 6750 §2.1); the unverified token.
    Bearer(&'a str),
    /// The session cookie; the unverified token in it.
    Cookie(&'a str),
    /// An `Authorization` of another scheme: nothing of ours.
    Foreign,
    /// Two `Authorization` headers, two session cookies, bytes that are no text: nobody's guess.
    Ambiguous,
}

/// What the browser says about where a request was made (Fetch Metadata, `Origin`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestOrigin {
    /// By a page of this origin, or typed by the user.
    Same,
    /// By a page of another origin.
    Cross,
    /// Nothing is said: not a browser, or an old one.
    Untold,
}
