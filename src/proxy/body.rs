//! The body of an answer on its way to the client.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use hyper::body::{Body, Incoming, SizeHint};

use super::stillness::Stillness;
use super::streams::Slot;

/// Why the body of an answer broke off. The client's connection (or HTTP/2 stream) breaks off too: half
/// an answer must not look like a whole one.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The upstream closed the connection, or sent what is no HTTP.
    #[error("the upstream's answer broke off")]
    Upstream(#[source] hyper::Error),
    /// Nothing came for longer than the upstream's `idle_timeout`.
    #[error("the upstream's answer stood still")]
    Stalled,
}

/// How the body of an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyEnd {
    /// How many bytes were passed on.
    pub bytes: u64,
    /// How it ended.
    pub outcome: BodyOutcome,
}

/// How the body of an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyOutcome {
    /// All of it was passed on.
    Complete,
    /// The upstream broke off.
    UpstreamFailed,
    /// The upstream stood still for too long.
    Stalled,
    /// It was dropped before its end: the client has gone.
    ClientGone,
}

type Observer = Box<dyn FnOnce(BodyEnd) + Send + Sync>;

/// The body of an answer: streams as the upstream sends it, nothing is held back or copied.
pub struct ProxyBody {
    incoming: Incoming,
    stillness: Stillness,
    bytes: u64,
    outcome: Option<BodyOutcome>,
    observer: Option<Observer>,
    /// Held for as long as the answer lasts.
    _slot: Option<Slot>,
}

impl ProxyBody {
    pub(super) fn new((incoming, slot): (Incoming, Option<Slot>), idle_timeout: Duration) -> Self {
        Self {
            _slot: slot,
            incoming,
            stillness: Stillness::new(idle_timeout),
            bytes: 0,
            outcome: None,
            observer: None,
        }
    }

    /// Calls `observer` once, when the body has ended: for the access log.
    #[must_use]
    pub fn observed(mut self, observer: impl FnOnce(BodyEnd) + Send + Sync + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }
}

impl Body for ProxyBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(context) else {
            ready!(this.stillness.poll_too_long(context));
            this.outcome = Some(BodyOutcome::Stalled);
            return Poll::Ready(Some(Err(BodyError::Stalled)));
        };
        this.stillness.ended();
        Poll::Ready(match frame {
            Some(Ok(frame)) => {
                this.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                this.outcome = Some(BodyOutcome::UpstreamFailed);
                Some(Err(BodyError::Upstream(error)))
            }
            None => {
                this.outcome = Some(BodyOutcome::Complete);
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for ProxyBody {
    fn drop(&mut self) {
        let Some(observer) = self.observer.take() else {
            return;
        };
        // hyper does not ask for more once it has as many bytes as were announced.
        let unfinished = if self.incoming.is_end_stream() {
            BodyOutcome::Complete
        } else {
            BodyOutcome::ClientGone
        };
        observer(BodyEnd {
            bytes: self.bytes,
            outcome: self.outcome.unwrap_or(unfinished),
        });
    }
}

impl fmt::Debug for ProxyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyBody")
            .field("bytes", &self.bytes)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}
