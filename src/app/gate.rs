//! The gate: the way of every request, from its head to its answer.
//!
//! Reads the head, finds the route, has the core judge, and then either forwards, or hands over to an
//! endpoint of ours, or refuses. Each of these lives elsewhere; only their order is decided here.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::header::{CONTENT_LENGTH, STRICT_TRANSPORT_SECURITY};
use http::request;
use http::{Request, Response};
use tower::ServiceExt as _;

use self::answering::{Answering, Answers, Asked, finish, request_id_value};
use self::way::Way;
use super::answer::AnswerBody;
use super::record::Record;
use super::serving::{Current, Serving};
use super::site::{Endpoints, Stop};
use crate::auth::Auth;
use crate::clock::SharedClock;
use crate::id::RequestId;
use crate::listen::{Connection, RequestHandler};
use crate::logs::LineLog;
use crate::metrics::requests::Verdict;
use crate::proxy::Forward;
use crate::wire::context::RequestContext;
use crate::wire::problem::Problem;
use crate::wire::request_body::RequestBody;

mod answering;
mod way;

/// How long an endpoint of ours may take, the reading of a small body included. Longer than any store
/// or hash may take, so that those say themselves what is wrong.
const OWN_TIMEOUT: Duration = Duration::from_secs(30);

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

impl Gate {
    /// The gate over these parts.
    pub const fn new(parts: Parts) -> Self {
        Self { parts }
    }
}

impl Visit<'_> {
    async fn answer(
        self,
        request: Request<RequestBody>,
        connection: &Connection,
    ) -> Response<AnswerBody> {
        let (parts, body) = request.into_parts();
        let mut record = self.record(&parts, connection);
        let way = self.find_way(&parts, connection, &mut record);
        let request = Request::from_parts(parts, body);
        match way {
            Way::Forward {
                spot,
                permit,
                path,
                upstream,
            } => {
                note_stop(&mut record, spot.stop);
                let request_id = request_id_value(&record);
                let asked = Asked::of(spot, &request);
                let answers = Answers::to(&request);
                let forward = Forward {
                    request,
                    path,
                    client: record.client,
                    request_id: request_id.clone(),
                    upstream: upstream.0,
                    credentials: upstream.1,
                    key_header: spot
                        .neighbour
                        .and_then(|neighbour| neighbour.key_header.clone()),
                };
                let answer = Answering {
                    visit: self,
                    spot,
                    asked,
                    answers,
                    record,
                    request_id,
                    connection,
                };
                answer.forward(permit, forward).await
            }
            Way::Own {
                spot,
                endpoints,
                context,
            } => {
                note_stop(&mut record, spot.stop);
                let response = self.own(endpoints, request, context).await;
                finish(response, &spot.stop.metrics, record)
            }
            Way::Preflight { spot, response } => {
                note_stop(&mut record, spot.stop);
                finish(response, &spot.stop.metrics, record)
            }
            Way::Refused {
                spot,
                refusal,
                verdict,
            } => {
                if let Some(spot) = spot {
                    note_stop(&mut record, spot.stop);
                }
                (record.verdict, record.reason) = verdict;
                let style = Answers::to(&request).style(spot);
                let mut response = refusal.of_request(record.request_id).respond(style);
                if let Some(cors) = spot.and_then(|spot| spot.cors()) {
                    cors.share(request.headers(), response.headers_mut());
                }
                let metrics = spot.map_or(&self.serving.site.unmatched, |spot| &spot.stop.metrics);
                finish(response, metrics, record)
            }
        }
    }

    async fn own(
        self,
        endpoints: Endpoints,
        mut request: Request<RequestBody>,
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
            status: None,
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

impl RequestHandler for Gate {
    type Body = AnswerBody;

    async fn handle(
        &self,
        request: Request<RequestBody>,
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

fn note_stop(record: &mut Record, stop: &Stop) {
    record.route = Some(Arc::clone(&stop.name));
}
