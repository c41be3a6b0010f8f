//! The answer of a service on its way to the client, or what is said in its place; and what is noted of
//! every answer.

use axum::body::Body;
use http::header::ORIGIN;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};

use super::Visit;
use crate::app::answer::AnswerBody;
use crate::app::record::Record;
use crate::app::session_end::SessionEnd;
use crate::app::site::{Spot, Style};
use crate::auth::Permit;
use crate::id::TEXT_LENGTH;
use crate::listen::Connection;
use crate::metrics::requests::RouteMetrics;
use crate::proxy::{Forward, Forwarded, Tunnel, UpstreamError};
use crate::wire::problem::Problem;
use crate::wire::refusal::grpc::{self, GrpcStyle};
use crate::wire::refusal::{Cause, Refusal, RefusalStyle};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// In what form a request wants its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// As its route has it.
    Http,
    /// As a client of gRPC reads it, on every route.
    Grpc,
}

impl Answers {
    pub(super) fn to<B>(request: &Request<B>) -> Self {
        if grpc::is_call(request.version(), request.headers()) {
            Self::Grpc
        } else {
            Self::Http
        }
    }

    pub(super) fn style(self, spot: Option<Spot<'_>>) -> &'static dyn RefusalStyle {
        match self {
            Self::Grpc => &GrpcStyle,
            Self::Http => spot.map_or(Style::Problem, |spot| spot.style).as_dyn(),
        }
    }
}

/// The `Origin` of a request, where its answer is to be shared with pages of other origins.
pub(super) struct Asked(Option<HeaderMap>);

impl Asked {
    pub(super) fn of<B>(spot: Spot<'_>, request: &Request<B>) -> Self {
        let origins = request.headers().get_all(ORIGIN).iter();
        Self(
            spot.cors()
                .map(|_| origins.map(|origin| (ORIGIN, origin.clone())).collect()),
        )
    }

    fn share(&self, spot: Spot<'_>, headers: &mut HeaderMap) {
        if let (Some(asked), Some(cors)) = (&self.0, spot.cors()) {
            cors.share_anew(asked, headers);
        }
    }
}

/// A permitted request on its way to its upstream.
pub(super) struct Answering<'a> {
    pub(super) visit: Visit<'a>,
    pub(super) spot: Spot<'a>,
    pub(super) asked: Asked,
    pub(super) answers: Answers,
    pub(super) record: Box<Record>,
    /// For the upstream and for the client: written once.
    pub(super) request_id: HeaderValue,
    pub(super) connection: &'a Connection,
}

impl Answering<'_> {
    pub(super) async fn forward(
        mut self,
        permit: Permit,
        forward: Forward,
    ) -> Response<AnswerBody> {
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
        self.asked.share(self.spot, response.headers_mut());
        self.record.status = Some(response.status());
        count(&self.spot.stop.metrics, response.status(), &self.record);
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
                self.asked.share(self.spot, response.headers_mut());
                return finish(response, &self.spot.stop.metrics, self.record);
            }
        };
        let mut response = refusal
            .of_request(id)
            .respond(self.answers.style(Some(self.spot)));
        self.asked.share(self.spot, response.headers_mut());
        finish(response, &self.spot.stop.metrics, self.record)
    }
}

pub(super) fn finish(
    response: Response<Body>,
    metrics: &RouteMetrics,
    mut record: Box<Record>,
) -> Response<AnswerBody> {
    let (parts, body) = response.into_parts();
    record.answered_here(parts.status);
    count(metrics, parts.status, &record);
    let id = request_id_value(&record);
    with_request_id(
        Response::from_parts(parts, AnswerBody::own(body, record)),
        id,
    )
}

fn count(metrics: &RouteMetrics, status: StatusCode, record: &Record) {
    let took = record.upstream_time;
    let took = took.unwrap_or_else(|| record.began.elapsed());
    metrics.count(status, record.verdict, took);
}

/// Hyphens and hexadecimal digits, which are a header value.
pub(super) fn request_id_value(record: &Record) -> HeaderValue {
    let mut text = [0; TEXT_LENGTH];
    HeaderValue::from_str(record.request_id.encode(&mut text))
        .unwrap_or_else(|_| HeaderValue::from_static("-"))
}

fn with_request_id<B>(mut response: Response<B>, id: HeaderValue) -> Response<B> {
    response.headers_mut().insert(REQUEST_ID, id);
    response
}
