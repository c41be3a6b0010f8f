//! Following the store of keys: from its start, through outages, for as long as the gateway runs. And
//! what is done for the store in return: uses are noted, and what ended long ago is cleared away.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::ApiKeys;
use super::known::Known;
use super::memory::Word;
use crate::api_keys::{Changes, Place};
use crate::id::ApiKeyId;
use crate::revocation::mark;
use crate::unavailable::Unavailable;

/// The least time between two questions, however many want one.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How much longer the next one waits at the most where nobody wants it: the store is asked about once a
/// second.
const LONGEST_PATIENCE: Duration = Duration::from_millis(900);

/// How often uses are stored.
const NOTE_EVERY: Duration = Duration::from_mins(1);

/// After so many notes of uses, what ended long ago is cleared away: once an hour.
const NOTES_BETWEEN_CLEARINGS: u32 = 60;

/// For how long an ended key is kept, so that lists and the audit log can tell what it was.
const KEEP_ENDED: Duration = Duration::from_hours(30 * 24);

/// The longest that a change of an account waits until it counts for the keys here: a memory that is read
/// anew just then takes longer, and counts it when it is through.
const LONGEST_LOOK: Duration = Duration::from_secs(2);

/// A reading of the changes.
#[derive(Debug)]
enum Reading {
    /// From the start; these were known before it, and have not been seen.
    Anew(HashSet<ApiKeyId>),
    /// From where the last one ended.
    On,
}

/// How far the store was read.
#[derive(Debug)]
pub(super) struct Progress {
    reading: Reading,
    place: Place,
}

impl Progress {
    /// Nothing is read yet, and these are known.
    pub(super) const fn anew(known: HashSet<ApiKeyId>) -> Self {
        Self {
            reading: Reading::Anew(known),
            place: Place::START,
        }
    }
}

impl ApiKeys {
    /// Keeps the memory in step with the store; never returns. Spawn it on a runtime that lives as long
    /// as the gateway, once.
    ///
    /// After each failure everything is read anew: a store that comes back may be another server, which
    /// had not heard all of the old one. What was known counts on until that is done.
    pub async fn follow(self: Arc<Self>) {
        let mut is_away = false;
        // With the shortest staleness a second would be too late.
        let patience = LONGEST_PATIENCE.min(self.parts.settings.max_staleness / 4);
        loop {
            let caught_up = self.catch_up().await;
            tell(&caught_up, &mut is_away);
            tokio::time::sleep(LOOK_AGAIN).await;
            let wanted = async {
                tokio::select! {
                    () = self.wanted.notified() => {}
                    () = self.parts.revocations.accounts_changed() => {}
                }
            };
            // Wanted or not, look again.
            let _wanted = tokio::time::timeout(patience, wanted).await.is_ok();
        }
    }

    /// Reads all of the store once: for those who do not stay.
    pub async fn load(&self) -> Result<(), Unavailable> {
        self.catch_up().await
    }

    /// Has a change of an account, which is stored by now, count for its keys: here from the moment that
    /// this returns, on the other replicas within milliseconds. Where neither can be asked, the store is
    /// followed all the same, and tells of it within about a second: no reason to fail what is stored.
    pub(in crate::auth) async fn owner_changed(&self) {
        let (now, mark) = (self.now(), mark::new());
        let here = async {
            // Who has never followed the store judges no keys: the command line.
            if self.staleness().is_some() {
                let _heard = tokio::time::timeout(LONGEST_LOOK, self.catch_up()).await;
            }
        };
        let (told, ()) = tokio::join!(self.parts.sessions.announce_end(mark, now), here);
        if let Err(error) = told {
            tracing::warn!(%error, "other replicas hear that an account changed from the store of API keys alone");
        }
    }

    fn anew(&self) -> Progress {
        Progress::anew(self.memory.ids())
    }

    /// One reader at a time: what one has read is not overwritten by another who had asked before.
    async fn catch_up(&self) -> Result<(), Unavailable> {
        let mut progress = self.progress.lock().await;
        let caught_up = self.read_on(&mut progress).await;
        if caught_up.is_err() {
            *progress = self.anew();
        }
        caught_up
    }

    async fn read_on(&self, progress: &mut Progress) -> Result<(), Unavailable> {
        loop {
            // What changed before the question is in the answer, so the memory is as fresh as it.
            let asked_at = self.now();
            let (keys, next, more) = match self.parts.store.changed_after(progress.place).await? {
                Changes::Page { keys, next, more } => (keys, next, more),
                Changes::Rewound => {
                    *progress = self.anew();
                    continue;
                }
            };
            let word = match &progress.reading {
                Reading::Anew(_) => Word::Last,
                Reading::On => Word::Later,
            };
            for key in &keys {
                self.memory.put(Known::of(key), word);
            }
            if let Reading::Anew(unseen) = &mut progress.reading {
                for stored in &keys {
                    unseen.remove(&stored.key.id);
                }
            }
            progress.place = next;
            if !keys.is_empty() {
                self.changed.notify_waiters();
            }
            if !more {
                if let Reading::Anew(unseen) = std::mem::replace(&mut progress.reading, Reading::On)
                {
                    self.drop_unseen(&unseen);
                }
                self.heard_up_to(asked_at);
                return Ok(());
            }
        }
    }

    /// What was known and is not there is gone. What was made here meanwhile was not known before.
    fn drop_unseen(&self, unseen: &HashSet<ApiKeyId>) {
        if !unseen.is_empty() {
            self.memory.retain(|known| !unseen.contains(&known.id));
            self.changed.notify_waiters();
        }
    }

    /// Stores uses, and clears away what ended long ago; never returns. Spawn it beside
    /// [`follow`](Self::follow).
    pub async fn keep_house(self: Arc<Self>) {
        let mut notes = 0;
        loop {
            tokio::time::sleep(NOTE_EVERY).await;
            self.store_uses().await;
            notes += 1;
            if notes % NOTES_BETWEEN_CLEARINGS == 0 {
                self.clear().await;
            }
        }
    }

    /// Stores the uses since the last time. A failure loses them: who asks when a key was last used is
    /// helped by the next use as well.
    pub async fn store_uses(&self) {
        let mut uses = std::mem::take(&mut *self.uses.lock());
        uses.sort_unstable();
        if uses.is_empty() {
            return;
        }
        if let Err(error) = self.parts.store.note_uses(&uses).await {
            tracing::warn!(%error, "when API keys were last used could not be stored");
        }
    }

    async fn clear(&self) {
        let before = self.now().minus(KEEP_ENDED);
        self.memory.forget_until(before);
        if let Err(error) = self.parts.store.clear(before).await {
            tracing::warn!(%error, "API keys that ended long ago could not be cleared away");
        }
    }
}

/// An outage is told once at its beginning and once at its end.
fn tell(caught_up: &Result<(), Unavailable>, is_away: &mut bool) {
    let was_away = std::mem::replace(is_away, caught_up.is_err());
    match caught_up {
        Err(error) if !was_away => tell_outage(error),
        Ok(()) if was_away => tracing::info!("the store of API keys is back; it was read anew"),
        Ok(()) | Err(_) => {}
    }
}

fn tell_outage(error: &Unavailable) {
    let cause: &dyn std::error::Error = &*error.source;
    tracing::warn!(
        cause,
        "{error}: changes of API keys are not heard of until it is back"
    );
}
