//! A listening side whose handler tells what it sees.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use doorward::clock::SystemClock;
use doorward::listen::tls::Tls;
use doorward::listen::{self, Config, Connection, Drain, Parts, Stop, StopTrigger, Stopped};
use doorward::metrics::Metrics;
use doorward::net::Networks;
use doorward::wire::request_body::RequestBody;
use http::{Request, Response};
use http_body_util::{BodyExt, Collected, Full};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Semaphore, mpsc};

use crate::support::tls::{Authority, Client};

/// What every wait of these tests is bounded by; far more than any of them takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for `what`, not for ever.
pub(super) async fn soon<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("it should not take so long")
}

/// What the handler saw.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) line: String,
    pub(super) body: Result<Bytes, String>,
    pub(super) connection: Arc<Connection>,
}

pub(super) struct Gateway {
    pub(super) https: SocketAddr,
    pub(super) redirect: SocketAddr,
    pub(super) ops: SocketAddr,
    pub(super) authority: Authority,
    pub(super) metrics: Arc<Metrics>,
    pub(super) tls: Arc<Tls>,
    pub(super) drain: Drain,
    _directory: TempDir,
    /// Requests for `/held` wait for a permit.
    pub(super) release: Arc<Semaphore>,
    pub(super) stop: StopTrigger,
    seen: mpsc::UnboundedReceiver<Seen>,
    thread: Option<JoinHandle<Stopped>>,
}

impl Gateway {
    pub(super) fn start() -> Self {
        Self::start_with(|_config| {})
    }

    /// With a certificate for `gw.test` and whatever else `change` configures.
    pub(super) fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let authority = Authority::new();
        let directory = TempDir::new().unwrap();
        let files = authority.issue(directory.path(), "gw", &["gw.test"]);
        let mut config = config();
        config.certificates.push(files);
        change(&mut config);
        let metrics = Arc::new(Metrics::new());
        let tls = Tls::load(
            &config,
            directory.path(),
            Arc::new(SystemClock),
            metrics.connections.clone(),
        );
        Self::run(config, authority, directory, metrics, tls.unwrap())
    }

    fn run(
        config: Config,
        authority: Authority,
        directory: TempDir,
        metrics: Arc<Metrics>,
        tls: Tls,
    ) -> Self {
        let bound = listen::bind(&config, Some(loopback())).unwrap();
        let (https, redirect) = (bound.https().next(), bound.redirect_http().next());
        let ops = bound.ops();
        let (sender, seen) = mpsc::unbounded_channel();
        let release = Arc::new(Semaphore::new(0));
        let (stop, stopped) = Stop::by_hand();
        let drain = Drain::new();
        let parts = Parts {
            handler: handler(sender, Arc::clone(&release)),
            ops: |_: Request<RequestBody>, _: &Arc<Connection>| async { answer("fine") },
            tls: Arc::clone(&tls.server),
            trusted_proxies: Networks::default(),
            metrics: metrics.connections.clone(),
            drain: drain.clone(),
            stop: stopped,
        };
        let thread = std::thread::spawn(move || listen::serve(bound, &config, parts));
        Self {
            https: https.unwrap(),
            redirect: redirect.unwrap(),
            ops: ops.unwrap(),
            authority,
            metrics,
            tls: Arc::new(tls),
            drain,
            _directory: directory,
            release,
            stop,
            seen,
            thread: Some(thread),
        }
    }

    /// Trusts the gateway's certificates.
    pub(super) fn client(&self) -> Client {
        self.authority.client()
    }

    /// The next request that reaches the handler.
    pub(super) async fn next_seen(&mut self) -> Seen {
        soon(self.seen.recv()).await.unwrap()
    }

    /// What has reached the handler until now.
    pub(super) fn seen_so_far(&mut self) -> Vec<Seen> {
        std::iter::from_fn(|| self.seen.try_recv().ok()).collect()
    }

    /// Waits for the end.
    pub(super) async fn ended(mut self) -> Stopped {
        let thread = self.thread.take().unwrap();
        soon(tokio::task::spawn_blocking(move || thread.join().unwrap()))
            .await
            .unwrap()
    }

    /// Whether this line is among the metrics.
    pub(super) fn counts(&self, line: &str) -> bool {
        let page = self.metrics.encode().unwrap();
        page.lines().any(|found| found == line)
    }

    /// Waits until this line is among the metrics.
    pub(super) async fn counted(&self, line: &str) {
        soon(async {
            while !self.counts(line) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop.stop();
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking());
        }
    }
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn config() -> Config {
    Config {
        listen: vec![loopback()],
        redirect_http: vec![loopback()],
        public_url: "https://gw.test".parse().unwrap(),
        certificates: Vec::new(),
        max_connections: 1000,
        max_connections_per_address: 1000,
        handshake_timeout: PATIENCE,
        header_timeout: PATIENCE,
        idle_timeout: PATIENCE,
        drain_timeout: PATIENCE,
        threads: 1,
    }
}

fn answer(text: &'static str) -> Response<Full<Bytes>> {
    Response::new(Full::new(Bytes::from_static(text.as_bytes())))
}

fn handler(
    seen: mpsc::UnboundedSender<Seen>,
    release: Arc<Semaphore>,
) -> impl listen::RequestHandler {
    move |request: Request<RequestBody>, connection: &Arc<Connection>| {
        let (seen, release) = (seen.clone(), Arc::clone(&release));
        let connection = Arc::clone(connection);
        async move {
            let line = format!("{} {}", request.method(), request.uri());
            let held = request.uri().path() == "/held";
            let big = request.uri().path() == "/big";
            let body = request.into_body().collect().await;
            let body = body.map(Collected::to_bytes).map_err(|e| e.to_string());
            // A test that has seen enough does not listen any more.
            drop(seen.send(Seen {
                line,
                body,
                connection,
            }));
            if held {
                release.acquire().await.unwrap().forget();
            }
            if big {
                return Response::new(Full::new(Bytes::from(vec![b'x'; 64 << 20])));
            }
            answer("hello")
        }
    }
}

/// Sends `bytes` and reads until the other side closes.
pub(super) async fn exchange<S>(mut stream: S, bytes: &[u8]) -> String
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
    read_to_close(stream).await
}

/// Reads until the other side closes, in whichever way.
pub(super) async fn read_to_close<S: AsyncRead + Unpin>(mut stream: S) -> String {
    let mut received = Vec::new();
    // Cut without a word or not: what counts is that it ends, and what came before.
    drop(soon(stream.read_to_end(&mut received)).await);
    String::from_utf8_lossy(&received).into_owned()
}

/// Reads one answer with the body `hello`.
pub(super) async fn read_hello<S: AsyncRead + Unpin>(stream: &mut S) {
    let mut received = Vec::new();
    while !received.ends_with(b"\r\n\r\nhello") {
        let mut chunk = [0; 1024];
        let count = soon(stream.read(&mut chunk)).await.unwrap();
        let shown = String::from_utf8_lossy(&received);
        assert_ne!(count, 0, "closed after {shown:?}");
        received.extend_from_slice(&chunk[..count]);
    }
    assert!(received.starts_with(b"HTTP/1.1 200 "));
}
