//! Our own issuer: the key ring, made ready for use.

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use tokio::sync::Mutex;

use super::Settings;
use crate::clock::{SharedClock, Timestamp};
use crate::keys::ring::{KeyRing, RingKey, Rotation};
use crate::keys::{KeyError, KeySource, file, watch};
use crate::secret::SecretText;
use crate::session::SessionSigner;
use crate::token::key::KeySet;
use crate::token::mint::{Claims, MadeType, Maker, MintError};
use crate::token::signing::{PrivateKey, UnusableKey};

#[derive(Debug)]
pub(super) struct OwnKeys {
    issuer: String,
    /// Exactly one.
    audience: [String; 1],
    source: KeySource,
    /// Held by whoever reads the ring to take it up.
    turn: Mutex<()>,
    ready: ArcSwap<Ready>,
}

/// In whose name a token is made, and for whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    pub(super) issuer: &'a str,
    pub(super) audience: &'a str,
    pub(super) token_type: MadeType,
}

/// A ring in the forms in which it is used.
#[derive(Debug)]
struct Ready {
    newest: Signer,
    /// Those that sign before it does, each until then.
    retiring: Vec<(Signer, Timestamp)>,
    verifying: Arc<KeySet>,
    jwks: Bytes,
    session_signer: Arc<SessionSigner>,
}

#[derive(Debug)]
struct Signer {
    kid: Box<str>,
    key: Arc<PrivateKey>,
}

impl Signer {
    fn of(key: &RingKey) -> Self {
        Self {
            kid: key.kid().into(),
            key: Arc::clone(key.private()),
        }
    }
}

impl Ready {
    fn of(ring: &KeyRing, now: Timestamp) -> Result<Self, UnusableKey> {
        let retiring = ring.retiring(now).into_iter();
        Ok(Self {
            newest: Signer::of(ring.newest()),
            retiring: retiring.map(|(key, end)| (Signer::of(key), end)).collect(),
            verifying: Arc::new(ring.verifying(now)?),
            jwks: ring.jwks(now),
            session_signer: Arc::new(ring.session_signer()),
        })
    }
}

impl Ready {
    /// The key whose turn it is to sign.
    fn signer(&self, now: Timestamp) -> &Signer {
        let mut retiring = self.retiring.iter();
        let turn = retiring.find(|(_, end)| now < *end);
        turn.map_or(&self.newest, |(signer, _)| signer)
    }
}

impl OwnKeys {
    pub(super) fn open(settings: Settings, now: Timestamp) -> Result<Self, KeyError> {
        let ring = file::open(&settings.keys, settings.algorithm, now)?;
        Ok(Self {
            issuer: settings.issuer,
            audience: [settings.audience],
            source: settings.keys,
            turn: Mutex::default(),
            ready: ArcSwap::from_pointee(Ready::of(&ring, now)?),
        })
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn audience(&self) -> &str {
        let [audience] = &self.audience;
        audience
    }

    pub(super) const fn audiences(&self) -> &[String] {
        &self.audience
    }

    pub(super) fn verifying(&self) -> Arc<KeySet> {
        Arc::clone(&self.ready.load().verifying)
    }

    pub(super) fn jwks(&self) -> Bytes {
        self.ready.load().jwks.clone()
    }

    pub(super) fn session_signer(&self) -> Arc<SessionSigner> {
        Arc::clone(&self.ready.load().session_signer)
    }

    pub(super) fn mint(&self, claims: Claims) -> Result<SecretText, MintError> {
        let [audience] = &self.audience;
        let named = Named {
            issuer: &self.issuer,
            audience,
            token_type: MadeType::Access,
        };
        self.mint_as(named, claims)
    }

    /// Signs under other names, with the key whose turn it is.
    pub(super) fn mint_as(
        &self,
        named: Named<'_>,
        claims: Claims,
    ) -> Result<SecretText, MintError> {
        let ready = self.ready.load();
        let signer = ready.signer(claims.issued_at);
        let maker = Maker {
            issuer: named.issuer,
            audience: named.audience,
            token_type: named.token_type,
            kid: Some(&signer.kid),
            key: &signer.key,
        };
        maker.mint(claims)
    }

    /// Takes up each new ring in the file, for ever; ends at once where the ring is given.
    pub(super) async fn keep_fresh(&self, clock: SharedClock) {
        let path = match &self.source {
            KeySource::Kept(path) => path.clone(),
            KeySource::Given(_) => return,
        };
        watch::watch(path, &self.turn, |ring| self.take(&ring, clock.now())).await;
    }

    /// The ring as it stands in its file, or was given.
    pub(super) async fn ring(&self) -> Result<KeyRing, KeyError> {
        let source = self.source.clone();
        let read = tokio::task::spawn_blocking(move || source.ring());
        read.await.map_err(KeyError::BrokenOff)?
    }

    /// Makes a new signing key, shows it from now on, and signs with it soon.
    pub(super) async fn rotate(&self, rotation: Rotation) -> Result<KeyRing, KeyError> {
        let _turn = self.turn.lock().await;
        let source = self.source.clone();
        let rotating = tokio::task::spawn_blocking(move || source.rotate(rotation));
        let ring = rotating.await.map_err(KeyError::BrokenOff)??;
        self.take(&ring, rotation.now);
        Ok(ring)
    }

    pub(super) fn take(&self, ring: &KeyRing, now: Timestamp) {
        match Ready::of(ring, now) {
            Ok(new) => self.replace(new),
            Err(error) => tracing::warn!(%error, "the key ring is not taken up; the old one stays"),
        }
    }

    /// Keys that are the same stay the same allocation: what was verified under them goes on counting.
    fn replace(&self, mut new: Ready) {
        let old = self.ready.load();
        if *old.verifying == *new.verifying {
            new.verifying = Arc::clone(&old.verifying);
        } else {
            tracing::info!(kid = &*new.newest.kid, "the key ring is new");
        }
        self.ready.store(Arc::new(new));
    }
}
