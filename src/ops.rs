//! For operators: whether the gateway lives, whether it is ready, what it has counted.
//!
//! Served on a listener of its own, which is not for clients: the answers name what is not ready.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;

use crate::metrics::Metrics;

/// What is not ready, as fixed words (`sessions`, `users`, `draining`, …); nothing: ready.
type Unready = Box<dyn Fn() -> Vec<&'static str> + Send + Sync>;

/// The answers of `/healthz`, `/readyz` and `/metrics`.
pub struct Ops {
    metrics: Arc<Metrics>,
    unready: Unready,
}

impl Ops {
    /// `unready` says what is not ready; it is asked for each `/readyz`, so it looks at what is known
    /// already and asks nobody.
    pub fn new(
        metrics: Arc<Metrics>,
        unready: impl Fn() -> Vec<&'static str> + Send + Sync + 'static,
    ) -> Self {
        Self {
            metrics,
            unready: Box::new(unready),
        }
    }

    /// Answers a request. That of `HEAD` has a body too, which the connection leaves out
    /// (RFC 9110 §9.3.2).
    pub fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        let page = match path {
            "/healthz" => Page::text("alive\n"),
            "/readyz" => self.readiness(),
            "/metrics" => self.metrics(),
            _ => {
                Page::text("there is /healthz, /readyz and /metrics\n").with(StatusCode::NOT_FOUND)
            }
        };
        if method != Method::GET && method != Method::HEAD {
            let mut refusal = Page::text("")
                .with(StatusCode::METHOD_NOT_ALLOWED)
                .response();
            let allowed = HeaderValue::from_static("GET, HEAD");
            refusal.headers_mut().insert(ALLOW, allowed);
            return refusal;
        }
        page.response()
    }

    fn readiness(&self) -> Page {
        let unready = (self.unready)();
        let status = if unready.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let body = json!({ "ready": unready.is_empty(), "unready": unready });
        Page {
            status,
            kind: "application/json",
            body: format!("{body}\n"),
        }
    }

    fn metrics(&self) -> Page {
        match self.metrics.encode() {
            Ok(body) => Page {
                status: StatusCode::OK,
                kind: "application/openmetrics-text; version=1.0.0; charset=utf-8",
                body,
            },
            Err(fmt::Error) => Page::text("").with(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

impl fmt::Debug for Ops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ops").finish_non_exhaustive()
    }
}

struct Page {
    status: StatusCode,
    kind: &'static str,
    body: String,
}

impl Page {
    fn text(body: &str) -> Self {
        Self {
            status: StatusCode::OK,
            kind: "text/plain; charset=utf-8",
            body: body.to_owned(),
        }
    }

    fn with(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    fn response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body.into()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn ask(unready: &[&'static str], method: Method, path: &str) -> (StatusCode, String) {
        let unready = unready.to_vec();
        let ops = Ops::new(Arc::new(Metrics::new()), move || unready.clone());
        let (head, body) = ops.answer(&method, path).into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readiness_names_what_is_missing_and_liveness_does_not_care() {
        let (status, body) = ask(&["sessions", "draining"], Method::GET, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            body,
            "{\"ready\":false,\"unready\":[\"sessions\",\"draining\"]}\n"
        );
        let (status, body) = ask(&[], Method::GET, "/readyz").await;
        assert_eq!((status, body.contains("true")), (StatusCode::OK, true));
        let (status, _) = ask(&["sessions"], Method::GET, "/healthz").await;
        assert_eq!(status, StatusCode::OK);
    }

    #[tokio::test]
    async fn metrics_are_served_and_nothing_else() {
        let (status, body) = ask(&[], Method::GET, "/metrics").await;
        assert!(status.is_success() && body.ends_with("# EOF\n"), "{body}");
        let check = async |method: Method, path: &str, expected: u16| {
            let (status, _) = ask(&[], method, path).await;
            assert_eq!(status.as_u16(), expected, "{path}");
        };
        check(Method::HEAD, "/healthz", 200).await;
        check(Method::POST, "/metrics", 405).await;
        check(Method::GET, "/", 404).await;
        check(Method::GET, "/metrics/", 404).await;
    }
}
