//! Whose certificates count where the gateway is the client: of services, and of issuers' key servers.

use std::io;
use std::sync::Arc;

use hyper_rustls::ConfigBuilderExt as _;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

/// Who may have signed the certificate of the other side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// The authorities that the system trusts.
    #[default]
    System,
    /// These authorities, and nobody else: whoever has one of their own need not trust all others to
    /// never sign for its names.
    Only(Vec<CertificateDer<'static>>),
}

/// Why there is nobody to trust: the operator's mistake.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The system has no trusted authorities.
    #[error("the system's certificate authorities cannot be read: {0}")]
    System(#[source] io::Error),
    /// The text holds no certificate, or one that is broken.
    #[error("no certificates in PEM")]
    NotPem,
    /// A certificate that cannot be an authority's.
    #[error("not the certificate of an authority")]
    Authority(#[source] rustls::Error),
}

impl Trust {
    /// In the authorities whose certificates are in this PEM text, each of which must be usable.
    pub fn from_pem(text: &[u8]) -> Result<Self, TrustError> {
        let certificates = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>();
        let certificates = certificates.or(Err(TrustError::NotPem))?;
        if certificates.is_empty() {
            return Err(TrustError::NotPem);
        }
        roots(&certificates)?;
        Ok(Self::Only(certificates))
    }

    /// TLS towards servers that it holds for.
    ///
    /// Reads the files of the system's authorities, where those count.
    pub fn client_config(&self) -> Result<ClientConfig, TrustError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TrustError::Authority)?;
        let builder = match self {
            Self::System => builder.with_native_roots().map_err(TrustError::System)?,
            Self::Only(certificates) => builder.with_root_certificates(roots(certificates)?),
        };
        Ok(builder.with_no_client_auth())
    }

    /// TLS that is never spoken: towards servers without it. Spares the reading of the system's files.
    pub const fn nobody() -> Self {
        Self::Only(Vec::new())
    }
}

fn roots(certificates: &[CertificateDer<'static>]) -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots
            .add(certificate.clone())
            .map_err(TrustError::Authority)?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_certificate_is_nobody_to_trust() {
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let good = rcgen::generate_simple_self_signed(["ca".to_owned()]).unwrap();
        let good = good.cert.pem();
        let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let count = |text: &str| match Trust::from_pem(text.as_bytes()) {
            Ok(Trust::Only(certificates)) => Some(certificates.len()),
            Ok(Trust::System) | Err(_) => None,
        };
        assert_eq!(count(""), None);
        assert_eq!(count("not PEM"), None);
        assert_eq!(count(&key), None);
        assert_eq!(count(junk), None);
        assert_eq!(count(&format!("{good}{junk}")), None);
        assert_eq!(count(&good), Some(1));
        assert_eq!(count(&format!("# ours\n{good}\n{good}")), Some(2));
    }
}
