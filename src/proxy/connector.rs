//! Connections to upstreams: TCP, TLS where the origin says so, and a limit for both together.

use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::ServiceExt as _;

use super::error::{ProxyError, UpstreamError};
use super::{Protocol, UpstreamConfig};
use crate::trust::Trust;

/// The bytes to and from a server.
pub(super) type ServerStream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// An idle connection to a server that has silently gone is found out after this long.
const KEEPALIVE: Duration = Duration::from_mins(1);

/// Makes connections to the servers of one upstream.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    inner: HttpsConnector<HttpConnector>,
    limit: Duration,
    protocol: Protocol,
}

/// A server that takes no notice of what was offered to it.
#[derive(Debug, thiserror::Error)]
#[error("the server does not speak HTTP/2")]
struct NotHttp2;

impl Connector {
    pub(super) fn new(upstream: &UpstreamConfig) -> Result<Self, ProxyError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        let secure = upstream.servers.iter().any(|url| url.scheme() == "https");
        let tls = if secure {
            upstream.trust.client_config()
        } else {
            Trust::nobody().client_config()
        };
        let tls = tls.map_err(|source| ProxyError::Trust {
            upstream: upstream.name.clone(),
            source,
        })?;
        let tls = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http();
        Ok(Self {
            inner: match upstream.protocol {
                Protocol::Http1 => tls.enable_http1().wrap_connector(tcp),
                Protocol::Http2 => tls.enable_http2().wrap_connector(tcp),
            },
            limit: upstream.connect_timeout,
            protocol: upstream.protocol,
        })
    }

    /// How long a connection may take.
    pub(super) const fn limit(&self) -> Duration {
        self.limit
    }

    /// A new connection to the server at this origin.
    pub(super) async fn connect(&self, server: Uri) -> Result<ServerStream, UpstreamError> {
        let connecting = self.inner.clone().oneshot(server);
        match tokio::time::timeout(self.limit, connecting).await {
            Ok(connected) => {
                let stream = connected.map_err(UpstreamError::Refused)?;
                self.agreed(stream)
            }
            Err(_elapsed) => Err(UpstreamError::ConnectTimeout),
        }
    }

    /// A server without ALPN would take the first bytes of HTTP/2 for a strange request.
    fn agreed(&self, stream: ServerStream) -> Result<ServerStream, UpstreamError> {
        let agreed = match (self.protocol, &stream) {
            (Protocol::Http1, _) | (Protocol::Http2, MaybeHttpsStream::Http(_)) => true,
            (Protocol::Http2, MaybeHttpsStream::Https(tls)) => {
                let (_, session) = tls.inner().get_ref();
                session.alpn_protocol() == Some(b"h2")
            }
        };
        if agreed {
            Ok(stream)
        } else {
            Err(UpstreamError::Refused(Box::new(NotHttp2)))
        }
    }
}
