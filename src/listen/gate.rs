//! What pingora calls for each accepted connection: limits, TLS, then HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora_core::apps::ServerApp;
use pingora_core::protocols::Stream;
use pingora_core::server::ShutdownWatch;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::activity::Activity;
use super::drain::Drain;
use super::handler::{Connection, Protocol, RequestHandler};
use super::http_connection::{HttpConnection, TimeLimits};
use super::slots::{Full, Slots};
use super::stream::{GuardedStream, Lease, StallLimit};
use crate::metrics::connections::ConnectionMetrics;
use crate::net::one_buffer::OneBuffer;

/// The connections of one kind of listener.
pub(super) struct Gate<H> {
    pub(super) handler: Arc<H>,
    pub(super) transport: Transport,
    pub(super) slots: Arc<Slots>,
    pub(super) limits: TimeLimits,
    pub(super) drain: Drain,
    pub(super) metrics: ConnectionMetrics,
}

/// What HTTP travels in.
pub(super) enum Transport {
    /// Nothing.
    Plain,
    /// TLS, the handshake within this time.
    Tls {
        acceptor: TlsAcceptor,
        handshake_timeout: Duration,
    },
}

/// Both ends of a connection.
struct Ends {
    peer: SocketAddr,
    local: SocketAddr,
}

/// What the handshake agreed on.
struct Agreed {
    protocol: Protocol,
    sni: Option<Box<str>>,
}

#[async_trait]
impl<H: RequestHandler> ServerApp for Gate<H> {
    async fn process_new(
        self: &Arc<Self>,
        stream: Stream,
        _pingora_shutdown: &ShutdownWatch,
    ) -> Option<Stream> {
        if let Some(ends) = ends_of(&stream)
            && let Some(lease) = self.admit(&ends)
        {
            self.receive(stream, ends, lease).await;
        }
        None
    }
}

impl<H: RequestHandler> Gate<H> {
    /// A place for the connection, unless a limit is reached. Then it is closed without a word: an
    /// answer would cost a handshake, which is what the limit is there to save.
    fn admit(&self, ends: &Ends) -> Option<Lease> {
        match self.slots.take(ends.peer.ip()) {
            Ok(slot) => Some(Lease {
                _slot: slot,
                _open: self.drain.connection(),
            }),
            Err(full) => {
                match full {
                    Full::Total => self.metrics.refused_total_limit.inc(),
                    Full::Address => self.metrics.refused_address_limit.inc(),
                };
                tracing::debug!(peer = %ends.peer, ?full, "a connection over the limit was closed");
                None
            }
        }
    }

    async fn receive(&self, stream: Stream, ends: Ends, lease: Lease) {
        match &self.transport {
            Transport::Plain => {
                let agreed = Agreed {
                    protocol: Protocol::Http1,
                    sni: None,
                };
                self.converse(stream, self.connection(&ends, agreed), lease)
                    .await;
            }
            Transport::Tls {
                acceptor,
                handshake_timeout,
            } => {
                let handshake = acceptor.accept(OneBuffer(stream));
                match tokio::time::timeout(*handshake_timeout, handshake).await {
                    Ok(Ok(stream)) => {
                        let connection = self.connection(&ends, agreed_on(&stream));
                        self.converse(stream, connection, lease).await;
                    }
                    Ok(Err(error)) => {
                        self.metrics.handshake_errors.inc();
                        tracing::debug!(peer = %ends.peer, %error, "a TLS handshake failed");
                    }
                    Err(_elapsed) => {
                        self.metrics.handshake_timeouts.inc();
                    }
                }
            }
        }
    }

    fn connection(&self, ends: &Ends, agreed: Agreed) -> Connection {
        Connection {
            peer: ends.peer,
            local: ends.local,
            sni: agreed.sni,
            protocol: agreed.protocol,
            activity: Activity::new(agreed.protocol),
            drain: self.drain.clone(),
        }
    }

    async fn converse<T>(&self, stream: T, connection: Connection, lease: Lease)
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let activity = Arc::clone(&connection.activity);
        let stall = StallLimit {
            limit: self.limits.idle,
            cut: self.metrics.stalled_answers.clone(),
        };
        let stream = GuardedStream::new(stream, Arc::clone(&activity), stall, lease);
        let http = HttpConnection {
            handler: Arc::clone(&self.handler),
            connection,
            activity,
            limits: self.limits.clone(),
        };
        http.serve(stream).await;
    }
}

/// None when the client is gone already.
fn ends_of(stream: &Stream) -> Option<Ends> {
    let digest = stream.get_socket_digest()?;
    let peer = digest.peer_addr()?.as_inet()?;
    Some(Ends {
        peer: SocketAddr::new(peer.ip().to_canonical(), peer.port()),
        local: *digest.local_addr()?.as_inet()?,
    })
}

fn agreed_on(stream: &TlsStream<OneBuffer<Stream>>) -> Agreed {
    let (_, session) = stream.get_ref();
    Agreed {
        protocol: match session.alpn_protocol() {
            Some(b"h2") => Protocol::Http2,
            _ => Protocol::Http1,
        },
        sni: session
            .server_name()
            .map(|name| name.to_ascii_lowercase().into()),
    }
}
