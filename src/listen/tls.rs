//! TLS: versions, key exchange, certificates.
//!
//! One provider, aws-lc-rs, named explicitly: pingora brings a second one into the process, and rustls
//! refuses to choose between two by itself.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::NoServerSessionStorage;
use rustls::version::{TLS12, TLS13};

use self::store::Certificates;
use super::{CertificateFiles, Config};
use crate::clock::SharedClock;
use crate::metrics::connections::ConnectionMetrics;

mod certificate;
mod self_signed;
mod store;
#[cfg(test)]
mod tests;

pub use certificate::{CertificateError, Problem, check};

/// Why TLS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate or its key is no good.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// No self-signed certificate could be made or kept.
    #[error("no self-signed certificate could be made: {0}")]
    SelfSigned(#[source] super::BoxError),
    /// rustls does not take what we ask of it.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// TLS as it is served, and the certificates behind it.
#[derive(Debug)]
pub struct Tls {
    /// What the listening side serves with.
    pub server: Arc<ServerConfig>,
    certificates: Arc<Certificates>,
}

impl Tls {
    /// Reads the certificates of `config`. Where there is none, one for localhost and the host of
    /// `public_url` is made and kept in `directory`, with a warning.
    pub fn load(
        config: &Config,
        directory: &Path,
        clock: SharedClock,
        metrics: ConnectionMetrics,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let files = files(config, directory, &clock)?;
        let certificates = Certificates::load(files, &provider, clock, metrics)?;
        let certificates = Arc::new(certificates);
        Ok(Self {
            server: Arc::new(server(provider, Arc::clone(&certificates))?),
            certificates,
        })
    }

    /// Looks at the files of the certificates once a second, and reads again what has changed. A
    /// connection that is open keeps what it has; a file that is no good changes nothing but the log.
    ///
    /// Never resolves.
    pub async fn watch(&self) {
        self.certificates.watch().await;
    }
}

fn files(
    config: &Config,
    directory: &Path,
    clock: &SharedClock,
) -> Result<Vec<CertificateFiles>, TlsError> {
    if !config.certificates.is_empty() {
        return Ok(config.certificates.clone());
    }
    let host = config.public_url.host_str().unwrap_or("localhost");
    let files = self_signed::kept_in(directory, host, clock.now()).map_err(TlsError::SelfSigned)?;
    tracing::warn!(
        certificate = %files.cert.display(),
        "no certificate is configured: serving with a self-signed one, which no browser trusts. \
         Name a real one under [[tls.certificates]] before others use this gateway"
    );
    Ok(vec![files])
}

fn server(
    provider: Arc<CryptoProvider>,
    certificates: Arc<Certificates>,
) -> Result<ServerConfig, rustls::Error> {
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Early data can be replayed (RFC 8446 §8), and a replayed sign-in or order is not ours to risk.
    server.max_early_data_size = 0;
    // Tickets, their key changed every six hours, instead of a cache: nothing to share or to fill up.
    server.ticketer = aws_lc_rs::Ticketer::new()?;
    server.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(server)
}
