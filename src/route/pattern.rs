//! Patterns: what a host, a path and a method must look like.
//!
//! Every pattern prints itself in the form in which it is written in `gateway.toml`. Which of several
//! patterns that fit is taken, [`table`](super::table) decides.

mod host;
mod methods;
mod path;

pub use host::HostPattern;
pub use methods::Methods;
pub use path::{PathPattern, Segment};

use crate::net::host::HostError;
use crate::path::PathError;

/// Why a text is not a pattern. It is the operator's mistake, so it says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The path could never be that of a request.
    #[error("the path {0}; requests with such a path are refused before they are routed")]
    Path(#[from] PathError),
    /// A star beside other text in a segment.
    #[error(
        "a star stands alone in its segment: `*` for one segment, `**` for all that follow, `%2A` for \
         the character itself"
    )]
    StarInText,
    /// `**` before the end.
    #[error("`**` stands only at the end of a path; `*` is for one segment in the middle")]
    RestNotLast,
    /// The host could never be that of a request.
    #[error(
        "the host {0}; write a name such as `example.com` or `*.example.com`, without a scheme"
    )]
    Host(#[from] HostError),
    /// A host with a port.
    #[error("a host is matched without its port; leave the port out")]
    HostPort,
    /// A host in another script.
    #[error("a host is written in punycode, as clients send it: `{0}`")]
    HostNotAscii(String),
    /// A star elsewhere than in front of a host.
    #[error("a star stands only in front of a host, as in `*.example.com`")]
    HostStar,
    /// A list of methods without a method.
    #[error("the list of methods is empty; leave it out to take every method")]
    NoMethods,
    /// No method that a request could have here.
    #[error(
        "`{0}` is not a method; methods are in capitals, as in `GET`, and `CONNECT` is refused"
    )]
    Method(String),
}

#[cfg(test)]
mod tests;
