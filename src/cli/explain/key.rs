//! What the running gateway would say of an API key, by what the store says now.

use std::sync::Arc;

use crate::api_key::UnverifiedKey;
use crate::api_key::text::Malformed;
use crate::app::stores::Stores;
use crate::auth::api_keys::{ApiKeys, KeyRefusal, Parts};
use crate::clock::SharedClock;
use crate::config::Config;
use crate::identity::Identity;
use crate::revocation::{self, Revocations};

pub(super) async fn holder(
    config: &Config,
    clock: &SharedClock,
    shown: Result<UnverifiedKey, Malformed>,
) -> anyhow::Result<Result<Arc<Identity>, KeyRefusal>> {
    let Ok(shown) = shown else {
        return Ok(Err(KeyRefusal::Malformed));
    };
    let stores = Stores::open(config, clock).await?;
    let keys = opened(config, clock, &stores);
    keys.load().await?;
    Ok(keys.explain(&shown))
}

/// The keys of the stores, beside a running gateway: nothing is heard of ends but from the store.
pub(in crate::cli) fn opened(
    config: &Config,
    clock: &SharedClock,
    stores: &Stores,
) -> Arc<ApiKeys> {
    let memory = revocation::Config {
        keep: config.api_keys.max_staleness,
        max_staleness: config.api_keys.max_staleness,
    };
    ApiKeys::new(Parts {
        settings: config.api_keys.clone(),
        store: Arc::clone(&stores.api_keys),
        sessions: Arc::clone(&stores.sessions),
        revocations: Revocations::new(memory, clock.clone()),
        clock: clock.clone(),
    })
}
