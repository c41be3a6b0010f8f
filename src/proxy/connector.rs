//! Connections to upstreams: TCP, TLS where the origin says so, and a limit for both together.

use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::ServiceExt as _;

use super::UpstreamConfig;
use super::error::{ProxyError, UpstreamError};
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
}

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
        let tls = HttpsConnectorBuilder::new().with_tls_config(tls);
        Ok(Self {
            inner: tls.https_or_http().enable_http1().wrap_connector(tcp),
            limit: upstream.connect_timeout,
        })
    }

    /// A new connection to the server at this origin.
    pub(super) async fn connect(&self, server: Uri) -> Result<ServerStream, UpstreamError> {
        let connecting = self.inner.clone().oneshot(server);
        match tokio::time::timeout(self.limit, connecting).await {
            Ok(connected) => connected.map_err(UpstreamError::Refused),
            Err(_elapsed) => Err(UpstreamError::ConnectTimeout),
        }
    }
}
