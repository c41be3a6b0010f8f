//! Plain HTTP: sends everybody to the HTTPS origin, and serves nothing else.

use crate::wire::request_body::RequestBody;
use bytes::Bytes;
use http::header::{CONNECTION, LOCATION};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::Empty;
use std::sync::Arc;
use url::Url;

use super::handler::{Connection, RequestHandler};

/// Answers 308 with the same path and query at the public origin.
#[derive(Debug)]
pub(super) struct Redirect {
    origin: String,
}

impl Redirect {
    pub(super) fn to(public_url: &Url) -> Self {
        Self {
            origin: public_url.origin().ascii_serialization(),
        }
    }

    /// Where `uri` lives at the public origin; never built from the `Host` that the client sends, or
    /// whoever gets a link clicked could send visitors anywhere. Only of requests in origin form
    /// (RFC 9112 §3.2.1).
    fn location(&self, uri: &Uri) -> Option<HeaderValue> {
        if uri.scheme().is_some() || uri.authority().is_some() {
            return None;
        }
        let target = uri.path_and_query()?.as_str();
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        if !target.starts_with('/') || !target.bytes().all(plain) {
            return None;
        }
        HeaderValue::try_from(format!("{}{target}", self.origin)).ok()
    }

    fn answer(&self, uri: &Uri) -> Response<Empty<Bytes>> {
        let mut response = Response::new(Empty::new());
        match self.location(uri) {
            Some(location) => {
                *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
                response.headers_mut().insert(LOCATION, location);
            }
            None => *response.status_mut() = StatusCode::BAD_REQUEST,
        }
        // The client's next request goes elsewhere.
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

impl RequestHandler for Redirect {
    type Body = Empty<Bytes>;

    async fn handle(
        &self,
        request: Request<RequestBody>,
        _connection: &Arc<Connection>,
    ) -> Response<Self::Body> {
        self.answer(request.uri())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_stay_and_the_origin_is_ours() {
        let check = |public: &str, target: &str, expected: Option<&str>| {
            let redirect = Redirect::to(&public.parse().unwrap());
            let response = redirect.answer(&target.parse().unwrap());
            let location = response.headers().get(LOCATION);
            assert_eq!(location.map(|l| l.to_str().unwrap()), expected, "{target}");
            let status = match expected {
                Some(_) => StatusCode::PERMANENT_REDIRECT,
                None => StatusCode::BAD_REQUEST,
            };
            assert_eq!(response.status(), status, "{target}");
        };
        let origin = "https://gw.example.com";
        check(origin, "/", Some("https://gw.example.com/"));
        check(origin, "/a?b=c%0d", Some("https://gw.example.com/a?b=c%0d"));
        check(
            origin,
            "//evil.example",
            Some("https://gw.example.com//evil.example"),
        );
        check(
            "https://gw.example.com:8443",
            "/a",
            Some("https://gw.example.com:8443/a"),
        );
        check(origin, "http://evil.example/a", None);
        check(origin, "evil.example:443", None);
        check(origin, "*", None);
        check(origin, "/a\\b", None);
    }
}
