//! The gate: the way of every request, from its head to its answer.
//!
//! Reads the head, finds the route, has the core judge, and then either forwards, or hands over to an
//! endpoint of ours, or refuses. Each of these lives elsewhere; only their order is decided here.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, ORIGIN, STRICT_TRANSPORT_SECURITY,
};
use http::request;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use tower::ServiceExt as _;

use super::answer::AnswerBody;
use super::record::Record;
use super::serving::{Current, Serving};
use super::session_end::SessionEnd;
use super::site::{Endpoints, Stop, Style, Target};
use crate::auth::{Auth, Denial, Permit};
use crate::clock::SharedClock;
use crate::id::{RequestId, TEXT_LENGTH};
use crate::listen::{Connection, RequestHandler};
use crate::logs::LineLog;
use crate::metrics::requests::{RouteMetrics, Verdict};
use crate::path::NormalPath;
use crate::proxy::{Forward, Forwarded, Tunnel, UpstreamError};
use crate::request::cookie::ShownCookie;
use crate::request::{Credential, RequestHead};
use crate::route::Credentials;
use crate::route::table::Lookup;
use crate::wire::context::RequestContext;
use crate::wire::cookie::Cookie;
use crate::wire::problem::Problem;
use crate::wire::refusal::grpc::{self, GrpcStyle};
use crate::wire::refusal::{Cause, Refusal, RefusalStyle};

/// How long an endpoint of ours may take, the reading of a small body included. Longer than any store
/// or hash may take, so that those say themselves what is wrong.
const OWN_TIMEOUT: Duration = Duration::from_secs(30);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the gate works with.
pub struct Parts {
    /// Judges.
    pub auth: Arc<Auth>,
    /// All that a reload may change.
    pub serving: Current,
    /// Tells the time.
    pub clock: SharedClock,
    /// One line a request.
    pub access_log: LineLog,
}

/// Answers every request.
pub struct Gate {
    parts: Parts,
}

/// The gate as one request finds it: a reload on the way does not change it.
#[derive(Clone, Copy)]
struct Visit<'a> {
    parts: &'a Parts,
    serving: &'a Serving,
}

/// What a request's head leads to.
enum Way<'a> {
    Forward {
        stop: &'a Stop,
        permit: Permit,
        path: NormalPath,
        upstream: (usize, Credentials),
    },
    Own {
        stop: &'a Stop,
        endpoints: Endpoints,
        context: RequestContext,
    },
    /// A browser asks whether a page of another origin may call a service.
    Preflight {
        stop: &'a Stop,
        response: Response<Body>,
    },
    Refused {
        stop: Option<&'a Stop>,
        refusal: Refusal,
        verdict: (Verdict, &'static str),
    },
}

impl Gate {
    /// The gate over these parts.
    pub const fn new(parts: Parts) -> Self {
        Self { parts }
    }
}

impl<'a> Visit<'a> {
    async fn answer(
        self,
        request: Request<Incoming>,
        connection: &Connection,
    ) -> Response<AnswerBody> {
        let (parts, body) = request.into_parts();
        let mut record = self.record(&parts, connection);
        let way = self.find_way(&parts, connection, &mut record);
        let request = Request::from_parts(parts, body);
        match way {
            Way::Forward {
                stop,
                permit,
                path,
                upstream,
            } => {
                note_stop(&mut record, stop);
                let request_id = request_id_value(&record);
                let asked = Asked::of(stop, &request);
                let answers = Answers::to(&request);
                let forward = Forward {
                    request,
                    path,
                    client: record.client,
                    request_id: request_id.clone(),
                    upstream: upstream.0,
                    credentials: upstream.1,
                    key_header: stop
                        .neighbour
                        .as_ref()
                        .and_then(|neighbour| neighbour.key_header.clone()),
                };
                let answer = Answering {
                    visit: self,
                    stop,
                    asked,
                    answers,
                    record,
                    request_id,
                    connection,
                };
                answer.forward(permit, forward).await
            }
            Way::Own {
                stop,
                endpoints,
                context,
            } => {
                note_stop(&mut record, stop);
                let response = self.own(endpoints, request, context).await;
                finish(response, &stop.metrics, record)
            }
            Way::Preflight { stop, response } => {
                note_stop(&mut record, stop);
                finish(response, &stop.metrics, record)
            }
            Way::Refused {
                stop,
                refusal,
                verdict,
            } => {
                if let Some(stop) = stop {
                    note_stop(&mut record, stop);
                }
                (record.verdict, record.reason) = verdict;
                let style = Answers::to(&request).style(stop);
                let mut response = refusal.of_request(record.request_id).respond(style);
                if let Some(cors) = stop.and_then(Stop::cors) {
                    cors.share(request.headers(), response.headers_mut());
                }
                let metrics = stop.map_or(&self.serving.site.unmatched, |stop| &stop.metrics);
                finish(response, metrics, record)
            }
        }
    }

    /// Nothing here waits for anything: all that decides lies in memory.
    fn find_way(
        self,
        parts: &request::Parts,
        connection: &Connection,
        record: &mut Record,
    ) -> Way<'a> {
        let peer = connection.peer.ip();
        let head = match RequestHead::read(parts, peer, &self.serving.trusted_proxies) {
            Ok(head) => head,
            Err(bad) => {
                record.path = parts.uri.path().into();
                return refused(bad.into(), bad.reason());
            }
        };
        record.client = head.client;
        record.host.clone_from(&head.host);
        record.path = head.path.as_str().into();
        if let Some(way) = self.preflight(&head) {
            return way;
        }
        let stop = match self.serving.site.find(&head.host, &head.path, head.method) {
            Lookup::Found(stop) => stop,
            Lookup::NotFound => return refused(Cause::NotFound.into(), "no-route"),
            Lookup::MethodNotAllowed(methods) => {
                return refused(Cause::MethodNotAllowed(methods).into(), "method");
            }
            Lookup::CaseDiffers => return refused(Cause::PathCase.into(), "letter-case"),
        };
        match stop.target {
            Target::Own(endpoints) => Way::Own {
                stop,
                endpoints,
                context: RequestContext::of(&head, record.request_id),
            },
            Target::Upstream { index, credentials } => match self.judge(&head, stop) {
                Ok(permit) => {
                    record.identity = permit.shared_identity();
                    let upstream = (index, credentials);
                    Way::Forward {
                        stop,
                        permit,
                        path: head.path,
                        upstream,
                    }
                }
                Err(denial) => denied(stop, &head, &denial),
            },
        }
    }

    /// A key that every app carries says nothing of who calls: until somebody has signed in, clients of
    /// some dialects show it in the place of a token. It counts as no credential, and nothing else of
    /// the request counts in its place.
    fn judge(self, head: &RequestHead<'_>, stop: &Stop) -> Result<Permit, Denial> {
        let auth = &self.parts.auth;
        let neighbour = stop.neighbour.as_ref();
        let key_header = neighbour.and_then(|neighbour| neighbour.key_header.as_ref());
        let shown = match key_header {
            Some(name) => auth.credential_also_in(head, name),
            None => auth.credential(head),
        };
        let is_key = |key| neighbour.is_some_and(|neighbour| neighbour.keys.is_public(key));
        let counts = match shown {
            Credential::Bearer(token) if is_key(token) => Credential::Absent,
            Credential::Bearer(_)
            | Credential::Absent
            | Credential::Key(_)
            | Credential::Cookie(_)
            | Credential::Foreign
            | Credential::Ambiguous => shown,
        };
        auth.authenticate_by(head, counts, &stop.requirement)
    }

    /// A preflight (Fetch standard §3.2.2) carries no credential, so no service could be asked for its
    /// answer; where pages of other origins may call, it is given here.
    fn preflight(self, head: &RequestHead<'_>) -> Option<Way<'a>> {
        if *head.method != Method::OPTIONS || !head.headers.contains_key(ORIGIN) {
            return None;
        }
        let wanted = head.headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
        let wanted = Method::from_bytes(wanted.as_bytes()).ok()?;
        let Lookup::Found(stop) = self.serving.site.find(&head.host, &head.path, &wanted) else {
            return None;
        };
        let response = stop.cors()?.preflight_of_service(head.headers);
        Some(Way::Preflight { stop, response })
    }

    async fn own(
        self,
        endpoints: Endpoints,
        mut request: Request<Incoming>,
        context: RequestContext,
    ) -> Response<Body> {
        let request_id = context.request_id;
        request.extensions_mut().insert(context);
        let call = self
            .serving
            .own
            .router(endpoints)
            .oneshot(request.map(Body::new));
        match tokio::time::timeout(OWN_TIMEOUT, call).await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_elapsed) => {
                let problem = Problem::new(http::StatusCode::REQUEST_TIMEOUT, "request_timeout");
                axum::response::IntoResponse::into_response(problem.request_id(request_id))
            }
        }
    }

    fn record(self, parts: &request::Parts, connection: &Connection) -> Box<Record> {
        let time = self.parts.clock.now();
        let length = parts
            .headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok());
        Box::new(Record {
            time,
            began: Instant::now(),
            request_id: RequestId::new(time),
            client: connection.peer.ip(),
            protocol: connection.protocol,
            method: parts.method.clone(),
            host: Box::default(),
            path: Box::default(),
            status: http::StatusCode::OK,
            route: None,
            verdict: Verdict::Allowed,
            reason: "allowed",
            identity: None,
            upstream: None,
            upstream_time: None,
            bytes_in: length.and_then(|length| length.parse().ok()),
            bytes_out: 0,
            log: self.parts.access_log.clone(),
        })
    }
}

/// In what form a request wants its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    /// As its route has it.
    Http,
    /// As a client of gRPC reads it, on every route.
    Grpc,
}

impl Answers {
    fn to<B>(request: &Request<B>) -> Self {
        if grpc::is_call(request.version(), request.headers()) {
            Self::Grpc
        } else {
            Self::Http
        }
    }

    fn style(self, stop: Option<&Stop>) -> &'static dyn RefusalStyle {
        match self {
            Self::Grpc => &GrpcStyle,
            Self::Http => stop.map_or(Style::Problem, |stop| stop.style).as_dyn(),
        }
    }
}

/// The `Origin` of a request, where its answer is to be shared with pages of other origins.
struct Asked(Option<HeaderMap>);

impl Asked {
    fn of<B>(stop: &Stop, request: &Request<B>) -> Self {
        let origins = request.headers().get_all(ORIGIN).iter();
        Self(
            stop.cors()
                .map(|_| origins.map(|origin| (ORIGIN, origin.clone())).collect()),
        )
    }

    fn share(&self, stop: &Stop, headers: &mut HeaderMap) {
        if let (Some(asked), Some(cors)) = (&self.0, stop.cors()) {
            cors.share_anew(asked, headers);
        }
    }
}

/// A permitted request on its way to its upstream.
struct Answering<'a> {
    visit: Visit<'a>,
    stop: &'a Stop,
    asked: Asked,
    answers: Answers,
    record: Box<Record>,
    /// For the upstream and for the client: written once.
    request_id: HeaderValue,
    connection: &'a Connection,
}

impl Answering<'_> {
    async fn forward(mut self, permit: Permit, forward: Forward) -> Response<AnswerBody> {
        let result = self.visit.serving.proxy.forward(&permit, forward).await;
        // All that came before took no millisecond, as it waits for nothing.
        self.record.upstream_time = Some(self.record.began.elapsed());
        match result {
            Ok(forwarded) => self.pass_on(&permit, forwarded),
            Err(error) => self.failed(&error),
        }
    }

    fn pass_on(mut self, permit: &Permit, forwarded: Forwarded) -> Response<AnswerBody> {
        let Forwarded {
            mut response,
            tunnel,
            server,
        } = forwarded;
        self.record.upstream = Some(server);
        let end = || SessionEnd::of(&self.visit.parts.auth, permit);
        if let Some(tunnel) = tunnel {
            self.keep_tunnel(end(), tunnel);
        }
        self.asked.share(self.stop, response.headers_mut());
        self.record.status = response.status();
        count(&self.stop.metrics, &self.record);
        let end = end();
        let response = response.map(|body| AnswerBody::upstream(body, end, self.record));
        with_request_id(response, self.request_id)
    }

    /// A tunnel outlives its request, but neither the session of its caller nor the gateway's stop.
    fn keep_tunnel(&self, session: SessionEnd, tunnel: Tunnel) {
        let draining = self.connection.draining_owned();
        let end = async {
            tokio::select! { () = session => {}, () = draining => {} }
        };
        tokio::spawn(tunnel.run(end));
    }

    fn failed(mut self, error: &UpstreamError) -> Response<AnswerBody> {
        tracing::debug!(request_id = %self.record.request_id, error = ?error, "not forwarded");
        self.record.reason = error.reason();
        let id = self.record.request_id;
        let refusal: Refusal = match error.status().as_u16() {
            502 => Cause::BadGateway.into(),
            504 => Cause::GatewayTimeout.into(),
            405 => Cause::MethodNotAllowed(Vec::new()).into(),
            _whose_ever_fault if self.answers == Answers::Grpc => Cause::BadGateway.into(),
            _the_client_or_we_are_at_fault => {
                let problem = Problem::new(error.status(), "not_forwarded").request_id(id);
                let mut response = axum::response::IntoResponse::into_response(problem);
                self.asked.share(self.stop, response.headers_mut());
                return finish(response, &self.stop.metrics, self.record);
            }
        };
        let mut response = refusal
            .of_request(id)
            .respond(self.answers.style(Some(self.stop)));
        self.asked.share(self.stop, response.headers_mut());
        finish(response, &self.stop.metrics, self.record)
    }
}

impl RequestHandler for Gate {
    type Body = AnswerBody;

    async fn handle(
        &self,
        request: Request<Incoming>,
        connection: &Arc<Connection>,
    ) -> Response<AnswerBody> {
        let serving = self.parts.serving.load_full();
        let visit = Visit {
            parts: &self.parts,
            serving: &serving,
        };
        let mut response = visit.answer(request, connection).await;
        // In place of a service's own: it does not end TLS here, and cannot speak for its neighbours.
        if let Some(hsts) = &serving.hsts {
            response
                .headers_mut()
                .insert(STRICT_TRANSPORT_SECURITY, hsts.clone());
        }
        response
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("serving", &self.parts.serving)
            .finish_non_exhaustive()
    }
}

fn refused(refusal: Refusal, reason: &'static str) -> Way<'static> {
    Way::Refused {
        stop: None,
        refusal,
        verdict: (Verdict::Refused, reason),
    }
}

fn denied<'a>(stop: &'a Stop, head: &RequestHead<'_>, denial: &Denial) -> Way<'a> {
    let verdict = match denial {
        Denial::Unauthenticated(_) => (Verdict::Refused, "unauthenticated"),
        Denial::Forbidden { .. } => (Verdict::Refused, "forbidden"),
        Denial::CrossOrigin => (Verdict::Refused, "cross-origin"),
        Denial::Unavailable { .. } => (Verdict::Undecided, "unavailable"),
    };
    // A browser that keeps a cookie which does not hold would be refused until it runs out.
    let cookies: &[Cookie] = match Cookie::SESSION.find(head.headers) {
        ShownCookie::Absent => &[],
        ShownCookie::Once(_) | ShownCookie::Ambiguous => &[Cookie::SESSION],
    };
    let refusal = Refusal::from(denial).clearing(cookies);
    Way::Refused {
        stop: Some(stop),
        refusal,
        verdict,
    }
}

fn note_stop(record: &mut Record, stop: &Stop) {
    record.route = Some(Arc::clone(&stop.name));
}

fn finish(
    response: Response<Body>,
    metrics: &RouteMetrics,
    mut record: Box<Record>,
) -> Response<AnswerBody> {
    let (parts, body) = response.into_parts();
    record.status = parts.status;
    count(metrics, &record);
    let id = request_id_value(&record);
    with_request_id(
        Response::from_parts(parts, AnswerBody::own(body, record)),
        id,
    )
}

fn count(metrics: &RouteMetrics, record: &Record) {
    let took = record.upstream_time;
    let took = took.unwrap_or_else(|| record.began.elapsed());
    metrics.count(record.status, record.verdict, took);
}

/// Hyphens and hexadecimal digits, which are a header value.
fn request_id_value(record: &Record) -> HeaderValue {
    let mut text = [0; TEXT_LENGTH];
    HeaderValue::from_str(record.request_id.encode(&mut text))
        .unwrap_or_else(|_| HeaderValue::from_static("-"))
}

fn with_request_id<B>(mut response: Response<B>, id: HeaderValue) -> Response<B> {
    response.headers_mut().insert(REQUEST_ID, id);
    response
}
