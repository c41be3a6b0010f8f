//! Upstreams that speak HTTP/2.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use doorward::proxy::Protocol as Spoken;
use doorward::trust::Trust;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Empty, Full, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::support::front::{Front, Protocol, Setup, reason, whole};
use crate::support::sample::Sample;

type Answer = BoxBody<Bytes, Infallible>;

/// What a server notices.
#[derive(Debug)]
enum Notice {
    /// A request came.
    Came(Box<http::request::Parts>),
    /// One whose answer was owed, or under way, is over.
    Over,
}

/// A server of HTTP/2 without TLS.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    notices: UnboundedReceiver<Notice>,
    /// Cancelled, its connections say goodbye.
    goodbye: CancellationToken,
    _serving: AbortOnDropHandle<()>,
}

/// Tells that a request is over when it is dropped.
struct Guard(UnboundedSender<Notice>);

impl Drop for Guard {
    fn drop(&mut self) {
        let _nobody_listens = self.0.send(Notice::Over);
    }
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (tell, notices) = unbounded_channel();
        let goodbye = CancellationToken::new();
        let serving = accept(listener, (Arc::clone(&connections), tell, goodbye.clone()));
        Self {
            address,
            connections,
            notices,
            goodbye,
            _serving: AbortOnDropHandle::new(tokio::spawn(serving)),
        }
    }

    fn url(&self) -> Url {
        format!("http://{}", self.address).parse().unwrap()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    async fn front(&self) -> Front {
        front(self.url(), Protocol::Http2).await
    }

    async fn notice(&mut self) -> Notice {
        let notice = tokio::time::timeout(Duration::from_secs(30), self.notices.recv());
        notice.await.expect("it notices something").unwrap()
    }

    async fn came(&mut self) -> Box<http::request::Parts> {
        match self.notice().await {
            Notice::Came(parts) => parts,
            Notice::Over => panic!("a request was over too early"),
        }
    }

    async fn over(&mut self) {
        let notice = self.notice().await;
        assert!(matches!(notice, Notice::Over), "{notice:?}");
    }
}

async fn accept(
    listener: TcpListener,
    (connections, tell, goodbye): (Arc<AtomicUsize>, UnboundedSender<Notice>, CancellationToken),
) {
    while let Ok((stream, _peer)) = listener.accept().await {
        connections.fetch_add(1, Ordering::SeqCst);
        let (tell, goodbye) = (tell.clone(), goodbye.child_token());
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, tell.clone()));
            let builder = http2::Builder::new(TokioExecutor::new());
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            tokio::select! {
                _ended = connection.as_mut() => return,
                () = goodbye.cancelled() => connection.as_mut().graceful_shutdown(),
            }
            let _ended = connection.await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    tell: UnboundedSender<Notice>,
) -> Result<Response<Answer>, Infallible> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let _nobody_listens = tell.send(Notice::Came(Box::new(parts)));
    Ok(match path.as_str() {
        "/hang" => {
            let _guard = Guard(tell);
            pending().await
        }
        // One piece, and then no more.
        "/drip" => Response::new(BoxBody::new(StreamBody::new(async_drip(Guard(tell))))),
        "/large" => Response::new(Full::from(vec![b'x'; 4_000_000]).boxed()),
        _echo => {
            let whole = body.collect().await.unwrap();
            let trailers = whole.trailers().cloned();
            let frames = [
                Some(Frame::data(whole.to_bytes())),
                trailers.map(Frame::trailers),
            ];
            let frames = frames.into_iter().flatten().map(Ok);
            Response::new(BoxBody::new(StreamBody::new(futures_util::stream::iter(
                frames,
            ))))
        }
    })
}

fn async_drip(
    guard: Guard,
) -> impl futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + Sync {
    futures_util::stream::unfold((guard, false), async |(guard, said)| {
        if said {
            pending::<()>().await;
        }
        Some((Ok(Frame::data(Bytes::from("drip"))), (guard, true)))
    })
}

async fn front(server: Url, protocol: Protocol) -> Front {
    let mut setup = Setup::before([server]);
    setup.upstream.protocol = Spoken::Http2;
    setup.protocol = protocol;
    setup.start().await
}

fn upload(body: &'static str, trailers: Option<HeaderMap>) -> Request<Answer> {
    let frames = [
        Some(Frame::data(Bytes::from(body))),
        trailers.map(Frame::trailers),
    ];
    let frames = frames.into_iter().flatten().map(Ok);
    let body = StreamBody::new(futures_util::stream::iter(frames));
    Request::post("/echo?a=%2F")
        .header("te", "trailers")
        .body(BoxBody::new(body))
        .unwrap()
}

#[tokio::test]
async fn a_request_comes_as_http2_with_its_body_and_trailers() {
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let mut server = Server::start().await;
        let front = front(server.url(), protocol).await;
        let mut trailers = HeaderMap::new();
        trailers.insert("x-checksum", "abc".parse().unwrap());
        trailers.insert("x-auth-subject", "somebody".parse().unwrap());
        let mut request = upload("hello", Some(trailers));
        if matches!(protocol, Protocol::Http1) {
            let headers = request.headers_mut();
            headers.insert("host", "gw.example.com".parse().unwrap());
            headers.insert("trailer", "x-checksum".parse().unwrap());
            headers.insert("connection", "te, keep-alive".parse().unwrap());
        }
        let response = front.send(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let answered = response.into_body().collect().await.unwrap();
        let trailers = answered.trailers().cloned();
        assert_eq!(answered.to_bytes(), "hello");
        let parts = server.came().await;
        assert_eq!(parts.version, Version::HTTP_2);
        assert_eq!(parts.uri, "http://gw.example.com/echo?a=%2F");
        assert_eq!(parts.headers["te"], "trailers");
        for unwanted in ["connection", "transfer-encoding", "host", "keep-alive"] {
            assert!(!parts.headers.contains_key(unwanted), "{unwanted}");
        }
        assert_eq!(parts.headers["x-forwarded-host"], "gw.example.com");
        if matches!(protocol, Protocol::Http2) {
            let trailers = trailers.unwrap();
            assert_eq!(trailers["x-checksum"], "abc");
            // What may not be a header may not be a trailer.
            assert!(!trailers.contains_key("x-auth-subject"));
        }
    }
}

#[tokio::test]
async fn requests_share_a_connection_up_to_a_hundred_at_once() {
    let mut server = Server::start().await;
    let front = Arc::new(server.front().await);
    let hang = || {
        let front = Arc::clone(&front);
        AbortOnDropHandle::new(tokio::spawn(async move { front.get("/hang").await }))
    };
    // Some wait for the head of their answer, some for the rest of it.
    let (mut hanging, mut dripping) = (Vec::new(), Vec::new());
    for count in 1..=50 {
        hanging.push(hang());
        server.came().await;
        dripping.push(front.get("/drip").await);
        server.came().await;
        assert_eq!(server.connections(), 1, "{count}");
    }
    hanging.push(hang());
    server.came().await;
    assert_eq!(server.connections(), 2);
    drop((hanging, dripping));
    for _ in 0..101 {
        server.over().await;
    }
    assert!(whole(front.get("/x").await).await.is_ok());
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_client_that_goes_resets_its_stream_alone() {
    let mut server = Server::start().await;
    let front = Arc::new(server.front().await);
    let other = front.get("/drip").await;
    server.came().await;
    // Before the head of the answer.
    let hanging = Arc::clone(&front);
    let hanging = tokio::spawn(async move { hanging.get("/hang").await });
    server.came().await;
    hanging.abort();
    server.over().await;
    // In the middle of its body.
    let mut response = front.get("/drip").await;
    server.came().await;
    let frame = response.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "drip");
    drop(response);
    server.over().await;
    // With an upload that is not over.
    let endless = futures_util::stream::pending::<Result<Frame<Bytes>, Infallible>>();
    let request = Request::post("/hang").body(BoxBody::new(StreamBody::new(endless)));
    let hanging = Arc::clone(&front);
    let hanging = tokio::spawn(async move { hanging.send(request.unwrap()).await });
    server.came().await;
    hanging.abort();
    server.over().await;
    assert_eq!(server.connections(), 1);
    drop(other);
    server.over().await;
}

#[tokio::test]
async fn a_server_that_says_goodbye_is_called_anew() {
    let mut server = Server::start().await;
    let front = server.front().await;
    assert!(whole(front.get("/x").await).await.is_ok());
    let held = front.get("/drip").await;
    server.came().await;
    server.came().await;
    server.goodbye.cancel();
    // What is under way goes on over the old connection, what is new over another; nothing is lost.
    let said = tokio::time::timeout(Duration::from_secs(30), async {
        while server.connections() == 1 {
            let response = front.send(upload("again", None)).await.unwrap();
            assert_eq!(reason(&response), None);
            assert_eq!(whole(response).await.unwrap(), "again");
        }
    });
    said.await.expect("the goodbye is heard");
    let mut held = held;
    let frame = held.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "drip");
}

#[tokio::test]
async fn clients_that_read_slowly_hold_nobody_up() {
    let server = Server::start().await;
    let front = server.front().await;
    let mut slow = Vec::new();
    for _ in 0..60 {
        // Nothing of the body is read.
        slow.push(front.get("/large").await);
    }
    let quick = tokio::time::timeout(Duration::from_secs(30), whole(front.get("/large").await));
    let quick = quick.await.expect("it is not held up").unwrap();
    assert_eq!(quick.len(), 4_000_000);
    assert_eq!(server.connections(), 1);
    for response in slow.drain(..2) {
        assert_eq!(whole(response).await.unwrap().len(), 4_000_000);
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_in_time_is_a_timeout_and_its_stream_reset() {
    let mut server = Server::start().await;
    let mut setup = Setup::before([server.url()]);
    setup.upstream.protocol = Spoken::Http2;
    setup.upstream.response_timeout = Duration::from_millis(100);
    let front = setup.start().await;
    assert_eq!(reason(&front.get("/hang").await), Some("response-timeout"));
    server.came().await;
    server.over().await;
}

#[tokio::test]
async fn a_websocket_is_not_asked_for() {
    let mut server = Server::start().await;
    let front = front(server.url(), Protocol::Http1).await;
    let request = Request::get("/chat")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let response = front.send(request).await.unwrap();
    assert_eq!(reason(&response), Some("no-websocket"));
    assert_eq!(response.status(), StatusCode::NOT_IMPLEMENTED);
    assert_eq!(server.connections(), 0);
    assert!(server.notices.try_recv().is_err());
}

#[tokio::test]
async fn a_server_of_http1_alone_is_a_bad_gateway() {
    let sample = Sample::start().await;
    let front = front(sample.url(), Protocol::Http1).await;
    let response = front.get("/x").await;
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    assert!(sample.seen().is_empty());
}

/// A server that ends TLS before this address, and agrees to one of these protocols.
async fn with_tls(address: SocketAddr, protocols: &[&[u8]]) -> (Url, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _peer)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut server = TcpStream::connect(address).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut stream, &mut server).await });
            }
        }
    });
    (url.parse().unwrap(), made.cert.der().clone())
}

#[tokio::test]
async fn a_server_with_tls_must_agree_to_http2() {
    let mut server = Server::start().await;
    for (protocols, expected) in [
        (&[&b"http/1.1"[..], b"h2"][..], None),
        (&[&b"http/1.1"[..]][..], Some("connect-refused")),
        (&[][..], Some("connect-refused")),
    ] {
        let (url, certificate) = with_tls(server.address, protocols).await;
        let mut setup = Setup::before([url]);
        setup.upstream.protocol = Spoken::Http2;
        setup.upstream.trust = Trust::Only(vec![certificate]);
        let front = setup.start().await;
        assert_eq!(reason(&front.get("/x").await), expected);
    }
    let parts = server.came().await;
    assert_eq!(parts.uri.scheme_str(), Some("https"));
    assert!(server.notices.try_recv().is_err());
}
