//! Forwarding: a permitted request goes to an upstream, its answer comes back.
//!
//! Knows nothing of how a request was permitted; the [`Permit`] says that it was. What a client reads
//! when an upstream fails, and the access log, are the business of the caller.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, Request, Response};
use hyper::body::Body as _;
use url::Url;

use crate::auth::Permit;
use crate::path::NormalPath;
use crate::route::Credentials;
use crate::trust::Trust;
use crate::wire::request_body::RequestBody;

mod answer;
mod body;
mod connector;
mod cookies;
mod error;
mod forwarded;
mod identity;
mod line;
mod names;
mod outgoing;
mod pool;
mod stillness;
mod streams;
mod tunnel;
mod upload;
mod upstream;
mod values;
mod websocket;

pub use body::{BodyEnd, BodyError, BodyOutcome, ProxyBody};
pub use error::{ProxyError, UpstreamError};
pub use tunnel::{Tunnel, TunnelEnd};

use outgoing::Rewriter;
use upload::Payload;
use upstream::{Answered, Upstream};
use websocket::Handshake;

/// A group of servers that answer for the same thing.
#[derive(Clone, Debug)]
pub struct UpstreamConfig {
    /// Its name, in routes, logs and metrics.
    pub name: String,
    /// The origins of its servers, `http` or `https`, no path; at least one.
    pub servers: Vec<Url>,
    /// How long a connection may take to be made, TLS included.
    pub connect_timeout: Duration,
    /// How long the head of the answer may take, from the last byte of the request.
    pub response_timeout: Duration,
    /// How long a body may stand still, in either direction.
    pub idle_timeout: Duration,
    /// Whose certificates its `https` servers may show.
    pub trust: Trust,
    /// What its servers speak.
    pub protocol: Protocol,
}

/// What is spoken to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, and nothing else: by prior knowledge, or with TLS by ALPN.
    Http2,
}

/// The headers that tell an upstream who is calling.
#[derive(Clone, Debug)]
pub struct IdentityHeaders {
    /// The subject of the token.
    pub subject: HeaderName,
    /// The caller's address.
    pub email: HeaderName,
    /// The caller's roles, comma-separated.
    pub roles: HeaderName,
    /// The session.
    pub session: HeaderName,
}

/// All that forwarding needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where requests go; [`Forward::upstream`] is an index into this list.
    pub upstreams: Vec<UpstreamConfig>,
    /// How upstreams learn who is calling.
    pub headers: IdentityHeaders,
    /// The names of our own cookies, which upstreams do not see.
    pub cookies: Vec<String>,
    /// The header in which clients may show API keys; kept from upstreams as `Authorization` is.
    pub key_header: Option<HeaderName>,
}

/// A request to forward, with what was found out about it.
#[derive(Debug)]
pub struct Forward {
    /// The request as it came; its `Host` and `:authority` agree.
    pub request: Request<RequestBody>,
    /// Its path as it was judged, which is the path that is sent.
    pub path: NormalPath,
    /// The client, by the trusted-proxy rule.
    pub client: IpAddr,
    /// Its name in the logs of both sides.
    pub request_id: HeaderValue,
    /// Which upstream: an index into [`Config::upstreams`].
    pub upstream: usize,
    /// Whether the upstream may see the caller's credential.
    pub credentials: Credentials,
    /// Another header in which its client may have shown the credential, beside that of [`Config`].
    pub key_header: Option<HeaderName>,
}

/// The answer of an upstream.
#[derive(Debug)]
pub struct Forwarded {
    /// The answer, ready for the client; its body streams.
    pub response: Response<ProxyBody>,
    /// Behind a `101`: the two connections to join, once the response is on its way.
    pub tunnel: Option<Tunnel>,
    /// The origin of the server that answered.
    pub server: Arc<Url>,
}

/// Forwards permitted requests.
///
/// Holds the pools of connections to all upstreams. Nothing runs before the first request: the tasks of
/// a connection live in the runtime that forwarded the request which opened it.
pub struct Proxy {
    upstreams: Vec<Upstream>,
    rewriter: Rewriter,
}

impl Proxy {
    /// Prepares connectors and tables; opens no connection.
    pub fn new(config: Config) -> Result<Self, ProxyError> {
        let upstreams = config.upstreams.into_iter();
        Ok(Self {
            upstreams: upstreams.map(Upstream::new).collect::<Result<_, _>>()?,
            rewriter: Rewriter::new(config.headers, config.cookies).keeping(config.key_header),
        })
    }

    /// Sends a permitted request to its upstream and waits for the head of the answer.
    ///
    /// Dropping the future, or later the body of the response, closes the connection to the upstream:
    /// a client that has gone does not leave work behind.
    pub async fn forward(
        &self,
        permit: &Permit,
        forward: Forward,
    ) -> Result<Forwarded, UpstreamError> {
        refuse_method(forward.request.method())?;
        let upstream = self
            .upstreams
            .get(forward.upstream)
            .ok_or(UpstreamError::Unknown)?;
        let Forward {
            mut request, path, ..
        } = forward;
        let handshake = Handshake::of(&mut request);
        match upstream.protocol() {
            Protocol::Http2 if handshake.is_some() => return Err(UpstreamError::NoWebSocket),
            Protocol::Http1 | Protocol::Http2 => {}
        }
        let (parts, body) = request.into_parts();
        let caller = outgoing::Caller {
            identity: permit.identity(),
            origin: forwarded::Origin {
                client: forward.client,
                request_id: forward.request_id,
            },
            credentials: forward.credentials,
            key_header: forward.key_header,
        };
        let mut head = self.rewriter.head(parts, &path, caller)?;
        outgoing::frame(&mut head.headers, body.is_end_stream(), &body.size_hint());
        if handshake.is_some() {
            websocket::ask(&mut head.headers);
        }
        let payload = Payload::new(body, self.rewriter.unwanted(), upstream.idle_timeout());
        let Answered {
            server,
            response,
            slot,
        } = upstream.send(head, payload).await?;
        let (mut response, tunnel) = websocket::conclude(handshake, response)?;
        answer::clean(&mut response, self.rewriter.unwanted_in_answers());
        Ok(Forwarded {
            response: response.map(|body| ProxyBody::new((body, slot), upstream.idle_timeout())),
            tunnel,
            server,
        })
    }
}

/// `CONNECT` asks for a tunnel past every rule, `TRACE` for an echo of headers that a script must not
/// read. Neither is ever forwarded.
pub fn refuse_method(method: &Method) -> Result<(), UpstreamError> {
    match *method {
        Method::CONNECT | Method::TRACE => Err(UpstreamError::Method),
        _ => Ok(()),
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("upstreams", &self.upstreams)
            .finish_non_exhaustive()
    }
}
