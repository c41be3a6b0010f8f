//! A connection's bytes, with what must end when they do.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::activity::Activity;
use super::slots::Slot;

/// What lives as long as the bytes do. It goes with them into an upgraded connection, so that a
/// tunnel counts against the limits and holds the drain like any other connection.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) _slot: Slot,
    pub(super) _open: TaskTrackerToken,
}

/// How long the other side may take none of the bytes that wait for it.
#[derive(Clone, Debug)]
pub(super) struct StallLimit {
    pub(super) limit: Duration,
    pub(super) cut: Counter,
}

/// A stream that tells the [`Activity`] of its connection what comes in, and fails when what goes out
/// is not taken.
#[derive(Debug)]
pub(super) struct GuardedStream<T> {
    inner: T,
    activity: Arc<Activity>,
    stall: StallLimit,
    /// Runs only while bytes wait, which on most connections is never.
    waiting: Option<Pin<Box<Sleep>>>,
    _lease: Lease,
}

impl<T> GuardedStream<T> {
    pub(super) fn new(inner: T, activity: Arc<Activity>, stall: StallLimit, lease: Lease) -> Self {
        Self {
            inner,
            activity,
            stall,
            waiting: None,
            _lease: lease,
        }
    }

    /// Passes on what a write came to, as long as it does not wait for too long.
    fn bounded<R>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let limit = self.stall.limit;
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(waiting.as_mut().poll(cx));
        self.stall.cut.inc();
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client takes nothing of the answer",
        )))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for GuardedStream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.activity.bytes_read();
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for GuardedStream<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.bounded(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.bounded(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.bounded(cx, shut)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.bounded(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
