//! The listening sockets, bound before anything runs, so that a port in use is told at once.

use std::io;
use std::net::{SocketAddr, TcpListener};

use super::Config;

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    /// As it was configured.
    pub address: SocketAddr,
    /// What the operating system said.
    #[source]
    pub source: io::Error,
}

/// The bound sockets. Connections queue up in the kernel until [`serve`](super::serve).
#[derive(Debug)]
pub struct Bound {
    pub(super) https: Vec<OpenListener>,
    pub(super) redirect: Vec<OpenListener>,
    pub(super) ops: Vec<OpenListener>,
}

impl Bound {
    /// Where HTTPS is served; real ports, also where port 0 was asked for.
    pub fn https(&self) -> impl Iterator<Item = SocketAddr> {
        self.https.iter().map(|open| open.address)
    }

    /// Where plain HTTP is redirected.
    pub fn redirect_http(&self) -> impl Iterator<Item = SocketAddr> {
        self.redirect.iter().map(|open| open.address)
    }

    /// Where health and metrics are served.
    pub fn ops(&self) -> Option<SocketAddr> {
        self.ops.first().map(|open| open.address)
    }
}

#[derive(Debug)]
pub(super) struct OpenListener {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
}

/// Binds all addresses of `config`, and `ops` for health and metrics.
pub fn bind(config: &Config, ops: Option<SocketAddr>) -> Result<Bound, BindError> {
    Ok(Bound {
        https: open_all(&config.listen)?,
        redirect: open_all(&config.redirect_http)?,
        ops: open_all(ops.as_slice())?,
    })
}

fn open_all(addresses: &[SocketAddr]) -> Result<Vec<OpenListener>, BindError> {
    addresses
        .iter()
        .map(|&address| open(address).map_err(|source| BindError { address, source }))
        .collect()
}

fn open(address: SocketAddr) -> io::Result<OpenListener> {
    let listener = TcpListener::bind(address)?;
    // pingora hands the socket to tokio as it is, and tokio wants it so.
    listener.set_nonblocking(true)?;
    Ok(OpenListener {
        address: listener.local_addr()?,
        listener,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_told_with_its_address() {
        let taken = open(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let error = open_all(&[taken.address]).unwrap_err();
        assert_eq!(error.address, taken.address);
        assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
        let words = error.to_string();
        assert!(
            words.starts_with(&format!("cannot listen on {}: ", taken.address)),
            "{words}"
        );
    }

    #[test]
    fn port_0_becomes_a_real_one() {
        let open = open_all(&[SocketAddr::from(([127, 0, 0, 1], 0))]).unwrap();
        assert!(open.iter().all(|open| open.address.port() != 0));
    }
}
