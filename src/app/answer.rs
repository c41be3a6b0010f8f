//! The body of every answer: our own or an upstream's, and the record that is written when it ends.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::record::Record;
use super::session_end::SessionEnd;
use crate::listen::BoxError;
use crate::proxy::ProxyBody;

/// A streamed answer that was cut because its caller has no session any more.
#[derive(Debug, thiserror::Error)]
#[error("the session of the caller has ended")]
struct SessionEnded;

/// The body of an answer. No layer between: what an upstream sends is passed on as it comes.
pub struct AnswerBody {
    source: Source,
    /// Boxed: it is larger than the body itself, and bodies are moved about.
    record: Box<Record>,
}

enum Source {
    Own(axum::body::Body),
    Upstream(Box<Stream>),
}

/// What an upstream sends, for as long as its caller may have it.
struct Stream {
    body: ProxyBody,
    session: SessionEnd,
}

impl AnswerBody {
    pub(super) const fn own(body: axum::body::Body, record: Box<Record>) -> Self {
        Self {
            source: Source::Own(body),
            record,
        }
    }

    pub(super) fn upstream(body: ProxyBody, session: SessionEnd, record: Box<Record>) -> Self {
        Self {
            source: Source::Upstream(Box::new(Stream { body, session })),
            record,
        }
    }
}

impl Stream {
    /// The next piece. Most answers are there whole, in one piece; only who waits for more, or gets
    /// more, is asked for their session.
    fn poll_frame(
        &mut self,
        so_far: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let goes_on = match &frame {
            Poll::Pending => true,
            Poll::Ready(Some(_)) => so_far > 0,
            Poll::Ready(None) => false,
        };
        if goes_on && Pin::new(&mut self.session).poll(cx).is_ready() {
            return Poll::Ready(Some(Err(SessionEnded.into())));
        }
        frame.map(|frame| frame.map(|frame| frame.map_err(BoxError::from)))
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let frame = match &mut this.source {
            Source::Own(body) => {
                ready!(Pin::new(body).poll_frame(cx)).map(|f| f.map_err(BoxError::from))
            }
            Source::Upstream(stream) => ready!(stream.poll_frame(this.record.bytes_out, cx)),
        };
        match &frame {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                this.record.bytes_out += bytes as u64;
            }
            Some(Err(error)) if error.is::<SessionEnded>() => this.record.reason = "session-ended",
            Some(Err(_)) => this.record.reason = "answer-broke-off",
            None => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Own(body) => body.is_end_stream(),
            Source::Upstream(stream) => stream.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Own(body) => body.size_hint(),
            Source::Upstream(stream) => stream.body.size_hint(),
        }
    }
}
