//! The certificates that are served, which of them a client gets, and how they are read again.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::certificate::{Certificate, CertificateError};
use crate::clock::SharedClock;
use crate::listen::CertificateFiles;
use crate::metrics::connections::ConnectionMetrics;

/// A look at a file costs microseconds; a second is less than whoever replaced it waits.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The certificates that are served.
pub(super) struct Certificates {
    current: ArcSwap<ByName>,
    provider: CryptoProvider,
    clock: SharedClock,
    metrics: ConnectionMetrics,
    watched: Mutex<Vec<Watched>>,
}

impl Certificates {
    pub(super) fn load(
        files: Vec<CertificateFiles>,
        provider: &CryptoProvider,
        clock: SharedClock,
        metrics: ConnectionMetrics,
    ) -> Result<Self, CertificateError> {
        let watched = files
            .into_iter()
            .map(|files| Watched::load(files, provider))
            .collect::<Result<Vec<_>, _>>()?;
        let certificates = Self {
            current: ArcSwap::from_pointee(ByName::of(&watched)),
            provider: provider.clone(),
            clock,
            metrics,
            watched: Mutex::default(),
        };
        for one in &watched {
            certificates.tell_end(one);
        }
        *certificates.watched.lock() = watched;
        Ok(certificates)
    }

    /// Looks at the files again and again.
    pub(super) async fn watch(self: &Arc<Self>) {
        let mut rounds = tokio::time::interval(LOOK_EVERY);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            let certificates = Arc::clone(self);
            // Files may lie on a network.
            let looked = tokio::task::spawn_blocking(move || certificates.look()).await;
            if let Err(error) = looked {
                tracing::error!(%error, "looking after the certificates failed");
            }
        }
    }

    /// Reads again what has changed, and serves with it if it is good.
    pub(super) fn look(&self) {
        let mut watched = self.watched.lock();
        let mut renewed = false;
        for one in watched.iter_mut() {
            renewed |= self.look_at(one);
        }
        if renewed {
            self.current.store(Arc::new(ByName::of(&watched)));
        }
    }

    /// The leaf that who asks for `name` is shown.
    #[cfg(test)]
    pub(super) fn shown_to(
        &self,
        name: &str,
    ) -> Option<rustls::pki_types::CertificateDer<'static>> {
        let found = self.current.load().find(Some(name))?;
        found.cert.first().cloned()
    }

    fn look_at(&self, one: &mut Watched) -> bool {
        let seen = Seen::now(&one.files);
        if seen == one.seen {
            return false;
        }
        // Also when it is no good: it is told once, and looked at again when it changes again.
        one.seen = seen;
        match Certificate::load(&one.files, &self.provider) {
            Ok(certificate) => {
                one.certificate = certificate;
                self.tell_renewal(one);
                true
            }
            Err(error) => {
                self.tell_failure(&error);
                false
            }
        }
    }

    fn tell_renewal(&self, one: &Watched) {
        self.metrics.certificate_reloads.inc();
        tracing::info!(certificate = %one.files.cert.display(), "certificate renewed");
        self.tell_end(one);
    }

    fn tell_failure(&self, error: &CertificateError) {
        self.metrics.certificate_reload_failures.inc();
        tracing::warn!("a certificate changed and cannot be used, the old one stays: {error}");
    }

    fn tell_end(&self, one: &Watched) {
        let end = one.certificate.facts.not_after;
        let file = one.files.cert.display();
        self.metrics
            .certificate_ends(file.to_string(), end.as_seconds());
        if end <= self.clock.now() {
            tracing::warn!(certificate = %file, ended = %end, "this certificate has ended");
        }
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current.load().find(hello.server_name())
    }
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}

/// A certificate, and what its files looked like when it was read.
#[derive(Debug)]
struct Watched {
    files: CertificateFiles,
    seen: Seen,
    certificate: Certificate,
}

impl Watched {
    fn load(files: CertificateFiles, provider: &CryptoProvider) -> Result<Self, CertificateError> {
        // Looked at before it is read: a change in between is seen in the next round.
        let seen = Seen::now(&files);
        let certificate = Certificate::load(&files, provider)?;
        Ok(Self {
            files,
            seen,
            certificate,
        })
    }
}

/// What two files look like from outside. Symbolic links are followed, since Kubernetes renews a
/// mounted secret by pointing a link at another directory.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    cert: Option<Stamp>,
    key: Option<Stamp>,
}

#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl Seen {
    fn now(files: &CertificateFiles) -> Self {
        Self {
            cert: stamp(&files.cert).ok(),
            key: stamp(&files.key).ok(),
        }
    }
}

fn stamp(file: &Path) -> io::Result<Stamp> {
    let metadata = fs::metadata(file)?;
    Ok(Stamp {
        device: metadata.dev(),
        inode: metadata.ino(),
        bytes: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
    })
}

/// Which certificate answers to which name.
#[derive(Debug, Default)]
struct ByName {
    /// Keyed by the name; that of a wildcard without its `*`, so that it begins with a dot.
    names: HashMap<String, Arc<CertifiedKey>>,
    /// The first one: for clients that name nothing, or a name that is nobody's.
    first: Option<Arc<CertifiedKey>>,
}

impl ByName {
    /// Where two certificates have the same name, the one that was configured first has it.
    fn of(watched: &[Watched]) -> Self {
        let mut by_name = Self::default();
        for Watched { certificate, .. } in watched {
            by_name
                .first
                .get_or_insert_with(|| Arc::clone(&certificate.key));
            for name in &certificate.facts.names {
                let key = name.strip_prefix('*').unwrap_or(name);
                by_name
                    .names
                    .entry(key.to_owned())
                    .or_insert_with(|| Arc::clone(&certificate.key));
            }
        }
        by_name
    }

    /// The exact name before the wildcard, which stands for one label (RFC 6125 §6.4.3).
    fn find(&self, asked: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let found = asked.and_then(|name| {
            let name = name.to_ascii_lowercase();
            let wildcard = name.find('.').and_then(|dot| name.get(dot..));
            self.names
                .get(&name)
                .or_else(|| self.names.get(wildcard?))
                .cloned()
        });
        found.or_else(|| self.first.clone())
    }
}
