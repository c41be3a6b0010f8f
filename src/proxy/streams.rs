//! HTTP/2 to one server: a few connections, each shared by many requests at once.
//!
//! An upstream that is told to speak HTTP/2 is spoken to in nothing else: without TLS by prior knowledge
//! (RFC 9113 §3.3), with TLS by ALPN.

use std::fmt;
use std::sync::Arc;

use http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri, Version};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::Mutex;

use super::connector::Connector;
use super::error::UpstreamError;
use super::upload::UpstreamBody;

/// How many requests share a connection: what every server should allow (RFC 9113 §6.5.2). One that
/// allows fewer gets the others as soon as it allows them.
const MOST_STREAMS: usize = 100;

/// How much of one answer a server may send before we have read it: 128 KiB, in bytes.
const STREAM_WINDOW: u32 = 128 * 1024;

/// The same for all answers of a connection together. Room for each of them: with less, a few clients
/// that read slowly would hold up everybody who shares the connection with them.
const CONNECTION_WINDOW: u32 = STREAM_WINDOW * 100;

/// The largest head of an answer, in bytes.
const HEAD_BYTES: u32 = 64 * 1024;

/// How often a request that was not sent is tried on another connection.
const TRIES: u8 = 3;

/// A place on a connection, taken until it is dropped.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    _taken: Arc<()>,
}

/// The connections to one server.
pub(super) struct Streams {
    connector: Connector,
    origin: Uri,
    shared: Mutex<Vec<Shared>>,
    /// Held by the one request that makes a connection for all who wait for it.
    dialing: tokio::sync::Mutex<()>,
}

struct Shared {
    sender: SendRequest<UpstreamBody>,
    /// Each slot has a clone.
    taken: Arc<()>,
}

impl Shared {
    fn streams(&self) -> usize {
        Arc::strong_count(&self.taken) - 1
    }
}

impl Streams {
    pub(super) fn new(connector: Connector, origin: Uri) -> Self {
        Self {
            connector,
            origin,
            shared: Mutex::default(),
            dialing: tokio::sync::Mutex::default(),
        }
    }

    /// Sends a request and waits for the head of its answer. Dropped half-way, or with the body of the
    /// answer, the stream is reset; the connection goes on.
    pub(super) async fn exchange(
        &self,
        request: Request<UpstreamBody>,
    ) -> Result<(Response<Incoming>, Slot), UpstreamError> {
        let mut request = self.addressed(request)?;
        let mut tries = TRIES;
        loop {
            let (mut sender, slot) = self.place().await?;
            tries -= 1;
            match sender.try_send_request(request).await {
                Ok(response) => return Ok((response, slot)),
                Err(mut failed) => match failed.take_message() {
                    // The server has closed the connection, or is about to, and saw nothing of it.
                    Some(unsent) if tries > 0 => request = unsent,
                    Some(_) | None => return Err(failed.into_error().into()),
                },
            }
        }
    }

    /// A place on a connection that is there, or on a new one.
    async fn place(&self) -> Result<(SendRequest<UpstreamBody>, Slot), UpstreamError> {
        if let Some(place) = self.free_place() {
            return Ok(place);
        }
        let wait = tokio::time::timeout(self.connector.limit(), self.dialing.lock());
        let _dialing = wait
            .await
            .map_err(|_elapsed| UpstreamError::ConnectTimeout)?;
        match self.free_place() {
            Some(place) => Ok(place),
            None => self.dial().await,
        }
    }

    /// The first connections are filled up first, so that the others can go when they are idle.
    fn free_place(&self) -> Option<(SendRequest<UpstreamBody>, Slot)> {
        let mut shared = self.shared.lock();
        shared.retain(|shared| !shared.sender.is_closed());
        let busy_until = shared.iter().rposition(|shared| shared.streams() > 0);
        shared.truncate(busy_until.map_or(1, |last| last + 1));
        let free = shared
            .iter()
            .find(|shared| shared.streams() < MOST_STREAMS)?;
        let slot = Slot {
            _taken: Arc::clone(&free.taken),
        };
        Some((free.sender.clone(), slot))
    }

    async fn dial(&self) -> Result<(SendRequest<UpstreamBody>, Slot), UpstreamError> {
        let stream = self.connector.connect(self.origin.clone()).await?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(HEAD_BYTES)
            .handshake(stream)
            .await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(?error, "an HTTP/2 connection to an upstream has ended");
            }
        });
        let taken = Arc::new(());
        let slot = Slot {
            _taken: Arc::clone(&taken),
        };
        self.shared.lock().push(Shared {
            sender: sender.clone(),
            taken,
        });
        Ok((sender, slot))
    }

    /// The target with scheme and authority, and without the headers that HTTP/2 has no use for
    /// (RFC 9113 §8.2.2): its frames say where a body ends. `TE: trailers` stays, as gRPC asks for it.
    fn addressed(
        &self,
        mut request: Request<UpstreamBody>,
    ) -> Result<Request<UpstreamBody>, UpstreamError> {
        let headers = request.headers_mut();
        headers.remove(CONNECTION);
        headers.remove(TRANSFER_ENCODING);
        let host = headers.remove(HOST);
        let host = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
        let authority = host.or_else(|| self.origin.authority().cloned());
        let mut target = std::mem::take(request.uri_mut()).into_parts();
        target.scheme = Some(self.origin.scheme().cloned().unwrap_or(Scheme::HTTP));
        target.authority = authority;
        let target = Uri::from_parts(target);
        *request.uri_mut() =
            target.map_err(|error| UpstreamError::Unsendable(http::Error::from(error)))?;
        *request.version_mut() = Version::HTTP_2;
        Ok(request)
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
