//! Refusals: the one place where a "no" becomes a response.
//!
//! A face or a dialect chooses the body by its [`RefusalStyle`]; what must be in every refusal,
//! whatever its body, is added here.

use std::time::Duration;

use axum::body::Body;
use axum::response::IntoResponse;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use crate::auth::{Denial, Unauthenticated};
use crate::id::RequestId;
use crate::limit::Limited;
use crate::request::BadRequest;
use crate::wire::cookie::Cookie;
use crate::wire::problem::Problem;
use crate::wire::rate_limit::{self, Form, whole_seconds};

pub mod grpc;

/// What a client may know of why it is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// 400 or 421: the request could be read in two ways.
    BadRequest(BadRequest),
    /// 400: in other letter case the path belongs to another route.
    PathCase,
    /// 401.
    Unauthenticated(Shown),
    /// 403: the credential holds, but it is not enough.
    Forbidden,
    /// 403: made by a page of another origin.
    CrossOrigin,
    /// 404: no such route.
    NotFound,
    /// 405: with the methods that are welcome.
    MethodNotAllowed(Vec<Method>),
    /// 413: more body than is welcome.
    BodyTooLarge,
    /// 429: it comes too soon.
    TooManyRequests(Limited),
    /// 502: the upstream did not answer as it should.
    BadGateway,
    /// 503: something that we need is away.
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// 504: the upstream did not answer in time.
    GatewayTimeout,
}

/// Whether a refused request showed a token, which is what its challenge tells (RFC 6750 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// None that could be one of ours.
    Nothing,
    /// One, or several, which do not hold.
    Token,
    /// An API key, which does not hold: nothing that could be refreshed.
    Key,
}

/// A refusal on its way to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    cause: Cause,
    request_id: Option<RequestId>,
    cookies: Vec<Cookie>,
}

/// How a face or a dialect words its refusals.
pub trait RefusalStyle {
    /// The body with its content type, and the status: that of the refusal, unless the style has
    /// another answer, such as a redirect to the sign-in page for a 401.
    fn render(&self, refusal: &Refusal) -> Response<Body>;
}

/// Problem bodies (RFC 9457): the style of all that has no other.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProblemStyle;

impl RefusalStyle for ProblemStyle {
    fn render(&self, refusal: &Refusal) -> Response<Body> {
        Problem::new(refusal.status(), refusal.code())
            .detail(refusal.detail())
            .request_id(refusal.request_id)
            .into_response()
    }
}

impl From<Cause> for Refusal {
    fn from(cause: Cause) -> Self {
        Self {
            cause,
            request_id: None,
            cookies: Vec::new(),
        }
    }
}

impl From<BadRequest> for Refusal {
    fn from(bad: BadRequest) -> Self {
        Cause::BadRequest(bad).into()
    }
}

impl From<&Denial> for Refusal {
    fn from(denial: &Denial) -> Self {
        match denial {
            Denial::Unauthenticated(reason) => Cause::Unauthenticated(shown(*reason)),
            Denial::Forbidden { unmet: _ } => Cause::Forbidden,
            Denial::CrossOrigin => Cause::CrossOrigin,
            Denial::Unavailable {
                what: _,
                retry_after,
            } => Cause::Unavailable {
                retry_after: *retry_after,
            },
        }
        .into()
    }
}

const fn shown(reason: Unauthenticated) -> Shown {
    match reason {
        Unauthenticated::NoCredential | Unauthenticated::ForeignScheme => Shown::Nothing,
        Unauthenticated::Ambiguous | Unauthenticated::Token(_) | Unauthenticated::Revoked => {
            Shown::Token
        }
        Unauthenticated::ApiKey(_) => Shown::Key,
    }
}

impl Refusal {
    /// The same, for the request that the logs know by this name.
    #[must_use]
    pub fn of_request(mut self, id: RequestId) -> Self {
        self.request_id = Some(id);
        self
    }

    /// The same; if it is a 401, it also clears these cookies, as they are why. No other refusal does:
    /// a store that is away is no reason to sign anybody out.
    #[must_use]
    pub fn clearing(mut self, cookies: &[Cookie]) -> Self {
        self.cookies.extend_from_slice(cookies);
        self
    }

    /// Why.
    pub const fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Which request, as the logs name it.
    pub const fn request_id(&self) -> Option<RequestId> {
        self.request_id
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        match &self.cause {
            Cause::BadRequest(bad) => bad.status(),
            Cause::PathCase => StatusCode::BAD_REQUEST,
            Cause::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Cause::Forbidden | Cause::CrossOrigin => StatusCode::FORBIDDEN,
            Cause::NotFound => StatusCode::NOT_FOUND,
            Cause::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Cause::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Cause::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Cause::BadGateway => StatusCode::BAD_GATEWAY,
            Cause::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Cause::GatewayTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// A word for programs.
    pub const fn code(&self) -> &'static str {
        match &self.cause {
            Cause::BadRequest(bad) => bad.reason(),
            Cause::PathCase => "ambiguous_path",
            Cause::Unauthenticated(_) => "unauthenticated",
            Cause::Forbidden => "forbidden",
            Cause::CrossOrigin => "cross_origin",
            Cause::NotFound => "not_found",
            Cause::MethodNotAllowed(_) => "method_not_allowed",
            Cause::BodyTooLarge => "body_too_large",
            Cause::TooManyRequests(_) => "too_many_requests",
            Cause::BadGateway => "bad_gateway",
            Cause::Unavailable { .. } => "unavailable",
            Cause::GatewayTimeout => "gateway_timeout",
        }
    }

    /// A sentence for people; the same for all that must not be told apart.
    pub const fn detail(&self) -> &'static str {
        match &self.cause {
            Cause::BadRequest(_) => "The request is malformed, or could be read in two ways.",
            Cause::PathCase => "The letter case of the path is not that of the route.",
            Cause::Unauthenticated(_) => "Sign in to go on.",
            Cause::Forbidden => "You are signed in, but this is not for you.",
            Cause::CrossOrigin => "The request was made by a page of another origin.",
            Cause::NotFound => "There is nothing here.",
            Cause::MethodNotAllowed(_) => "The method is not welcome here.",
            Cause::BodyTooLarge => "The body is larger than is welcome here.",
            Cause::TooManyRequests(_) => "Too many attempts; try again later.",
            Cause::BadGateway => "The service behind the gateway did not answer as it should.",
            Cause::Unavailable { .. } => "Something that is needed is away; try again later.",
            Cause::GatewayTimeout => "The service behind the gateway did not answer in time.",
        }
    }

    /// The response: the body as `style` has it, and the headers that go with every such refusal.
    pub fn respond(&self, style: &dyn RefusalStyle) -> Response<Body> {
        let mut response = style.render(self);
        let status = response.status();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == self.status() {
            self.add_status_headers(headers);
        }
        if matches!(self.cause, Cause::Unauthenticated(_)) {
            for cookie in &self.cookies {
                headers.append(header::SET_COOKIE, cookie.clear());
            }
        }
        response
    }

    /// What the status asks for: the challenge of a 401 (RFC 9110 §11.6.1), the `Allow` of a 405
    /// (§15.5.6), the `Retry-After` of a 429 and a 503.
    fn add_status_headers(&self, headers: &mut HeaderMap) {
        if let Some(challenge) = self.challenge() {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(challenge),
            );
        }
        if let Cause::MethodNotAllowed(methods) = &self.cause {
            let names: Vec<_> = methods.iter().map(Method::as_str).collect();
            // Methods are tokens, which are always good in a header.
            let allowed = HeaderValue::try_from(names.join(", "));
            headers.extend(allowed.ok().map(|value| (header::ALLOW, value)));
        }
        if let Cause::TooManyRequests(limited) = &self.cause
            && !headers.contains_key(header::RETRY_AFTER)
        {
            // A dialect that has said it in its own form has said it.
            rate_limit::add(headers, limited, Form::Standard);
        }
        if let Cause::Unavailable { retry_after } = self.cause {
            headers.insert(header::RETRY_AFTER, whole_seconds(retry_after).into());
        }
    }

    /// The challenge of RFC 6750 §3. Why a token does not hold, it never says.
    const fn challenge(&self) -> Option<&'static str> {
        match &self.cause {
            Cause::Unauthenticated(Shown::Nothing) => Some(r#"Bearer realm="doorward""#),
            Cause::Unauthenticated(Shown::Token | Shown::Key) => {
                Some(r#"Bearer realm="doorward", error="invalid_token""#)
            }
            Cause::Forbidden => Some(r#"Bearer realm="doorward", error="insufficient_scope""#),
            Cause::BadRequest(_)
            | Cause::PathCase
            | Cause::CrossOrigin
            | Cause::NotFound
            | Cause::MethodNotAllowed(_)
            | Cause::BodyTooLarge
            | Cause::TooManyRequests(_)
            | Cause::BadGateway
            | Cause::Unavailable { .. }
            | Cause::GatewayTimeout => None,
        }
    }
}

#[cfg(test)]
mod tests;
