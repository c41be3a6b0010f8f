//! Cross-origin sharing (Fetch standard §3.2) for an exact list of origins.
//!
//! Only a listed origin is echoed, never `*` and never "whoever asks": answers here carry credentials.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// Which origins may read answers.
#[derive(Clone, Debug, Default)]
pub struct Cors {
    allowed: Arc<[HeaderValue]>,
}

impl Cors {
    const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
    const HEADERS: HeaderValue =
        HeaderValue::from_static("content-type, authorization, x-csrf-token");

    /// Sharing with these origins.
    pub fn new(allowed: Vec<HeaderValue>) -> Self {
        Self {
            allowed: allowed.into(),
        }
    }

    /// Tells the browser whether the page that sent `asked` may read the answer with `headers`.
    ///
    /// `Vary` goes even with an answer that is not shared: a cache must not give it to another origin.
    pub fn share(&self, asked: &HeaderMap, headers: &mut HeaderMap) {
        headers.append(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.allowed_origin(asked) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let credentials = HeaderValue::from_static("true");
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials);
        }
    }

    /// The answer to a preflight: 204, which allows nothing unless its headers say so.
    fn preflight(&self, asked: &HeaderMap) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        self.share(asked, headers);
        if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, Self::METHODS);
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, Self::HEADERS);
        }
        response
    }

    /// The origin of the page that asks, if it is listed; two `Origin` headers are none.
    fn allowed_origin(&self, asked: &HeaderMap) -> Option<HeaderValue> {
        let mut shown = asked.get_all(ORIGIN).iter();
        match (shown.next(), shown.next()) {
            (Some(origin), None) => self.allowed.iter().find(|one| *one == origin).cloned(),
            (None, _) | (Some(_), Some(_)) => None,
        }
    }
}

/// The layer around a router: answers preflights, and shares what the router answers.
pub(super) async fn layer(State(cors): State<Cors>, request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        return cors.preflight(request.headers());
    }
    let asked = request.headers().clone();
    let mut response = next.run(request).await;
    cors.share(&asked, response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_listed_origin_is_echoed() {
        let cors = Cors::new(vec![HeaderValue::from_static("https://app.test")]);
        let check = |origins: &[&'static str], expected: Option<&str>| {
            let mut asked = HeaderMap::new();
            for origin in origins {
                asked.append(ORIGIN, HeaderValue::from_static(origin));
            }
            let mut headers = HeaderMap::new();
            cors.share(&asked, &mut headers);
            let echoed = headers.get(ACCESS_CONTROL_ALLOW_ORIGIN);
            assert_eq!(
                echoed.map(HeaderValue::as_bytes),
                expected.map(str::as_bytes)
            );
            let credentials = headers.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS);
            assert_eq!(credentials, expected.is_some(), "{origins:?}");
            assert_eq!(headers[VARY], "Origin");
        };
        check(&["https://app.test"], Some("https://app.test"));
        check(&[], None);
        check(&["null"], None);
        check(&["http://app.test"], None);
        check(&["https://app.test:444"], None);
        check(&["https://app.test.evil.test"], None);
        check(&["https://app.test", "https://app.test"], None);
    }
}
