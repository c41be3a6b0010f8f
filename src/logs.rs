//! Logs: the operator's messages on standard error, and lines of JSON on standard output or in files.
//!
//! What an access line says is in [`access`]; what an audit line says, in [`audit`](crate::audit).

use std::path::PathBuf;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

pub mod access;
mod json;
pub mod line_log;

pub use access::AccessRecord;
pub use line_log::{LineLog, LineSeal};

/// Where a syslog server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyslogServer {
    /// On a local datagram socket, such as `/dev/log`.
    Unix(PathBuf),
    /// On this host and port, for datagrams.
    Udp(String),
    /// On this host and port, for a stream.
    Tcp(String),
}

/// Where a log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// Standard output.
    Stdout,
    /// The end of this file, which may be moved away at any time: a new one is begun.
    File(PathBuf),
    /// A syslog server.
    Syslog(SyslogServer),
    /// Nowhere.
    Off,
}

/// What is told when nothing else is asked for: our own messages, and only the worries of pingora,
/// which tells each service that it starts.
const DEFAULT_FILTER: &str = "info,pingora_core=warn,pingora_runtime=warn,sqlx=warn";

/// Why the operator's messages cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum TracingError {
    /// The filter has a mistake in it.
    #[error("the log filter has a mistake: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// It was done before.
    #[error("messages have a place to go already: {0}")]
    Twice(#[from] TryInitError),
}

/// Sends the operator's messages, and those of crates that use `log`, to standard error: standard
/// output may be a log. `filter` as in `RUST_LOG` (`debug`, `doorward=debug,hyper=info`, …).
pub fn init_tracing(filter: Option<&str>) -> Result<(), TracingError> {
    let filter = EnvFilter::try_new(filter.unwrap_or(DEFAULT_FILTER))?;
    let messages = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false);
    tracing_subscriber::registry()
        .with(filter)
        .with(messages)
        .try_init()?;
    Ok(())
}
