//! What one administrator at a time does on each replica: two at once would only slow each other down, and
//! whoever waits for their service.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::GatewayError;

/// Whose turn it is.
#[derive(Debug)]
pub(in crate::auth) struct Turns {
    /// Verifying the audit trail.
    pub(super) verifying: Turn,
    /// Reading and writing the accounts of a file.
    pub(super) importing: Turn,
}

/// One at a time.
#[derive(Debug)]
pub(super) struct Turn(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self {
            verifying: Turn::free(),
            importing: Turn::free(),
        }
    }
}

impl Turn {
    fn free() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }

    /// Takes the turn until the permit is dropped. Nobody queues: who comes second is told so.
    pub(super) fn take(&self) -> Result<OwnedSemaphorePermit, GatewayError> {
        let taken = Arc::clone(&self.0).try_acquire_owned();
        taken.map_err(|_taken| GatewayError::UnderWay)
    }
}
