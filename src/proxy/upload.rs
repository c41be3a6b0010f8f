//! The body of a request on its way to an upstream, and the time that an upstream may take with it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderName;
use http_body::Frame;
use hyper::body::{Body, SizeHint};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::names::Unwanted;
use super::stillness::Stillness;
use crate::wire::request_body::RequestBody;

/// Why the body of a request broke off: the client's doing.
#[derive(Debug, thiserror::Error)]
pub(super) enum UploadError {
    #[error("the client went away")]
    ClientGone(#[source] hyper::Error),
    #[error("the client stopped sending")]
    Stalled,
}

/// The body of a request, through all attempts to send it.
#[derive(Debug)]
pub(super) enum Payload {
    /// There is none.
    Empty,
    /// There is one, and it can be sent once.
    Upload(Arc<Upload>),
}

impl Payload {
    pub(super) fn new(body: RequestBody, unwanted: &Arc<Unwanted>, idle_timeout: Duration) -> Self {
        if body.is_end_stream() {
            return Self::Empty;
        }
        Self::Upload(Arc::new(Upload {
            waiting: Mutex::new(Some(body)),
            unwanted: Arc::clone(unwanted),
            idle_timeout,
            moved: AtomicU64::new(0),
            upstream_turn: AtomicBool::new(false),
            sent: Notify::new(),
        }))
    }

    /// The body for an attempt; `None` once an earlier attempt has taken something of it.
    pub(super) fn body(&self) -> Option<UpstreamBody> {
        match self {
            Self::Empty => Some(UpstreamBody(None)),
            Self::Upload(upload) => {
                let incoming = upload.waiting.lock().take()?;
                Some(UpstreamBody(Some(Box::new(Sending {
                    incoming: Some(incoming),
                    untouched: true,
                    stillness: Stillness::new(upload.idle_timeout),
                    upload: Arc::clone(upload),
                }))))
            }
        }
    }

    /// Ends when the upstream has taken too long: to read on, or to answer what it has read.
    ///
    /// A slow client is not the upstream's fault: while it sends, however slowly, no time is counted.
    pub(super) async fn overdue(&self, response_timeout: Duration) {
        if let Self::Upload(upload) = self {
            loop {
                let before = upload.moved.load(Ordering::Relaxed);
                let sent = tokio::time::timeout(upload.idle_timeout, upload.sent.notified());
                if sent.await.is_ok() {
                    break;
                }
                let still = before == upload.moved.load(Ordering::Relaxed);
                if still && upload.upstream_turn.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
        tokio::time::sleep(response_timeout).await;
    }
}

/// A body that waits to be sent, or is being sent.
#[derive(Debug)]
pub(super) struct Upload {
    /// The body, until a connection takes something of it.
    waiting: Mutex<Option<RequestBody>>,
    unwanted: Arc<Unwanted>,
    idle_timeout: Duration,
    /// How many pieces have been handed to the connection.
    moved: AtomicU64,
    /// Whether it is the upstream that has to take the next piece; otherwise the client has to send it.
    upstream_turn: AtomicBool,
    /// Told when the last piece has been handed to the connection.
    sent: Notify,
}

/// The body of a request, in the hands of a connection.
///
/// Boxed: most requests have none, and it travels with them through many hands.
///
/// Where it is dropped untouched (no connection was made), it goes back to wait for another attempt.
#[derive(Debug)]
pub(super) struct UpstreamBody(Option<Box<Sending>>);

#[derive(Debug)]
struct Sending {
    incoming: Option<RequestBody>,
    untouched: bool,
    stillness: Stillness,
    upload: Arc<Upload>,
}

impl Sending {
    fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        self.untouched = false;
        let Some(incoming) = &mut self.incoming else {
            return Poll::Ready(None);
        };
        let Poll::Ready(frame) = Pin::new(&mut *incoming).poll_frame(context) else {
            self.upload.upstream_turn.store(false, Ordering::Relaxed);
            let stalled = || Some(Err(UploadError::Stalled));
            return self.stillness.poll_too_long(context).map(|()| stalled());
        };
        self.stillness.ended();
        self.upload.moved.fetch_add(1, Ordering::Relaxed);
        self.upload.upstream_turn.store(true, Ordering::Relaxed);
        if frame.is_none() || incoming.is_end_stream() {
            self.upload.sent.notify_one();
        }
        let frame = frame.map(|frame| frame.map_err(UploadError::ClientGone));
        Poll::Ready(frame.map(|frame| frame.map(|frame| self.without_unwanted(frame))))
    }

    /// Some servers add trailers to the headers, so what may not be a header may not be a trailer.
    fn without_unwanted(&self, mut frame: Frame<Bytes>) -> Frame<Bytes> {
        if let Some(trailers) = frame.trailers_mut() {
            let doomed = trailers
                .keys()
                .filter(|name| self.upload.unwanted.holds(name.as_str()));
            for name in doomed.cloned().collect::<Vec<HeaderName>>() {
                trailers.remove(name);
            }
        }
        frame
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if self.untouched {
            *self.upload.waiting.lock() = self.incoming.take();
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        match &mut self.get_mut().0 {
            Some(sending) => sending.poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Some(sending) => sending.incoming.as_ref().is_none_or(Body::is_end_stream),
            None => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self
            .0
            .as_ref()
            .and_then(|sending| sending.incoming.as_ref())
        {
            Some(incoming) => incoming.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}
