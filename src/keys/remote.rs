//! The keys of another issuer: fetched in the background, kept in memory, never waited for.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::Notify;

use super::fetch::{FetchError, Fetcher};
use super::{IssuerConfig, JwksSource, KeyError};
use crate::clock::{SharedClock, Timestamp};
use crate::token::TokenError;
use crate::token::key::KeySet;

/// The shortest time between two fetches whatever the settings say, so that a zero is no busy loop.
const FLOOR: Duration = Duration::from_millis(10);

/// What is known of the keys of one issuer.
#[derive(Debug)]
pub struct IssuerKeys {
    config: IssuerConfig,
    fetcher: Fetcher,
    known: ArcSwapOption<Known>,
    /// Somebody came with a key that is not known. However many come, it is one wish.
    wanted: Notify,
}

#[derive(Debug)]
struct Known {
    keys: Arc<KeySet>,
    fetched_at: Timestamp,
}

impl IssuerKeys {
    /// The keys of each of `issuers`. Those in files are read now, and a bad one is an error; those
    /// elsewhere are fetched as soon as [`keep_fresh`](Self::keep_fresh) runs.
    ///
    /// An issuer that is among `known` just as it is, is that one again.
    pub fn open(
        issuers: &[IssuerConfig],
        known: &[Arc<Self>],
        now: Timestamp,
    ) -> Result<Vec<Arc<Self>>, KeyError> {
        let open = |config: &IssuerConfig| {
            let named = known
                .iter()
                .find(|keys| keys.config.issuer == config.issuer);
            match named {
                Some(keys) if keys.config == *config => Ok(Arc::clone(keys)),
                _ => {
                    let keys = Self {
                        config: config.clone(),
                        fetcher: Fetcher::for_issuer(config)?,
                        known: ArcSwapOption::new(named.and_then(|keys| keys.heirloom(config))),
                        wanted: Notify::new(),
                    };
                    keys.read_file(now).map(|()| Arc::new(keys))
                }
            }
        };
        issuers.iter().map(open).collect()
    }

    /// What is known, for the same issuer under other settings, if its keys are where they were: in
    /// another allocation, so that what was verified under the old settings is verified anew.
    fn heirloom(&self, config: &IssuerConfig) -> Option<Arc<Known>> {
        let known = self.known.load_full()?;
        (self.config.jwks == config.jwks).then(|| {
            Arc::new(Known {
                keys: Arc::new((*known.keys).clone()),
                fetched_at: known.fetched_at,
            })
        })
    }

    /// Whose keys they are.
    pub const fn config(&self) -> &IssuerConfig {
        &self.config
    }

    /// The last good keys.
    ///
    /// # Errors
    ///
    /// `KeysUnavailable` where there were none yet, or none for longer than `stale_max`.
    pub fn current(&self, now: Timestamp) -> Result<Arc<KeySet>, TokenError> {
        let known = self.known.load();
        match known.as_deref() {
            Some(known) if now.since(known.fetched_at) <= self.config.stale_max => {
                Ok(Arc::clone(&known.keys))
            }
            Some(_) | None => Err(TokenError::KeysUnavailable),
        }
    }

    /// Asks for fresh keys, because a token names one that is not known. Returns at once: that token
    /// is refused, and the next one may find its key.
    pub fn want_fresh(&self) {
        self.wanted.notify_one();
    }

    /// Fetches the keys now, each `refresh`, and when they are wanted, but never twice within
    /// `refresh_min`; for ever.
    pub async fn keep_fresh(&self, clock: SharedClock) {
        let pause = self.config.refresh_min.max(FLOOR);
        loop {
            let outcome = self.fetcher.fetch(&self.config.jwks).await;
            // After a failure the next attempt need not wait for longer than it must.
            let rest = match outcome {
                Ok(_) => self.config.refresh.saturating_sub(pause),
                Err(_) => Duration::ZERO,
            };
            self.take(outcome, clock.now());
            tokio::time::sleep(pause).await;
            let _wanted_or_due = tokio::time::timeout(rest, self.wanted.notified()).await;
        }
    }

    fn take(&self, outcome: Result<KeySet, FetchError>, now: Timestamp) {
        match outcome {
            Ok(keys) => self.replace(keys, now),
            Err(error) => {
                let issuer = self.config.issuer.as_str();
                tracing::warn!(issuer, %error, "the keys of an issuer could not be fetched");
            }
        }
    }

    /// Keys that are the same stay the same allocation: what was verified under them goes on counting.
    fn replace(&self, fetched: KeySet, now: Timestamp) {
        let known = self.known.load();
        let keys = match known.as_deref() {
            Some(known) if *known.keys == fetched => Arc::clone(&known.keys),
            Some(_) | None => {
                let issuer = self.config.issuer.as_str();
                tracing::info!(
                    issuer,
                    keys = fetched.len(),
                    "the keys of an issuer are new"
                );
                Arc::new(fetched)
            }
        };
        self.known.store(Some(Arc::new(Known {
            keys,
            fetched_at: now,
        })));
    }

    fn read_file(&self, now: Timestamp) -> Result<(), KeyError> {
        let JwksSource::File(path) = &self.config.jwks else {
            return Ok(());
        };
        let text = std::fs::read(path).map_err(|source| KeyError::File {
            path: path.clone(),
            source,
        })?;
        let keys = KeySet::from_jwks(&text).map_err(|problem| KeyError::IssuerFile {
            issuer: self.config.issuer.clone(),
            path: path.clone(),
            problem,
        })?;
        self.replace(keys, now);
        Ok(())
    }
}
