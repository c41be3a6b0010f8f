//! The body of every answer: our own or an upstream's, and the record that is written when it ends.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::record::Record;
use crate::listen::BoxError;
use crate::proxy::ProxyBody;

/// The body of an answer. No layer between: what an upstream sends is passed on as it comes.
pub struct AnswerBody {
    source: Source,
    /// Boxed: it is larger than the body itself, and bodies are moved about.
    record: Box<Record>,
}

enum Source {
    Own(axum::body::Body),
    Upstream(Box<ProxyBody>),
}

impl AnswerBody {
    pub(super) const fn own(body: axum::body::Body, record: Box<Record>) -> Self {
        Self {
            source: Source::Own(body),
            record,
        }
    }

    pub(super) fn upstream(body: ProxyBody, record: Box<Record>) -> Self {
        Self {
            source: Source::Upstream(Box::new(body)),
            record,
        }
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
            Source::Upstream(body) => {
                ready!(Pin::new(&mut **body).poll_frame(cx)).map(|f| f.map_err(BoxError::from))
            }
        };
        match &frame {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                this.record.bytes_out += bytes as u64;
            }
            Some(Err(_)) => this.record.reason = "answer-broke-off",
            None => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Own(body) => body.is_end_stream(),
            Source::Upstream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Own(body) => body.size_hint(),
            Source::Upstream(body) => body.size_hint(),
        }
    }
}
