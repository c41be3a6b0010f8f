//! Reading `gateway.toml` again while the gateway runs: all of it is taken, or nothing.

use std::path::Path;
use std::sync::Arc;

use super::dialect_secrets;
use super::load::load;
use super::serving::{Current, Serving};
use super::site::token_forms;
use crate::auth::Auth;
use crate::config::Config;
use crate::config::environment::ProcessEnvironment;
use crate::config::mistake::{Mistake, Mistakes};
use crate::metrics::Metrics;

mod fixed;

/// Reads the configuration again.
#[derive(Debug)]
pub struct Reload {
    pub(super) auth: Arc<Auth>,
    pub(super) serving: Current,
    pub(super) metrics: Arc<Metrics>,
    /// What the gateway was started with, and what cannot change counts from.
    pub(super) started: Config,
}

/// Why a configuration was not taken.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error("it has mistakes")]
    Mistakes(#[from] Mistakes),
    #[error("{0:#}")]
    Parts(anyhow::Error),
}

impl Reload {
    /// Reads `file` and puts what it says in place of what was there. With mistakes in it everything
    /// stays as it is; they are logged as `doorward check` would print them, and counted.
    ///
    /// Blocks for the reading of files.
    pub fn run(&self, file: &Path) {
        match self.take(file) {
            Ok(()) => tracing::info!("{} was read again, and counts from now on", file.display()),
            Err(not_taken) => {
                not_taken.tell(file);
                self.metrics.config_mistakes.inc();
            }
        }
    }

    fn take(&self, file: &Path) -> Result<(), NotTaken> {
        let config = load(file, &ProcessEnvironment)?;
        let config = dialect_secrets::settle(config);
        let config = config.map_err(|error| NotTaken::Parts(error.into()))?;
        let serving = Serving::build(&config, &self.auth, &self.metrics);
        let serving = serving.map_err(NotTaken::Parts)?;
        // The last step that can fail.
        let tokens = self.auth.tokens();
        let issuers = tokens.replace(token_forms(&config), &config.issuers);
        issuers.map_err(|error| NotTaken::Parts(error.into()))?;
        self.serving.store(Arc::new(serving));
        for key in fixed::changed(&self.started, &config) {
            tracing::warn!("{key} has changed, which needs a restart; what was there stays");
        }
        Ok(())
    }
}

impl NotTaken {
    fn tell(&self, file: &Path) {
        if let Self::Mistakes(mistakes) = self {
            mistakes.iter().for_each(tell_mistake);
        }
        let file = file.display();
        tracing::error!("{file} was not taken, what was there stays: {self}");
    }
}

fn tell_mistake(mistake: &Mistake) {
    tracing::error!("{mistake}");
}
