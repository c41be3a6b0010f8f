//! The rest of a request's body, where the answer did not wait for it.
//!
//! A refusal needs no body. But a connection with unread bytes on it can only be closed, and the kernel
//! answers what still comes in with a reset, which may overtake the answer: the client would see a
//! broken connection in the place of a 401. So a rest that is small is read and dropped, and the
//! connection goes on.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::EXPECT;
use http::{Request, Version};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::activity::InFlight;
use super::handler::Connection;

/// What is read of a body that nobody wants. Whoever sends more finds the connection closed, and saves
/// both sides the rest.
const MOST_BYTES: u64 = 64 * 1024;
/// How long that may take.
const LONGEST: Duration = Duration::from_secs(2);

/// The body of a request that may be answered before it is read.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Option<Incoming>,
    /// As long as it is read, the connection is busy and not slow with its next head.
    in_flight: Option<InFlight>,
}

impl RequestBody {
    /// The request with a body of which a small rest is read when it is dropped.
    pub fn of(request: Request<Incoming>, connection: &Connection) -> Request<Self> {
        // Streams of HTTP/2 end one by one. Who asks first whether to send has not begun.
        let alone = request.version() == Version::HTTP_2;
        let asks_first = request.headers().contains_key(EXPECT);
        request.map(|incoming| Self {
            in_flight: (!alone && !asks_first && !incoming.is_end_stream())
                .then(|| connection.activity.request_begun()),
            incoming: Some(incoming),
        })
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let (Some(incoming), Some(in_flight)) = (self.incoming.take(), self.in_flight.take())
        else {
            return;
        };
        if incoming.is_end_stream() || incoming.size_hint().lower() > MOST_BYTES {
            return;
        }
        tokio::spawn(async move {
            let read = tokio::time::timeout(LONGEST, read_out(incoming));
            // However it ends, the connection finds out by itself whether it can go on.
            let _all_or_not = read.await;
            drop(in_flight);
        });
    }
}

async fn read_out(mut incoming: Incoming) {
    let mut bytes = 0;
    while let Some(Ok(frame)) = incoming.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        bytes += u64::try_from(length).unwrap_or(u64::MAX);
        if bytes > MOST_BYTES {
            return;
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.incoming {
            Some(incoming) => Pin::new(incoming).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.incoming {
            Some(incoming) => incoming.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}
