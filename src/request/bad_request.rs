//! Requests that are refused before anything of them is judged.

use http::StatusCode;

use crate::net::host::HostError;
use crate::path::PathError;

/// Why a request is refused before anything of it is judged. It is the client's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// `CONNECT`: this is no forward proxy.
    #[error("the method is CONNECT")]
    Connect,
    /// The target is no path: `*`, `host:port`, a path without its leading slash.
    #[error("the target is not a path")]
    Target,
    /// The target is of another scheme than `http` and `https`.
    #[error("the scheme of the target is not that of the web")]
    Scheme,
    /// The path could be read in two ways.
    #[error("the path {0}")]
    Path(#[from] PathError),
    /// The query holds `#`, white space or a control character.
    #[error("the query holds a number sign, white space or a control character")]
    Query,
    /// No host is named; HTTP/1.0 is no excuse.
    #[error("no host is named")]
    HostMissing,
    /// Several `Host` headers.
    #[error("there are several Host headers")]
    HostRepeated,
    /// The `Host` header is no text.
    #[error("the Host header is not text")]
    NotText,
    /// The host is malformed, or names a user.
    #[error("the host {0}")]
    Host(#[from] HostError),
    /// `Host` and the authority of the target name different places.
    #[error("Host and the authority of the target differ")]
    HostDisagrees,
    /// The body has another transfer coding than `chunked`, alone and once: without it, the next server would
    /// read other bytes than were meant.
    #[error("the body has a transfer coding other than chunked")]
    TransferCoding,
}

impl BadRequest {
    /// 421 where the request names two places, as it may have been sent to the wrong one of them
    /// (RFC 9110 §15.5.20); 501 for a transfer coding (RFC 9112 §6.1); 400 for everything else.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::HostDisagrees => StatusCode::MISDIRECTED_REQUEST,
            Self::TransferCoding => StatusCode::NOT_IMPLEMENTED,
            Self::Connect
            | Self::Target
            | Self::Scheme
            | Self::Path(_)
            | Self::Query
            | Self::HostMissing
            | Self::HostRepeated
            | Self::NotText
            | Self::Host(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// A word that clients may see and metrics may count by.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Connect => "connect_refused",
            Self::Target | Self::Scheme => "bad_target",
            Self::Path(_) => "ambiguous_path",
            Self::Query => "bad_query",
            Self::HostMissing => "host_missing",
            Self::HostRepeated | Self::NotText | Self::Host(_) => "bad_host",
            Self::HostDisagrees => "host_disagrees",
            Self::TransferCoding => "transfer_coding",
        }
    }
}
