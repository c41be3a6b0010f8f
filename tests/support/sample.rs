//! The sample service: what stands behind the gateway in the demo and in the tests.
//!
//! It has no login, answers with what it received, and keeps a list of it. Nothing in it goes by
//! time: events and the answer to `/slow` come when its owner says so.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use aws_lc_rs::digest;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

#[path = "answers.rs"]
mod answers;
#[path = "websocket.rs"]
pub(crate) mod websocket;

/// What an answer of the service is made of.
type SampleBody = BoxBody<Bytes, io::Error>;

/// A request as the service received it.
#[derive(Clone, Debug)]
pub(crate) struct SeenRequest {
    /// The method.
    pub(crate) method: String,
    /// Path and query, as they stood in the request line.
    pub(crate) target: String,
    /// The headers, in order.
    pub(crate) headers: HeaderMap,
}

impl SeenRequest {
    /// Every value of a header, in order.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let values = self.headers.get_all(name).iter();
        values.map(|value| value.to_str().unwrap()).collect()
    }
}

/// A running service; it stops listening when it is dropped.
pub(crate) struct Sample {
    address: SocketAddr,
    shared: Arc<Shared>,
    _stop: DropGuard,
}

struct Shared {
    seen: watch::Sender<Vec<SeenRequest>>,
    /// How many bytes of uploads have arrived, over all requests.
    uploaded: watch::Sender<u64>,
    /// How many requests lost their client before the end of the answer.
    cancelled: watch::Sender<usize>,
    events: broadcast::Sender<String>,
    release: Notify,
}

impl Sample {
    /// Starts a service on a free port of the loopback address.
    pub(crate) async fn start() -> Self {
        Self::listen((Ipv4Addr::LOCALHOST, 0).into())
            .await
            .expect("a free port of the loopback address")
    }

    /// Starts a service on this address.
    pub(crate) async fn listen(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let shared = Arc::new(Shared {
            seen: watch::Sender::default(),
            uploaded: watch::Sender::new(0),
            cancelled: watch::Sender::new(0),
            events: broadcast::Sender::new(64),
            release: Notify::new(),
        });
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        tokio::spawn(
            stop.clone()
                .run_until_cancelled_owned(accept(listener, Arc::clone(&shared))),
        );
        Ok(Self {
            address,
            shared,
            _stop: stop.drop_guard(),
        })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its origin, for an upstream's list of servers.
    pub(crate) fn url(&self) -> Url {
        format!("http://{}", self.address).parse().unwrap()
    }

    /// What it has received so far.
    pub(crate) fn seen(&self) -> Vec<SeenRequest> {
        self.shared.seen.borrow().clone()
    }

    /// Waits until this many requests have come.
    pub(crate) async fn received(&self, count: usize) {
        let mut seen = self.shared.seen.subscribe();
        seen.wait_for(|seen| seen.len() >= count).await.unwrap();
    }

    /// Waits until this many bytes of uploads have arrived.
    pub(crate) async fn uploaded(&self, bytes: u64) {
        let mut uploaded = self.shared.uploaded.subscribe();
        uploaded.wait_for(|now| *now >= bytes).await.unwrap();
    }

    /// Waits until a request has lost its client: while it was sent, before it was answered, or while
    /// the client read `/events`.
    pub(crate) async fn cancelled(&self) {
        let mut cancelled = self.shared.cancelled.subscribe();
        cancelled.wait_for(|count| *count > 0).await.unwrap();
    }

    /// Sends an event to everybody who reads `/events`, and says how many they are.
    pub(crate) fn publish(&self, event: &str) -> usize {
        self.shared.events.send(event.to_owned()).unwrap_or(0)
    }

    /// Lets the requests to `/slow` that have come so far have their answer.
    pub(crate) fn release(&self) {
        self.shared.release.notify_waiters();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _peer)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&shared)));
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
    let connection = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // A connection that breaks is the client's to report.
    drop(connection.await);
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<SampleBody>, Infallible> {
    let seen = SeenRequest {
        method: request.method().to_string(),
        target: request.uri().to_string(),
        headers: request.headers().clone(),
    };
    // Whoever has seen the request can release it.
    let released = shared.release.notified();
    shared.seen.send_modify(|all| all.push(seen.clone()));
    let gone = CountIfDropped(Some(Arc::clone(&shared)));
    if request.uri().path() == "/slow" {
        released.await;
    }
    let answer = route(request, seen, &shared).await;
    gone.answered();
    Ok(answer)
}

async fn route(
    request: Request<Incoming>,
    seen: SeenRequest,
    shared: &Arc<Shared>,
) -> Response<SampleBody> {
    let path = request.uri().path().to_owned();
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["", "ws"] => websocket::echo(request).map(|empty| empty.map_err(answers::never).boxed()),
        ["", "events"] => answers::events(shared),
        ["", "bytes", length] => {
            answers::download(length.parse().unwrap_or(0), request.uri().query())
        }
        ["", "status", code] => answers::status(code),
        ["", "close-early"] => answers::close_early(request.uri().query()),
        ["", "trailers"] => answers::trailers(),
        _ => echo(request, seen, shared).await,
    }
}

/// Says what was received: method, path, query, headers as a list, and of the body the length and
/// SHA-256.
async fn echo(
    request: Request<Incoming>,
    seen: SeenRequest,
    shared: &Shared,
) -> Response<SampleBody> {
    let uri = request.uri().clone();
    let headers: Vec<_> = seen
        .headers
        .iter()
        .map(|(name, value)| {
            [
                name.as_str().into(),
                String::from_utf8_lossy(value.as_bytes()),
            ]
        })
        .collect();
    let Ok(body) = count(request.into_body(), shared).await else {
        shared.cancelled.send_modify(|count| *count += 1);
        return Response::new(Full::default().map_err(answers::never).boxed());
    };
    json_answer(&json!({
        "method": seen.method,
        "path": uri.path(),
        "query": uri.query(),
        "headers": headers,
        "body": { "length": body.length, "sha256": body.sha256 },
        "trailers": body.trailers,
    }))
}

struct Counted {
    length: u64,
    sha256: String,
    trailers: Vec<String>,
}

async fn count(mut body: Incoming, shared: &Shared) -> Result<Counted, hyper::Error> {
    let mut hash = digest::Context::new(&digest::SHA256);
    let (mut length, mut trailers) = (0, Vec::new());
    while let Some(frame) = body.frame().await.transpose()? {
        if let Some(data) = frame.data_ref() {
            hash.update(data);
            length += data.len() as u64;
            shared.uploaded.send_modify(|sum| *sum += data.len() as u64);
        } else if let Some(names) = frame.trailers_ref() {
            trailers = names.keys().map(ToString::to_string).collect();
        }
    }
    let sha256 = doorward::session::hex(hash.finish().as_ref());
    Ok(Counted {
        length,
        sha256,
        trailers,
    })
}

fn json_answer(value: &serde_json::Value) -> Response<SampleBody> {
    let text = format!("{value:#}\n");
    let mut response = Response::new(Full::from(text).map_err(answers::never).boxed());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, "application/json".parse().unwrap());
    response
}

/// hyper drops the handler, or the body of the answer, of a request whose client has gone.
struct CountIfDropped(Option<Arc<Shared>>);

impl CountIfDropped {
    fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for CountIfDropped {
    fn drop(&mut self) {
        if let Some(shared) = &self.0 {
            shared.cancelled.send_modify(|count| *count += 1);
        }
    }
}
