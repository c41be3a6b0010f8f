//! The keys that sign the gateway's tokens. Nothing of them is told but what anybody may know.

use super::record::Deed;
use super::{AdminError, Administrator};
use crate::audit::Action;
use crate::keys::ring::KeyFacts;
use crate::keys::{KeyError, SigningAlgorithm};

impl Administrator {
    /// The keys, the newest first.
    pub async fn signing_keys(&self) -> Result<Vec<KeyFacts>, AdminError> {
        Ok(self.auth.parts.tokens.own_keys().await?)
    }

    /// Makes a new signing key; returns all of them. Goes on to its end also where nobody waits for it
    /// any more, so that the trail has every key that was made.
    pub async fn rotate_signing_keys(
        &self,
        algorithm: Option<SigningAlgorithm>,
    ) -> Result<Vec<KeyFacts>, AdminError> {
        self.may_manage_keys()?;
        let administrator = self.clone();
        let rotating = async move {
            let parts = &administrator.auth.parts;
            let access = parts.lifetimes.access;
            let result = parts.tokens.rotate_own_keys(algorithm, access).await;
            let deed = Deed::on_gateway((Action::RotateKeys, "rotated"));
            administrator.told(deed, result.map_err(Into::into)).await
        };
        let done = tokio::spawn(rotating).await;
        done.map_err(KeyError::BrokenOff)?
    }
}
