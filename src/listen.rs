//! The listening side: pingora services, connection limits, TLS.
//!
//! Hands every decrypted connection to hyper and every request to a [`RequestHandler`]; knows nothing
//! of what that does.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

mod activity;
mod bound;
mod chassis;
mod drain;
mod gate;
mod handler;
mod http_connection;
mod redirect;
mod slots;
mod stop;
mod stream;
pub mod tls;

pub use bound::{BindError, Bound, bind};
pub use chassis::{Parts, Stopped, serve};
pub use drain::Drain;
pub use handler::{BoxError, Connection, Protocol, RequestHandler};
pub use stop::{Stop, StopTrigger};

/// Where to listen, and what a connection may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where HTTPS is served.
    pub listen: Vec<SocketAddr>,
    /// Where plain HTTP is sent to `public_url` by 308.
    pub redirect_http: Vec<SocketAddr>,
    /// The origin that clients use: `https`, a host, perhaps a port; no path.
    pub public_url: Url,
    /// Certificates, picked by SNI; none: a self-signed one for localhost.
    pub certificates: Vec<CertificateFiles>,
    /// How many connections at once, over all listeners.
    pub max_connections: u32,
    /// How many connections at once from one client address.
    pub max_connections_per_address: u32,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// How long the head of a request may take.
    pub header_timeout: Duration,
    /// How long a connection may be idle between requests, and how long a client may take nothing of
    /// an answer that waits for it.
    pub idle_timeout: Duration,
    /// How long requests in flight may go on after SIGTERM.
    pub drain_timeout: Duration,
    /// Worker threads of the gateway; the number of cores where it is not given.
    pub threads: usize,
}

/// A certificate chain and its key, as PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, the leaf first.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}
