//! What the listening side asks of whoever answers requests, and what it tells about a connection.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Body;

use super::activity::Activity;
use super::drain::Drain;
use crate::wire::request_body::RequestBody;

/// Any error, as hyper takes it from a body.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Answers requests.
///
/// A future that is dropped half-way means that the client is gone.
pub trait RequestHandler: Send + Sync + 'static {
    /// The body of its answers. An error in it cuts the connection, so that the client sees that the
    /// answer is not whole.
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static;

    /// Answers `request`, which came in on `connection`. There is always an answer: what goes wrong
    /// is one with a status for it.
    fn handle(
        &self,
        request: Request<RequestBody>,
        connection: &Arc<Connection>,
    ) -> impl Future<Output = Response<Self::Body>> + Send;
}

impl<F, A, B> RequestHandler for F
where
    F: Fn(Request<RequestBody>, &Arc<Connection>) -> A + Send + Sync + 'static,
    A: Future<Output = Response<B>> + Send,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    type Body = B;

    fn handle(
        &self,
        request: Request<RequestBody>,
        connection: &Arc<Connection>,
    ) -> impl Future<Output = Response<B>> + Send {
        self(request, connection)
    }
}

/// A connection, as far as requests on it need to know.
pub struct Connection {
    /// Who connected: the client, or the last proxy before us. An IPv4 address in IPv6 clothes is
    /// shown as the IPv4 address.
    pub peer: SocketAddr,
    /// Where it was accepted.
    pub local: SocketAddr,
    /// The name that the client asked for in the TLS handshake, in lower case.
    pub sni: Option<Box<str>>,
    /// What is spoken on it.
    pub protocol: Protocol,
    pub(super) activity: Arc<Activity>,
    pub(super) drain: Drain,
}

impl Connection {
    /// Resolves when the gateway begins to stop. For what would otherwise never end: tunnels and
    /// event streams.
    pub async fn draining(&self) {
        self.drain.begun().await;
    }
}

impl Connection {
    /// The same for a task that outlives the connection's borrow.
    pub fn draining_owned(&self) -> impl Future<Output = ()> + Send + use<> {
        let drain = self.drain.clone();
        async move { drain.begun().await }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("peer", &self.peer)
            .field("local", &self.local)
            .field("sni", &self.sni)
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

/// What is spoken on a connection. HTTP/1.0 counts as HTTP/1.1 here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP/1.1 (RFC 9112).
    Http1,
    /// HTTP/2 (RFC 9113).
    Http2,
}

impl Protocol {
    /// Its name in ALPN (RFC 7301), logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "http/1.1",
            Self::Http2 => "h2",
        }
    }
}
