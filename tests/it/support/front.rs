//! A gateway of the smallest kind: permits every request and forwards it.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use doorward::auth::Permit;
use doorward::path::NormalPath;
use doorward::proxy::{
    self, BodyEnd, BodyError, Forward, Forwarded, IdentityHeaders, Proxy, TunnelEnd,
    UpstreamConfig, UpstreamError,
};
use doorward::route::Credentials;
use doorward::token::mint::Claims;
use doorward::trust::Trust;
use doorward::wire::request_body::RequestBody;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

use super::core::Core;

/// What its clients speak.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    /// Without TLS and without being asked.
    Http2,
}

/// How a front is made.
pub(crate) struct Setup {
    pub(crate) protocol: Protocol,
    pub(crate) upstream: UpstreamConfig,
    /// What the token of every request says; nobody sends one if there is none.
    pub(crate) caller: Option<Claims>,
    pub(crate) credentials: Credentials,
}

impl Setup {
    /// A front before these servers, with limits that no test comes near.
    pub(crate) fn before(servers: impl IntoIterator<Item = Url>) -> Self {
        Self {
            protocol: Protocol::Http1,
            upstream: UpstreamConfig {
                name: "sample".into(),
                servers: servers.into_iter().collect(),
                connect_timeout: Duration::from_mins(1),
                response_timeout: Duration::from_mins(1),
                idle_timeout: Duration::from_mins(1),
                trust: Trust::System,
                protocol: proxy::Protocol::Http1,
            },
            caller: None,
            credentials: Credentials::Kept,
        }
    }

    pub(crate) async fn start(self) -> Front {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let protocol = self.protocol;
        let session_end = CancellationToken::new();
        let (bodies, body_ends) = mpsc::unbounded_channel();
        let (tunnels, tunnel_ends) = mpsc::unbounded_channel();
        let config = proxy::Config {
            key_header: None,
            upstreams: vec![self.upstream],
            headers: identity_headers(),
            cookies: vec!["__Host-doorward".into()],
        };
        let shared = Arc::new(Shared {
            proxy: Proxy::new(config).unwrap(),
            permit: Core::start().await.permit(self.caller),
            credentials: self.credentials,
            session_end: session_end.clone(),
            bodies,
            tunnels,
        });
        let stop = CancellationToken::new();
        let accepting = accept(listener, protocol, shared);
        tokio::spawn(stop.clone().run_until_cancelled_owned(accepting));
        Front {
            address,
            protocol,
            session_end,
            body_ends,
            tunnel_ends,
            _stop: stop.drop_guard(),
        }
    }
}

pub(crate) fn identity_headers() -> IdentityHeaders {
    IdentityHeaders {
        subject: HeaderName::from_static("x-auth-subject"),
        email: HeaderName::from_static("x-auth-email"),
        roles: HeaderName::from_static("x-auth-roles"),
        session: HeaderName::from_static("x-auth-session"),
    }
}

/// A running front.
pub(crate) struct Front {
    pub(crate) address: SocketAddr,
    protocol: Protocol,
    /// Cancelled when the session ends.
    pub(crate) session_end: CancellationToken,
    /// How the bodies of answers ended.
    pub(crate) body_ends: mpsc::UnboundedReceiver<BodyEnd>,
    /// How tunnels ended.
    pub(crate) tunnel_ends: mpsc::UnboundedReceiver<TunnelEnd>,
    _stop: DropGuard,
}

impl Front {
    /// Sends a request over a connection of its own.
    pub(crate) async fn send<B>(&self, mut request: Request<B>) -> hyper::Result<Response<Incoming>>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static,
    {
        let io = TokioIo::new(self.connect().await);
        match self.protocol {
            Protocol::Http1 => {
                let host = self.address.to_string().parse().unwrap();
                request.headers_mut().entry("host").or_insert(host);
                let (mut client, connection) = conn::http1::handshake(io).await?;
                tokio::spawn(connection);
                client.send_request(request).await
            }
            Protocol::Http2 => {
                let uri = format!("https://gw.example.com{}", request.uri());
                *request.uri_mut() = uri.parse().unwrap();
                let (mut client, connection) =
                    conn::http2::handshake(TokioExecutor::new(), io).await?;
                tokio::spawn(connection);
                client.send_request(request).await
            }
        }
    }

    /// Gets this target.
    pub(crate) async fn get(&self, target: &str) -> Response<Incoming> {
        let request = Request::get(target).body(Empty::<Bytes>::new()).unwrap();
        self.send(request).await.unwrap()
    }

    /// A connection to write to by hand.
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes, and reads all that comes until the connection closes.
    pub(crate) async fn say(&self, bytes: &str) -> io::Result<String> {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_bytes()).await?;
        let mut heard = String::new();
        stream.read_to_string(&mut heard).await?;
        Ok(heard)
    }
}

/// The whole body of an answer.
pub(crate) async fn whole(response: Response<Incoming>) -> hyper::Result<Bytes> {
    Ok(response.into_body().collect().await?.to_bytes())
}

/// The word for what went wrong, where something did.
pub(crate) fn reason(response: &Response<Incoming>) -> Option<&str> {
    let reason = response.headers().get("x-reason")?;
    reason.to_str().ok()
}

struct Shared {
    proxy: Proxy,
    permit: Permit,
    credentials: Credentials,
    session_end: CancellationToken,
    bodies: mpsc::UnboundedSender<BodyEnd>,
    tunnels: mpsc::UnboundedSender<TunnelEnd>,
}

async fn accept(listener: TcpListener, protocol: Protocol, shared: Arc<Shared>) {
    while let Ok((stream, _peer)) = listener.accept().await {
        let io = TokioIo::new(stream);
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
        match protocol {
            Protocol::Http1 => {
                let mut server = hyper::server::conn::http1::Builder::new();
                server.timer(TokioTimer::new());
                tokio::spawn(server.serve_connection(io, service).with_upgrades());
            }
            Protocol::Http2 => {
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(server.serve_connection(io, service));
            }
        }
    }
}

type FrontBody = BoxBody<Bytes, BodyError>;

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<FrontBody>, Infallible> {
    let forward = Forward {
        // `CONNECT` has none.
        path: NormalPath::parse(request.uri().path())
            .or_else(|_none| NormalPath::parse("/"))
            .unwrap(),
        request: RequestBody::of(request, || ()),
        client: "2001:db8::7".parse().unwrap(),
        request_id: HeaderValue::from_static("01010101-0101-0101-0101-010101010101"),
        upstream: 0,
        credentials: shared.credentials,
        key_header: None,
    };
    Ok(match shared.proxy.forward(&shared.permit, forward).await {
        Ok(forwarded) => pass_on(forwarded, &shared),
        Err(error) => refuse(&error),
    })
}

fn pass_on(forwarded: Forwarded, shared: &Arc<Shared>) -> Response<FrontBody> {
    if let Some(tunnel) = forwarded.tunnel {
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            let end = tunnel.run(shared.session_end.cancelled()).await;
            shared.tunnels.send(end)
        });
    }
    let bodies = shared.bodies.clone();
    forwarded.response.map(|body| {
        // A test that is over does not listen any more.
        BoxBody::new(body.observed(move |end| bodies.send(end).unwrap_or_default()))
    })
}

fn refuse(error: &UpstreamError) -> Response<FrontBody> {
    let none = |never: Infallible| match never {};
    let mut response = Response::new(Full::default().map_err(none).boxed());
    *response.status_mut() = error.status();
    let reason = error.reason().parse().unwrap();
    response.headers_mut().insert("x-reason", reason);
    response
}
