//! The body of a request, and what becomes of its rest where the answer did not wait for it.
//!
//! A refusal needs no body, nor does word of an upstream that is away. But a connection with unread
//! bytes on it can only be closed, and the kernel answers what still comes in with a reset, which may
//! overtake the answer: the client would see a broken connection in the place of a 401. In HTTP/2 the stream
//! alone is reset, but clients there are who then forget the answer that they have. So a rest that is small
//! is read and dropped, and the connection goes on.

use std::any::Any;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::EXPECT;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::runtime::Handle;

/// What is read of a body that nobody wants. Whoever sends more finds the connection closed, and saves
/// both sides the rest.
const MOST_BYTES: u64 = 64 * 1024;
/// How long that may take.
const LONGEST: Duration = Duration::from_secs(2);

/// The body of a request, which may be answered before it is read.
#[derive(Debug)]
pub struct RequestBody {
    /// There until it is dropped.
    incoming: Option<Incoming>,
    rest: Rest,
}

/// What to do with what nobody has read.
#[derive(Debug)]
enum Rest {
    /// Nothing: there is none, or it stands in nobody's way.
    Leave,
    /// Nothing either, unless the reading begins: the client asks first whether to send it.
    LeaveUnasked(Busy),
    /// Read it, if it is small.
    Read(Busy),
}

impl Rest {
    const fn take(&mut self) -> Self {
        mem::replace(self, Self::Leave)
    }

    /// The reading begins.
    fn asked_for(&mut self) {
        *self = match self.take() {
            Self::LeaveUnasked(busy) => Self::Read(busy),
            other => other,
        };
    }
}

/// As long as this is held, the connection is busy and not slow with its next head.
type Busy = Box<dyn Any + Send + Sync>;

impl RequestBody {
    /// The request with a body of which a small rest is read when it is dropped, for as long as it holds
    /// what `busy` gives.
    pub fn of<B>(request: Request<Incoming>, busy: impl FnOnce() -> B) -> Request<Self>
    where
        B: Send + Sync + 'static,
    {
        let rest = if request.body().is_end_stream() {
            Rest::Leave
        } else if request.headers().contains_key(EXPECT) {
            Rest::LeaveUnasked(Box::new(busy()))
        } else {
            Rest::Read(Box::new(busy()))
        };
        request.map(|incoming| Self {
            incoming: Some(incoming),
            rest,
        })
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let (Some(incoming), Rest::Read(busy)) = (self.incoming.take(), self.rest.take()) else {
            return;
        };
        if incoming.is_end_stream() || incoming.size_hint().lower() > MOST_BYTES {
            return;
        }
        // At the end of the runtime there is nobody left to wait for.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let read = tokio::time::timeout(LONGEST, read_out(incoming));
            // However it ends, the connection finds out by itself whether it can go on.
            let _all_or_not = read.await;
            drop(busy);
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
        let this = &mut *self;
        this.rest.asked_for();
        match &mut this.incoming {
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
