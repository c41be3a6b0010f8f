//! The servers of an upstream: whose turn it is, and which failures allow another try.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::uri::Scheme;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use url::Url;

use super::UpstreamConfig;
use super::connector::Connector;
use super::error::{ProxyError, UpstreamError};
use super::outgoing::OutgoingHead;
use super::pool::Pool;
use super::upload::{Payload, UpstreamBody};

/// A group of servers, with the connections to them.
pub(super) struct Upstream {
    name: String,
    servers: Vec<Server>,
    turn: AtomicUsize,
    response_timeout: Duration,
    idle_timeout: Duration,
}

#[derive(Debug)]
struct Server {
    url: Arc<Url>,
    pool: Arc<Pool>,
}

impl Upstream {
    pub(super) fn new(config: UpstreamConfig) -> Result<Self, ProxyError> {
        let connector = Connector::new(&config)?;
        let servers = config.servers.into_iter().map(|url| {
            Server::new(url, &connector).map_err(|server| ProxyError::NotAnOrigin {
                upstream: config.name.clone(),
                server,
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
        })
    }

    pub(super) const fn idle_timeout(&self) -> Duration {
        self.idle_timeout
    }

    /// Sends a request to the server whose turn it is, and on to the next where nothing can have come
    /// of it. Returns who answered.
    pub(super) async fn send(
        &self,
        head: OutgoingHead,
        payload: Payload,
    ) -> Result<(Arc<Url>, Response<Incoming>), UpstreamError> {
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
                Ok(response) => return Ok((Arc::clone(&server.url), response)),
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
    ) -> Result<Response<Incoming>, UpstreamError> {
        let body = payload.body().ok_or(UpstreamError::ClientGone)?;
        let request = request(head, body);
        tokio::select! {
            biased;
            answer = server.pool.exchange(request) => answer,
            () = payload.overdue(self.response_timeout) => Err(UpstreamError::ResponseTimeout),
        }
    }
}

impl Server {
    /// The server at this origin, or the URL back if it is none.
    fn new(url: Url, connector: &Connector) -> Result<Self, Url> {
        let origin: Option<Uri> = url.origin().ascii_serialization().parse().ok();
        match origin {
            Some(origin) if is_origin(&origin) => Ok(Self {
                url: Arc::new(url),
                pool: Pool::new(connector.clone(), origin),
            }),
            _ => Err(url),
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
