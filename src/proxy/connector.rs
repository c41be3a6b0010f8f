//! Connections to upstreams: TCP, TLS where the origin says so, and a limit for both together.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use super::UpstreamConfig;
use super::error::ProxyError;
use crate::trust::Trust;

/// The connection was not there in time.
#[derive(Debug, thiserror::Error)]
#[error("the connection took too long")]
pub(super) struct ConnectTimedOut;

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
}

type Failure = Box<dyn Error + Send + Sync>;

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let connected = tokio::time::timeout(self.limit, self.inner.call(server));
        Box::pin(async { connected.await.map_err(|_elapsed| ConnectTimedOut)? })
    }
}
