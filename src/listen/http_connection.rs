//! HTTP on one connection: hyper, its limits, and the time limits that hyper does not keep.
//!
//! hyper's own `header_read_timeout` also runs between requests, makes a new timer for each, and
//! knows nothing of HTTP/2. Here one timer a connection looks at its [`Activity`] when it rings, so
//! that a request on a busy connection touches no timer at all.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Method, Request, Response, Version};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep};

use super::activity::{Activity, AnswerBody, Phase};
use super::handler::{BoxError, Connection, Protocol, RequestHandler};
use super::stream::GuardedStream;
use crate::wire::request_body::RequestBody;

/// The head of a request: what browsers, proxies and servers commonly bear is 8 to 32 KiB.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// What HTTP/1 reads ahead at most. A head that is not whole within it is refused.
const MAX_BUFFER_BYTES: usize = 64 * 1024;
/// More than browsers open (100), less than is worth attacking with.
const MAX_STREAMS: u32 = 250;
/// Streams that were opened and reset before we looked at them: a few happen, many are an attack
/// (CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 20;
/// Streams that the client made us reset (CVE-2025-8671).
const MAX_LOCAL_RESETS: usize = 100;
/// How often a silent HTTP/2 connection is asked whether it is still there, and for how long it may
/// keep quiet. Finds clients that vanished with streams open.
const PING: Duration = Duration::from_secs(20);
/// How long a connection that was told to go may take to do so, when nothing is in flight on it.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long a connection may take for what.
#[derive(Clone, Debug)]
pub(super) struct TimeLimits {
    pub(super) header: Duration,
    pub(super) idle: Duration,
    pub(super) slow_heads: Counter,
}

/// What is needed to answer the requests of one connection.
pub(super) struct HttpConnection<H> {
    pub(super) handler: Arc<H>,
    pub(super) connection: Connection,
    pub(super) activity: Arc<Activity>,
    pub(super) limits: TimeLimits,
}

struct Shared<H> {
    handler: Arc<H>,
    connection: Arc<Connection>,
    activity: Arc<Activity>,
}

impl<H: RequestHandler> HttpConnection<H> {
    /// Answers requests on `stream` until either side is done with it.
    pub(super) async fn serve<T>(self, stream: GuardedStream<T>)
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let protocol = self.connection.protocol;
        let shared = Arc::new(Shared {
            handler: self.handler,
            connection: Arc::new(self.connection),
            activity: self.activity,
        });
        let conduct = Conduct {
            connection: Arc::clone(&shared.connection),
            activity: Arc::clone(&shared.activity),
            limits: self.limits,
        };
        let stream = TokioIo::new(stream);
        let service = service_fn(move |request| answer(Arc::clone(&shared), request));
        let ended = match protocol {
            Protocol::Http1 => {
                let http = http1().serve_connection(stream, service).with_upgrades();
                conduct.drive(http).await
            }
            Protocol::Http2 => {
                conduct
                    .drive(http2().serve_connection(stream, service))
                    .await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke off");
        }
    }
}

async fn answer<H: RequestHandler>(
    shared: Arc<Shared<H>>,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody<H::Body>>, Infallible> {
    let in_flight = shared.activity.request_begun();
    let is_last = is_last(&request);
    let request = RequestBody::of(request, || shared.activity.request_begun());
    let mut response = shared.handler.handle(request, &shared.connection).await;
    if is_last {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    Ok(response.map(|body| AnswerBody::new(body, in_flight)))
}

/// Whether nothing that follows on the connection may be taken for a request.
///
/// Behind `CONNECT` comes what is meant for somebody else, before it is answered already, and `TRACE`
/// has no body, so that whoever sends one reads the framing in another way than we do. HTTP/2 keeps
/// its streams apart.
fn is_last<B>(request: &Request<B>) -> bool {
    request.version() < Version::HTTP_2
        && matches!(*request.method(), Method::CONNECT | Method::TRACE)
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_header_size(MAX_HEAD_BYTES)
        .max_buf_size(MAX_BUFFER_BYTES);
    builder
}

fn http2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_LOCAL_RESETS)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

/// A hyper connection of either protocol.
trait Graceful: Future<Output = hyper::Result<()>> {
    /// Finishes what is in flight and takes nothing new.
    fn say_goodbye(self: Pin<&mut Self>);
}

impl<T, S, B> Graceful for http1::UpgradeableConnection<TokioIo<GuardedStream<T>>, S>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<BoxError>,
    B: hyper::body::Body + 'static,
    B::Error: Into<BoxError>,
{
    fn say_goodbye(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<T, S, B> Graceful for http2::Connection<TokioIo<GuardedStream<T>>, S, TokioExecutor>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    fn say_goodbye(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Sees a connection through to its end.
struct Conduct {
    connection: Arc<Connection>,
    activity: Arc<Activity>,
    limits: TimeLimits,
}

/// What ends the ordinary course of a connection.
enum Turn {
    Ended(hyper::Result<()>),
    Overdue(Overdue),
    Draining,
}

impl Conduct {
    async fn drive(self, http: impl Graceful) -> hyper::Result<()> {
        let mut http = pin!(http);
        let mut watchdog = pin!(Watchdog::new(&self.activity, &self.limits));
        // In this order: the watchdog looks at the phase that the connection has just come to.
        let turn = tokio::select! {
            biased;
            ended = http.as_mut() => Turn::Ended(ended),
            overdue = watchdog.as_mut() => Turn::Overdue(overdue),
            () = self.connection.draining() => Turn::Draining,
        };
        match turn {
            Turn::Ended(ended) => ended,
            Turn::Overdue(overdue) => self.end(http, overdue).await,
            Turn::Draining => {
                http.as_mut().say_goodbye();
                tokio::select! {
                    biased;
                    ended = http.as_mut() => ended,
                    overdue = watchdog => self.end(http, overdue).await,
                }
            }
        }
    }

    /// An idle connection is told to go, and cut if it does not; who is in the middle of a head would
    /// not listen.
    async fn end(&self, mut http: Pin<&mut impl Graceful>, overdue: Overdue) -> hyper::Result<()> {
        match overdue {
            Overdue::Head => {
                self.limits.slow_heads.inc();
                Ok(())
            }
            Overdue::Idle => {
                http.as_mut().say_goodbye();
                tokio::time::timeout(FAREWELL, http).await.unwrap_or(Ok(()))
            }
        }
    }
}

/// What took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overdue {
    /// The head of a request.
    Head,
    /// The next request.
    Idle,
}

/// Resolves when a connection is overdue.
///
/// Its timer is moved only when it would ring too late; when it rings too early, it is set again.
struct Watchdog<'a> {
    activity: &'a Activity,
    limits: &'a TimeLimits,
    timer: Pin<Box<Sleep>>,
}

impl<'a> Watchdog<'a> {
    fn new(activity: &'a Activity, limits: &'a TimeLimits) -> Self {
        Self {
            activity,
            limits,
            timer: Box::pin(tokio::time::sleep(limits.idle)),
        }
    }

    /// When the present phase will have lasted too long.
    fn due(&self) -> Option<(Instant, Overdue)> {
        match self.activity.phase() {
            Phase::Idle(since) => Some((since + self.limits.idle, Overdue::Idle)),
            Phase::Head(since) => Some((since + self.limits.header, Overdue::Head)),
            Phase::Busy => None,
        }
    }
}

impl Future for Watchdog<'_> {
    type Output = Overdue;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Overdue> {
        if let Some((due, _)) = self.due()
            && due < self.timer.deadline()
        {
            self.timer.as_mut().reset(due);
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let now = Instant::now();
            match self.due() {
                Some((due, overdue)) if due <= now => return Poll::Ready(overdue),
                Some((due, _)) => self.timer.as_mut().reset(due),
                None => {
                    let next = now + self.limits.idle;
                    self.timer.as_mut().reset(next);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> TimeLimits {
        TimeLimits {
            header: Duration::from_secs(10),
            idle: Duration::from_mins(1),
            slow_heads: Counter::default(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_overdue_after_the_idle_limit() {
        let (activity, limits) = (Activity::new(Protocol::Http1), limits());
        let opened = Instant::now();
        let overdue = Watchdog::new(&activity, &limits).await;
        assert_eq!(overdue, Overdue::Idle);
        assert_eq!(opened.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_starts_the_idle_time_anew_and_a_long_one_is_not_idle() {
        let (activity, limits) = (Activity::new(Protocol::Http1), limits());
        let opened = Instant::now();
        let mut watchdog = pin!(Watchdog::new(&activity, &limits));
        let request = activity.request_begun();
        let long = Duration::from_secs(200);
        assert!(tokio::time::timeout(long, watchdog.as_mut()).await.is_err());
        drop(request);
        assert_eq!(watchdog.await, Overdue::Idle);
        assert_eq!(opened.elapsed().as_secs(), 260);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_dribbles_in_is_overdue_after_the_header_limit() {
        let (activity, limits) = (Activity::new(Protocol::Http1), limits());
        let mut watchdog = pin!(Watchdog::new(&activity, &limits));
        let quiet = Duration::from_secs(30);
        assert!(
            tokio::time::timeout(quiet, watchdog.as_mut())
                .await
                .is_err()
        );
        activity.bytes_read();
        let first_byte = Instant::now();
        assert_eq!(watchdog.await, Overdue::Head);
        assert_eq!(first_byte.elapsed().as_secs(), 10);
    }
}
