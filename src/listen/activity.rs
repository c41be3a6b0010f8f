//! What a connection is doing, as far as its time limits need to know.
//!
//! Written by the stream (bytes came in) and by requests (begun, answered), read by the timer of
//! [`http_connection`](super::http_connection). All of it happens without a lock or a timer call, so
//! that a request on a busy connection pays for a few relaxed stores and one look at the clock.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::handler::Protocol;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing, since then.
    Idle(Instant),
    /// The head of a request comes in, since then.
    Head(Instant),
    /// Requests are being answered.
    Busy,
}

/// What one connection is doing.
#[derive(Debug)]
pub(super) struct Activity {
    protocol: Protocol,
    opened: Instant,
    /// Requests whose answer is not yet out.
    in_flight: AtomicU32,
    /// Whether bytes came in since the last request began; HTTP/1 only.
    in_head: AtomicBool,
    /// When the phase began, in milliseconds after `opened`.
    since: AtomicU64,
}

impl Activity {
    pub(super) fn new(protocol: Protocol) -> Arc<Self> {
        Arc::new(Self {
            protocol,
            opened: Instant::now(),
            in_flight: AtomicU32::new(0),
            in_head: AtomicBool::new(false),
            since: AtomicU64::new(0),
        })
    }

    /// Bytes came in. Between requests of HTTP/1 they begin the next head; in HTTP/2 they may as well
    /// be a ping or an acknowledgement, so there only the idle limit holds.
    pub(super) fn bytes_read(&self) {
        if self.protocol == Protocol::Http2 {
            return;
        }
        if self.in_flight.load(Ordering::Acquire) == 0 && !self.in_head.load(Ordering::Relaxed) {
            self.mark();
            self.in_head.store(true, Ordering::Release);
        }
    }

    /// A request is whole up to its body; it is in flight until the return value is dropped.
    pub(super) fn request_begun(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        self.in_head.store(false, Ordering::Release);
        InFlight(Arc::clone(self))
    }

    pub(super) fn phase(&self) -> Phase {
        if self.in_flight.load(Ordering::Acquire) > 0 {
            return Phase::Busy;
        }
        let since = self.opened + Duration::from_millis(self.since.load(Ordering::Relaxed));
        if self.in_head.load(Ordering::Acquire) {
            Phase::Head(since)
        } else {
            Phase::Idle(since)
        }
    }

    fn mark(&self) {
        let millis = self.opened.elapsed().as_millis();
        self.since
            .store(u64::try_from(millis).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// A request in flight.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Activity>);

impl Drop for InFlight {
    fn drop(&mut self) {
        // Before the count falls, so that nobody sees an old time on an idle connection.
        self.0.mark();
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The body of an answer; the request is in flight until it is out, or dropped.
pub(super) struct AnswerBody<B> {
    body: B,
    _in_flight: InFlight,
}

impl<B> AnswerBody<B> {
    pub(super) fn new(body: B, in_flight: InFlight) -> Self {
        Self {
            body,
            _in_flight: in_flight,
        }
    }
}

impl<B: Body + Unpin> Body for AnswerBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_goes_from_idle_to_head_to_busy_and_back() {
        let activity = Activity::new(Protocol::Http1);
        let opened = Instant::now();
        assert_eq!(activity.phase(), Phase::Idle(opened));

        tokio::time::advance(Duration::from_secs(5)).await;
        activity.bytes_read();
        tokio::time::advance(Duration::from_secs(1)).await;
        activity.bytes_read();
        let head = opened + Duration::from_secs(5);
        assert_eq!(
            activity.phase(),
            Phase::Head(head),
            "counted from its first byte"
        );

        let one = activity.request_begun();
        let other = activity.request_begun();
        activity.bytes_read();
        drop(one);
        assert_eq!(activity.phase(), Phase::Busy);
        tokio::time::advance(Duration::from_mins(1)).await;
        drop(other);
        assert_eq!(activity.phase(), Phase::Idle(Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn frames_between_requests_leave_an_http_2_connection_idle() {
        let activity = Activity::new(Protocol::Http2);
        let opened = Instant::now();
        tokio::time::advance(Duration::from_secs(5)).await;
        activity.bytes_read();
        assert_eq!(activity.phase(), Phase::Idle(opened));
    }
}
