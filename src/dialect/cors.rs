//! Cross-origin sharing (Fetch standard §3.2) for an exact list of origins.
//!
//! Only a listed origin is echoed, never `*` and never "whoever asks": answers here carry credentials.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// Which origins may read answers.
#[derive(Clone, Debug)]
pub struct Cors {
    allowed: Arc<[HeaderValue]>,
    sharing: Sharing,
}

/// What a page of a listed origin may send and read, beyond what any page may.
#[derive(Clone, Debug)]
pub struct Sharing {
    /// The methods.
    pub methods: HeaderValue,
    /// The headers of requests, where a page does not say which it wants to send.
    pub headers: HeaderValue,
    /// The headers of answers that its scripts see.
    pub exposed: HeaderValue,
}

/// What is enough for most: a call with a body, a token and a CSRF token.
const USUAL: Sharing = Sharing {
    methods: HeaderValue::from_static("GET, POST"),
    headers: HeaderValue::from_static("content-type, authorization, x-csrf-token"),
    exposed: HeaderValue::from_static("retry-after, x-request-id"),
};

/// How long a browser need not ask again, in seconds; none keeps it for longer than two hours.
const PREFLIGHT_MAX_AGE: HeaderValue = HeaderValue::from_static("600");

impl Cors {
    /// Sharing with these origins.
    pub fn new(allowed: Vec<HeaderValue>) -> Self {
        Self {
            allowed: allowed.into(),
            sharing: USUAL,
        }
    }

    /// The same, with other methods and headers.
    #[must_use]
    pub fn sharing(self, sharing: Sharing) -> Self {
        Self { sharing, ..self }
    }

    /// Whether there is an origin at all that it shares with.
    pub fn is_asked_for(&self) -> bool {
        !self.allowed.is_empty()
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
            let exposed = self.sharing.exposed.clone();
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }

    /// The same for the answer of a service: what it says of sharing itself does not count, as it may be
    /// `*`, or an origin that is not listed.
    pub fn share_anew(&self, asked: &HeaderMap, headers: &mut HeaderMap) {
        for name in [
            ACCESS_CONTROL_ALLOW_CREDENTIALS,
            ACCESS_CONTROL_ALLOW_HEADERS,
            ACCESS_CONTROL_ALLOW_METHODS,
            ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS,
        ] {
            headers.remove(name);
        }
        self.share(asked, headers);
    }

    /// The answer to a preflight for a service, which alone knows what methods it has.
    pub fn preflight_of_service(&self, asked: &HeaderMap) -> Response {
        let mut response = self.preflight(asked);
        let headers = response.headers_mut();
        if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN)
            && let Some(wanted) = asked.get(ACCESS_CONTROL_REQUEST_METHOD)
        {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, wanted.clone());
        }
        response
    }

    /// The answer to a preflight: 204, which allows nothing unless its headers say so. A page of a listed
    /// origin may send the headers that it asks for: apps have their clients add some of their own.
    fn preflight(&self, asked: &HeaderMap) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        self.share(asked, headers);
        if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            let Sharing {
                methods,
                headers: sent,
                exposed: _,
            } = self.sharing.clone();
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
            let wanted = asked.get(ACCESS_CONTROL_REQUEST_HEADERS);
            headers.insert(
                ACCESS_CONTROL_ALLOW_HEADERS,
                wanted.cloned().unwrap_or(sent),
            );
            headers.insert(ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE);
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
