//! Ends that the store has forgotten, and is told again.
//!
//! A server that takes over from another may lack what the other acknowledged last: the session lives
//! there as if nobody had signed out. Whoever heard of the end still knows it, so what is remembered here
//! and is not in a log that was read anew from its start is ended once more. Where the store has not
//! forgotten, as with an entry that was cleared from the log a moment before its time was over here, that
//! changes nothing.

use std::collections::HashSet;

use futures_util::future::try_join_all;

use crate::clock::Timestamp;
use crate::id::SessionId;
use crate::sessions::{Ended, SessionStore};
use crate::unavailable::Unavailable;

use super::memory::Memory;

/// How many ends are told at once, between two readings of the log: news must not wait for them.
const BATCH: usize = 256;

/// What is known of forgotten ends, from the start of a reading on.
pub(super) enum Lost {
    /// The log is not read to its end yet; this is what it told.
    Reading(HashSet<SessionId>),
    /// These are still to be told.
    Known(Vec<SessionId>),
}

impl Lost {
    /// At the start of the log.
    pub(super) fn at_start() -> Self {
        Self::Reading(HashSet::new())
    }

    /// Notes that the log has told of these.
    pub(super) fn heard(&mut self, page: &[Ended]) {
        if let Self::Reading(told) = self {
            told.extend(page.iter().map(|ended| ended.session));
        }
    }

    /// Notes that the log was read to its end.
    pub(super) fn all_heard(&mut self, memory: &Memory) {
        if let Self::Reading(told) = self {
            *self = Self::Known(memory.all_but(told));
        }
    }

    /// Ends some of them again.
    pub(super) async fn tell_some(
        &mut self,
        store: &dyn SessionStore,
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        let Self::Known(lost) = self else {
            return Ok(());
        };
        let batch = lost.split_off(lost.len().saturating_sub(BATCH));
        let ended = try_join_all(batch.into_iter().map(|session| store.end(session, now))).await?;
        let count = ended.iter().flatten().count();
        if count > 0 {
            tracing::warn!(
                count,
                "the session store had forgotten that sessions ended; they are ended again"
            );
        }
        Ok(())
    }

    /// Whether there are some still to be told.
    pub(super) const fn is_waiting(&self) -> bool {
        match self {
            Self::Reading(_) => false,
            Self::Known(lost) => !lost.is_empty(),
        }
    }
}
