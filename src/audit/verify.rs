//! Whether the trail is as it was written, from its first entry to its last.

use std::collections::BTreeMap;

use sqlx::{FromRow as _, query, query_as};

use super::Action;
use super::entry::Kept;
use super::seal::{Hash, SealKeys};
use super::store::{AuditStore, Head, HeadRow, READ_HEAD};
use crate::database::Change;
use crate::unavailable::Unavailable;

/// Rows that are fetched at a time.
const PAGE: i64 = 1_000;

/// What is known from elsewhere: which seal stood at which place. Who was told two of one place is told
/// that the trail is broken, whichever of them stands there.
#[derive(Clone, Debug, Default)]
pub struct Anchors(BTreeMap<i64, Vec<Hash>>);

impl Anchors {
    /// Whether the entry at this place is known, and if so, whether it is the one with this seal.
    fn vouch(&self, seq: i64, hash: &Hash) -> Option<bool> {
        let known = self.0.get(&seq)?;
        Some(known.iter().all(|known| known == hash))
    }

    fn last(&self) -> Option<i64> {
        self.0.keys().next_back().copied()
    }
}

impl Extend<(i64, Hash)> for Anchors {
    fn extend<I: IntoIterator<Item = (i64, Hash)>>(&mut self, known: I) {
        for (seq, hash) in known {
            let there = self.0.entry(seq).or_default();
            if !there.contains(&hash) {
                there.push(hash);
            }
        }
    }
}

impl FromIterator<(i64, Hash)> for Anchors {
    fn from_iter<I: IntoIterator<Item = (i64, Hash)>>(known: I) -> Self {
        let mut anchors = Self::default();
        anchors.extend(known);
        anchors
    }
}

/// The trail is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many entries there are.
    pub entries: i64,
    /// The last one that retention removed; 0 where none was.
    pub removed: i64,
    /// The last one.
    pub head: Head,
    /// How many anchors were held against it, and were right.
    pub anchors: usize,
}

/// The first place at which the trail is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Entries are not there.
    #[error("entries {from} to {to} are missing")]
    Missing {
        /// The first of them.
        from: i64,
        /// The last of them.
        to: i64,
    },
    /// Its seal is not the one for what it says and for what stands before it.
    #[error(
        "entry {0} was changed, put there, or follows another entry than it did; or it was sealed with a \
         key that is not in the ring"
    )]
    Altered(i64),
    /// It stands behind what is recorded as the end.
    #[error("entry {0} stands behind the recorded end")]
    BeyondEnd(i64),
    /// The record of the end was not made by us.
    #[error("the end of the trail, after entry {0}, is recorded under no seal of ours")]
    Unsealed(i64),
    /// Whoever wrote this found an end that was not where it had been, or under a foreign seal.
    #[error("before entry {0} the end of the trail was cut off or replaced")]
    Replaced(i64),
    /// Its start is gone, and no entry says that retention removed it.
    #[error("entries up to {0} were removed, and not by retention")]
    Removed(i64),
    /// Something else stood there.
    #[error("entry {0} is not the one that is known from elsewhere")]
    Foreign(i64),
}

/// Why there is no good verdict.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is a bad one.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The database could not be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl AuditStore {
    /// Reads all of it as of one moment, and stops at the first place that is wrong.
    pub async fn verify(&self, anchors: &Anchors) -> Result<Verified, VerifyError> {
        let begin = async {
            let mut view = self.database.view().await?;
            let row = query(READ_HEAD).fetch_one(&mut *view).await?;
            Ok((HeadRow::from_row(&row)?, view))
        };
        let (head, mut view) = self.database.within(begin).await.map_err(self.away())?;
        let mut walk = Walk::new(&self.keys, anchors, head);
        loop {
            let rows = self.database.within(page(&mut view, walk.at.seq));
            let rows = rows.await.map_err(self.away())?;
            let is_last = rows.is_empty();
            rows.iter().try_for_each(|kept| walk.step(kept))?;
            if is_last {
                return Ok(walk.end()?);
            }
        }
    }
}

async fn page(view: &mut Change, after: i64) -> sqlx::Result<Vec<Kept>> {
    query_as("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
        .bind(after)
        .bind(PAGE)
        .fetch_all(&mut **view)
        .await
}

/// The way along the chain.
struct Walk<'a> {
    keys: &'a SealKeys,
    anchors: &'a Anchors,
    head: HeadRow,
    at: Head,
    trims: Vec<i64>,
    held: usize,
}

impl<'a> Walk<'a> {
    fn new(keys: &'a SealKeys, anchors: &'a Anchors, head: HeadRow) -> Self {
        Self {
            keys,
            anchors,
            at: head.removed,
            head,
            trims: Vec::new(),
            held: 0,
        }
    }

    fn step(&mut self, kept: &Kept) -> Result<(), Broken> {
        let next = self.at.seq.saturating_add(1);
        if kept.seq != next {
            return Err(Broken::Missing {
                from: next,
                to: kept.seq.saturating_sub(1),
            });
        }
        if kept.seq > self.head.head.seq {
            return Err(Broken::BeyondEnd(kept.seq));
        }
        let canonical = kept.entry.canonical(kept.seq);
        let follows = (&self.at.hash, canonical.as_slice());
        if !self.keys.is_entry(follows, &kept.hash) {
            return Err(Broken::Altered(kept.seq));
        }
        match self.anchors.vouch(kept.seq, &kept.hash) {
            Some(true) => self.held += 1,
            Some(false) => return Err(Broken::Foreign(kept.seq)),
            None => {}
        }
        self.read_word(kept)?;
        self.at = Head {
            seq: kept.seq,
            hash: kept.hash,
        };
        Ok(())
    }

    /// What the trail says about itself.
    fn read_word(&mut self, kept: &Kept) -> Result<(), Broken> {
        let detail = kept.entry.detail.as_deref().unwrap_or_default();
        if kept.entry.is(Action::AuditTrim) {
            self.trims.extend(detail.parse::<i64>());
        }
        if kept.entry.is(Action::AuditReseal) {
            // A key that was exchanged and is known here explains a seal, and nothing explains a way back.
            let seal: Option<Hash> = detail.parse().ok();
            let end = (self.at.seq, &self.at.hash);
            let explained = kept.entry.reason == "unknown-seal"
                && seal.is_some_and(|seal| self.keys.is_head(end, &seal));
            if !explained {
                return Err(Broken::Replaced(kept.seq));
            }
        }
        Ok(())
    }

    fn end(self) -> Result<Verified, Broken> {
        let HeadRow { head, removed, .. } = self.head;
        if self.at.seq < head.seq {
            return Err(Broken::Missing {
                from: self.at.seq.saturating_add(1),
                to: head.seq,
            });
        }
        if self.at != head || !self.head.is_sealed(self.keys) {
            return Err(Broken::Unsealed(self.at.seq));
        }
        if removed.seq > 0 && !self.trims.contains(&removed.seq) {
            return Err(Broken::Removed(removed.seq));
        }
        match self.anchors.last() {
            Some(known) if known > head.seq => Err(Broken::Missing {
                from: head.seq.saturating_add(1),
                to: known,
            }),
            Some(_) | None => Ok(Verified {
                entries: head.seq - removed.seq,
                removed: removed.seq,
                head,
                anchors: self.held,
            }),
        }
    }
}
