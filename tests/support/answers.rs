//! Answers of the sample service that are about their bodies: events, downloads, broken and empty ones.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};

use super::{CountIfDropped, SampleBody, Shared};

/// How much of a long answer is in hand at once.
const CHUNK: Bytes = Bytes::from_static(&[b'.'; 64 * 1024]);

/// Server-sent events, one for each [`Sample::publish`]; whoever has the head of the answer misses none.
pub(super) fn events(shared: &Arc<Shared>) -> Response<SampleBody> {
    let gone = CountIfDropped(Some(Arc::clone(shared)));
    let start = (shared.events.subscribe(), gone);
    let received = stream::unfold(start, async |(mut events, gone)| {
        let event = events.recv().await.ok()?;
        Some((
            Ok(Bytes::from(format!("data: {event}\n\n"))),
            (events, gone),
        ))
    });
    let mut response = streaming(received);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, "text/event-stream".parse().unwrap());
    response
}

/// `length` bytes, announced by their number, or in chunks for `?chunked`.
pub(super) fn download(length: u64, query: Option<&str>) -> Response<SampleBody> {
    let mut response = streaming(bytes_of(length).map(Ok));
    if query != Some("chunked") {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    response
}

fn bytes_of(length: u64) -> impl Stream<Item = Bytes> + Send + Sync {
    stream::unfold(length, async |left| {
        let size = left.min(CHUNK.len() as u64);
        let chunk = CHUNK.slice(..usize::try_from(size).ok()?);
        (size > 0).then_some((chunk, left - size))
    })
}

/// 500 bytes of the 1,000 that were announced, or chunks without an end for `?chunked`.
pub(super) fn close_early(query: Option<&str>) -> Response<SampleBody> {
    let broken = stream::once(async {
        // hyper sends what it has when the body is not ready.
        tokio::task::yield_now().await;
        Err(io::Error::other("closed early"))
    });
    let mut response = streaming(bytes_of(500).map(Ok).chain(broken));
    if query != Some("chunked") {
        response.headers_mut().insert(CONTENT_LENGTH, 1000.into());
    }
    response
}

/// `text` in one chunk, and a trailer.
pub(super) fn trailers() -> Response<SampleBody> {
    let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), "42".parse().unwrap())]);
    let frames = [
        Ok(Frame::data(Bytes::from_static(b"text"))),
        Ok(Frame::trailers(trailers)),
    ];
    let mut response = Response::new(BoxBody::new(StreamBody::new(stream::iter(frames))));
    response
        .headers_mut()
        .insert("trailer", "x-sum".parse().unwrap());
    response
}

/// This status, with no body.
pub(super) fn status(code: &str) -> Response<SampleBody> {
    let mut response = Response::new(Full::default().map_err(never).boxed());
    *response.status_mut() = code.parse().unwrap_or(StatusCode::NOT_FOUND);
    response
}

fn streaming(
    chunks: impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static,
) -> Response<SampleBody> {
    let frames = chunks.map(|chunk| chunk.map(Frame::data));
    Response::new(BoxBody::new(StreamBody::new(frames)))
}

pub(super) fn never(never: Infallible) -> io::Error {
    match never {}
}
