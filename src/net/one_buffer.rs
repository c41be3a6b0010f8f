//! A stream that sends one buffer as one buffer.
//!
//! hyper and rustls write lists of buffers, and nearly all of theirs have one: a head without a body, a
//! TLS record. For one buffer `send` costs the kernel less than `writev`: see
//! `docs/decisions/0009-request-path-cost.md`.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::ReadBufCursor;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Passes all on, and a list of one buffer as that buffer.
#[derive(Debug)]
pub struct OneBuffer<T>(pub T);

/// The only buffer that has something in it.
fn single<'a>(buffers: &'a [IoSlice<'_>]) -> Option<&'a [u8]> {
    let mut full = buffers.iter().filter(|buffer| !buffer.is_empty());
    let first = full.next()?;
    full.next().is_none().then_some(&**first)
}

impl<T: AsyncRead + Unpin> AsyncRead for OneBuffer<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for OneBuffer<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.0);
        match single(buffers) {
            Some(bytes) => stream.poll_write(cx, bytes),
            None => stream.poll_write_vectored(cx, buffers),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl<T: hyper::rt::Read + Unpin> hyper::rt::Read for OneBuffer<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl<T: hyper::rt::Write + Unpin> hyper::rt::Write for OneBuffer<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.0);
        match single(buffers) {
            Some(bytes) => stream.poll_write(cx, bytes),
            None => stream.poll_write_vectored(cx, buffers),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_list_with_one_full_buffer_is_one() {
        let slices = |parts: &[&'static str]| -> Vec<IoSlice<'static>> {
            let slices = parts.iter().map(|part| IoSlice::new(part.as_bytes()));
            slices.collect()
        };
        assert_eq!(single(&slices(&["", "head", ""])), Some(&b"head"[..]));
        assert_eq!(single(&slices(&["head", "body"])), None);
        assert_eq!(single(&slices(&["", ""])), None);
        assert_eq!(single(&[]), None);
    }
}
