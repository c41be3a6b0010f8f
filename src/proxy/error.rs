//! Why a request got no answer from its upstream, and why a proxy could not be made.

use std::error::Error;

use http::StatusCode;
use url::Url;

use super::upload::UploadError;
use crate::trust::TrustError;

/// Why a proxy cannot be made from its configuration: the operator's mistake.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// An upstream without servers.
    #[error("upstream {0:?} has no servers")]
    NoServers(String),
    /// A server that is no origin: no host, another scheme than `http` and `https`.
    #[error("upstream {upstream:?}: {server} is not the origin of a server")]
    NotAnOrigin {
        /// The upstream.
        upstream: String,
        /// Its server.
        server: Url,
    },
    /// There is nobody whose word on a server's certificate could count.
    #[error("upstream {upstream:?}: {source}")]
    Trust {
        /// The upstream.
        upstream: String,
        /// What is wrong.
        #[source]
        source: TrustError,
    },
}

/// Why a request got no answer from its upstream.
///
/// The sources are for the log; a client reads no more than the status.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// No connection could be made, to any server: refused, unreachable, unknown, untrusted.
    #[error("no connection to the upstream")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// No connection was made in time.
    #[error("the connection to the upstream took too long")]
    ConnectTimeout,
    /// The request was sent, or the upstream stopped reading it, and no answer came in time.
    #[error("the upstream did not answer in time")]
    ResponseTimeout,
    /// The connection was closed before the head of the answer was there.
    #[error("the upstream closed the connection before it answered")]
    ClosedEarly(#[source] hyper::Error),
    /// What came is not HTTP.
    #[error("the upstream's answer is not HTTP")]
    BadAnswer(#[source] hyper::Error),
    /// A `101` that nobody asked for, or that does not fit what was asked.
    #[error("the upstream switched protocols without being asked")]
    BadUpgrade,
    /// A WebSocket to an upstream that speaks HTTP/2.
    #[error("a WebSocket needs an upstream that speaks HTTP/1.1")]
    NoWebSocket,
    /// The head of the answer is larger than we read.
    #[error("the head of the upstream's answer is too large")]
    TooLarge,
    /// The client went away while it sent its request.
    #[error("the client went away")]
    ClientGone,
    /// The client stopped sending its request.
    #[error("the client stopped sending")]
    ClientStalled,
    /// `CONNECT` and `TRACE` are not forwarded.
    #[error("a method that is not forwarded")]
    Method,
    /// The request cannot be put together again: a mistake of ours.
    #[error("a request that cannot be sent")]
    Unsendable(#[source] http::Error),
    /// There is no such upstream: a mistake of ours.
    #[error("no such upstream")]
    Unknown,
}

impl UpstreamError {
    /// What the client gets to see of it.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Refused(_)
            | Self::ClosedEarly(_)
            | Self::BadAnswer(_)
            | Self::BadUpgrade
            | Self::TooLarge => StatusCode::BAD_GATEWAY,
            Self::ConnectTimeout | Self::ResponseTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::ClientGone => StatusCode::BAD_REQUEST,
            Self::ClientStalled => StatusCode::REQUEST_TIMEOUT,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoWebSocket => StatusCode::NOT_IMPLEMENTED,
            Self::Unsendable(_) | Self::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The word for it in logs and metrics.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Refused(_) => "connect-refused",
            Self::ConnectTimeout => "connect-timeout",
            Self::ResponseTimeout => "response-timeout",
            Self::ClosedEarly(_) => "closed-early",
            Self::BadAnswer(_) => "bad-answer",
            Self::BadUpgrade => "bad-upgrade",
            Self::NoWebSocket => "no-websocket",
            Self::TooLarge => "answer-head-too-large",
            Self::ClientGone => "client-gone",
            Self::ClientStalled => "client-stalled",
            Self::Method => "method",
            Self::Unsendable(_) => "unsendable",
            Self::Unknown => "unknown-upstream",
        }
    }
}

impl From<hyper::Error> for UpstreamError {
    fn from(error: hyper::Error) -> Self {
        match source_of::<UploadError>(&error) {
            Some(UploadError::ClientGone(_)) => Self::ClientGone,
            Some(UploadError::Stalled) => Self::ClientStalled,
            None if error.is_parse_too_large() => Self::TooLarge,
            None if error.is_parse() => Self::BadAnswer(error),
            None => Self::ClosedEarly(error),
        }
    }
}

/// The first error of type `E` in the chain of causes.
fn source_of<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}
