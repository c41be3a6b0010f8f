//! One certificate and its key, read from files and held against each other.

use std::io;
use std::path::{Path, PathBuf};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::clock::Timestamp;
use crate::listen::CertificateFiles;

/// A certificate that cannot be served with.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub struct CertificateError {
    /// The file to look at.
    pub file: PathBuf,
    /// What is wrong.
    #[source]
    pub problem: Problem,
}

/// What is wrong with a certificate or a key.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// The file is not PEM.
    #[error("is not PEM: {0}")]
    NotPem(#[source] pem::Error),
    /// There is no `CERTIFICATE` in it.
    #[error("holds no certificate")]
    NoCertificate,
    /// There is no `PRIVATE KEY` in it.
    #[error("holds no private key")]
    NoKey,
    /// The leaf is not an X.509 certificate that can be read.
    #[error("holds a certificate that cannot be read: {0}")]
    BadCertificate(String),
    /// The key is of a kind that is not supported, or broken.
    #[error("holds a private key that cannot be used: {0}")]
    BadKey(#[source] rustls::Error),
    /// The key is that of another certificate.
    #[error("is not the key of the certificate in {}", .0.display())]
    Mismatch(PathBuf),
}

/// A certificate that can be served with.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) key: std::sync::Arc<CertifiedKey>,
    pub(super) facts: Facts,
}

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// The DNS names, in lower case; the first label may be `*`.
    pub(super) names: Vec<String>,
    /// When it ends.
    pub(super) not_after: Timestamp,
}

impl Certificate {
    pub(super) fn load(
        files: &CertificateFiles,
        provider: &CryptoProvider,
    ) -> Result<Self, CertificateError> {
        Self::read(files, provider, |path| std::fs::read(path))
    }

    fn read(
        files: &CertificateFiles,
        provider: &CryptoProvider,
        read: impl Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Self, CertificateError> {
        let at_cert = |problem| CertificateError {
            file: files.cert.clone(),
            problem,
        };
        let at_key = |problem| CertificateError {
            file: files.key.clone(),
            problem,
        };
        let text = read(&files.cert).map_err(Problem::Unreadable);
        let chain = text.and_then(|text| read_chain(&text)).map_err(at_cert)?;
        let leaf = chain
            .first()
            .ok_or_else(|| at_cert(Problem::NoCertificate))?;
        let facts = facts(leaf).map_err(at_cert)?;
        let text = read(&files.key).map_err(Problem::Unreadable);
        let text = text.map(zeroize::Zeroizing::new);
        let key = text.and_then(|text| read_key(&text)).map_err(at_key)?;
        let key = provider
            .key_provider
            .load_private_key(key)
            .map_err(|error| at_key(Problem::BadKey(error)))?;
        let key = CertifiedKey::new(chain, key);
        key.keys_match()
            .map_err(|_mismatch| at_key(Problem::Mismatch(files.cert.clone())))?;
        Ok(Self {
            key: key.into(),
            facts,
        })
    }
}

/// Whether these files can be served with. `read` reads one of them.
pub fn check(
    files: &CertificateFiles,
    read: impl Fn(&Path) -> io::Result<Vec<u8>>,
) -> Result<(), CertificateError> {
    Certificate::read(files, &aws_lc_rs::default_provider(), read).map(drop)
}

fn read_chain(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Problem> {
    CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(Problem::NotPem)
}

fn read_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, Problem> {
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        pem::Error::NoItemsFound => Problem::NoKey,
        error => Problem::NotPem(error),
    })
}

/// Reads what `leaf` says of itself. Names only from the subject alternative names: the common name
/// counts for nothing since RFC 6125 §6.4.4.
pub(super) fn facts(leaf: &CertificateDer<'_>) -> Result<Facts, Problem> {
    let unreadable = |error: String| Problem::BadCertificate(error);
    let (_, leaf) =
        X509Certificate::from_der(leaf).map_err(|error| unreadable(error.to_string()))?;
    let alternative = leaf
        .subject_alternative_name()
        .map_err(|error| unreadable(error.to_string()))?;
    let names = alternative
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _not_asked_for_by_sni => None,
        })
        .collect();
    Ok(Facts {
        names,
        not_after: Timestamp::from_seconds(leaf.validity().not_after.timestamp()),
    })
}
