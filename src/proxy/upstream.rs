//! The servers of an upstream: whose turn it is, and which failures allow another try.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::uri::Scheme;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use url::Url;

use super::connector::Connector;
use super::error::{ProxyError, UpstreamError};
use super::outgoing::OutgoingHead;
use super::pool::Pool;
use super::streams::{Slot, Streams};
use super::upload::{Payload, UpstreamBody};
use super::{Protocol, UpstreamConfig};

/// A group of servers, with the connections to them.
pub(super) struct Upstream {
    name: String,
    servers: Vec<Server>,
    turn: AtomicUsize,
    response_timeout: Duration,
    idle_timeout: Duration,
    protocol: Protocol,
}

#[derive(Debug)]
struct Server {
    url: Arc<Url>,
    way: Way,
}

/// How a server is spoken to.
#[derive(Debug)]
enum Way {
    /// One request at a time on each connection.
    Lines(Arc<Pool>),
    /// Many requests on one connection.
    Streams(Box<Streams>),
}

/// The head of an answer.
pub(super) struct Answered {
    /// Who answered.
    pub(super) server: Arc<Url>,
    /// The answer.
    pub(super) response: Response<Incoming>,
    /// Its place on a connection that it shares with others.
    pub(super) slot: Option<Slot>,
}

impl Upstream {
    pub(super) fn new(config: UpstreamConfig) -> Result<Self, ProxyError> {
        let connector = Connector::new(&config)?;
        let servers = config.servers.into_iter().map(|url| {
            Server::new(url, (&connector, config.protocol)).map_err(|server| {
                ProxyError::NotAnOrigin {
                    upstream: config.name.clone(),
                    server,
                }
            })
        });
        let servers: Vec<_> = servers.collect::<Result<_, _>>()?;
        if servers.is_empty() {
            return Err(ProxyError::NoServers(config.name));
        }
        Ok(Self {
            name: config.name,
            servers,
            turn: AtomicUsize::new(0),
            response_timeout: config.response_timeout,
            idle_timeout: config.idle_timeout,
            protocol: config.protocol,
        })
    }

    pub(super) const fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(super) const fn idle_timeout(&self) -> Duration {
        self.idle_timeout
    }

    /// Sends a request to the server whose turn it is, and on to the next where nothing can have come
    /// of it.
    pub(super) async fn send(
        &self,
        head: OutgoingHead,
        payload: Payload,
    ) -> Result<Answered, UpstreamError> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut retries = Retries::new(&head, &payload, self.servers.len());
        let mut head = Some(head);
        let order = self.servers.iter().cycle();
        let mut order = order.skip(turn.checked_rem(self.servers.len()).unwrap_or(0));
        loop {
            let server = order.next().ok_or(UpstreamError::Unknown)?;
            let attempt = if retries.are_over() {
                head.take()
            } else {
                head.clone()
            };
            let attempt = attempt.ok_or(UpstreamError::Unknown)?;
            match self.attempt(server, attempt, &payload).await {
                Ok((response, slot)) => {
                    return Ok(Answered {
                        server: Arc::clone(&server.url),
                        response,
                        slot,
                    });
                }
                Err(error) if retries.allow(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn attempt(
        &self,
        server: &Server,
        head: OutgoingHead,
        payload: &Payload,
    ) -> Result<(Response<Incoming>, Option<Slot>), UpstreamError> {
        let body = payload.body().ok_or(UpstreamError::ClientGone)?;
        let request = request(head, body);
        tokio::select! {
            biased;
            answer = server.exchange(request) => answer,
            () = payload.overdue(self.response_timeout) => Err(UpstreamError::ResponseTimeout),
        }
    }
}

impl Server {
    /// The server at this origin, or the URL back if it is none.
    fn new(url: Url, (connector, protocol): (&Connector, Protocol)) -> Result<Self, Url> {
        let origin: Option<Uri> = url.origin().ascii_serialization().parse().ok();
        match origin {
            Some(origin) if is_origin(&origin) => Ok(Self {
                url: Arc::new(url),
                way: match protocol {
                    Protocol::Http1 => Way::Lines(Pool::new(connector.clone(), origin)),
                    Protocol::Http2 => {
                        let streams = Streams::new(connector.clone(), origin);
                        Way::Streams(Box::new(streams))
                    }
                },
            }),
            _ => Err(url),
        }
    }
}

impl Server {
    async fn exchange(
        &self,
        request: Request<UpstreamBody>,
    ) -> Result<(Response<Incoming>, Option<Slot>), UpstreamError> {
        match &self.way {
            Way::Lines(pool) => Ok((pool.exchange(request).await?, None)),
            // Boxed, so that its future does not make that of every request large.
            Way::Streams(streams) => {
                let (response, slot) = Box::pin(streams.exchange(request)).await?;
                Ok((response, Some(slot)))
            }
        }
    }
}

fn is_origin(uri: &Uri) -> bool {
    let schemes = [Scheme::HTTP, Scheme::HTTPS];
    uri.authority().is_some() && uri.scheme().is_some_and(|scheme| schemes.contains(scheme))
}

fn request(head: OutgoingHead, body: UpstreamBody) -> Request<UpstreamBody> {
    let mut request = Request::new(body);
    *request.method_mut() = head.method;
    // The path alone, as servers expect it (RFC 9112 §3.2.1).
    *request.uri_mut() = head.target.into();
    *request.headers_mut() = head.headers;
    request
}

/// Which failures allow another try: those that cannot have had an effect.
struct Retries {
    /// How many more servers may be asked after a connection that was not made.
    unreached: usize,
    /// How often a request may be sent again after a connection that closed without an answer.
    ///
    /// That happens where the server closes an unused connection at the moment we use it. Once is
    /// enough for that, and only for a safe method without a body (RFC 9110 §9.2.2).
    unanswered: u8,
}

impl Retries {
    fn new(head: &OutgoingHead, payload: &Payload, servers: usize) -> Self {
        let repeatable = head.method.is_safe() && matches!(payload, Payload::Empty);
        Self {
            unreached: servers.saturating_sub(1),
            unanswered: u8::from(repeatable),
        }
    }

    /// Whether there is no other try, whatever comes.
    const fn are_over(&self) -> bool {
        self.unreached == 0 && self.unanswered == 0
    }

    /// Whether to try again, after `error`.
    fn allow(&mut self, error: &UpstreamError) -> bool {
        match error {
            UpstreamError::Refused(_) | UpstreamError::ConnectTimeout => {
                let left = self.unreached.checked_sub(1);
                left.inspect(|left| self.unreached = *left).is_some()
            }
            UpstreamError::ClosedEarly(_) => {
                let left = self.unanswered.checked_sub(1);
                left.inspect(|left| self.unanswered = *left).is_some()
            }
            UpstreamError::ResponseTimeout
            | UpstreamError::BadAnswer(_)
            | UpstreamError::BadUpgrade
            | UpstreamError::NoWebSocket
            | UpstreamError::TooLarge
            | UpstreamError::ClientGone
            | UpstreamError::ClientStalled
            | UpstreamError::Method
            | UpstreamError::Unsendable(_)
            | UpstreamError::Unknown => false,
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("name", &self.name)
            .field("servers", &self.servers)
            .finish_non_exhaustive()
    }
}
