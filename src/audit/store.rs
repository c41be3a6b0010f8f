//! The table of entries: one chain for all who write, appended to under the lock of its head.
//!
//! One chain and not one a writer: a whole short chain, such as that of a command, could be taken away
//! and nothing would be missing. Writers come with batches, so the lock is held for one statement or two.

use std::fmt;
use std::str::FromStr;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, FromRow, Row as _, query};

use super::entry::{Entry, Kept};
use super::seal::{Hash, SealKeys};
use super::{Action, Outcome};
use crate::clock::Timestamp;
use crate::database::{Change, Database};
use crate::unavailable::Unavailable;

/// The most entries that one transaction removes; others may write in between.
const TRIM_AT_ONCE: i64 = 5_000;

/// The kept entries.
#[derive(Clone, Debug)]
pub struct AuditStore {
    pub(super) database: Database,
    pub(super) keys: SealKeys,
}

/// The last entry: who knows it can tell later whether something was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its place; 0 before the first.
    pub seq: i64,
    /// Its seal.
    pub hash: Hash,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

/// Not the place and the seal of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the place and seal of an entry: a number, a colon, 64 hexadecimal digits")]
pub struct NotAHead;

impl FromStr for Head {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let (seq, hash) = text.split_once(':').ok_or(NotAHead)?;
        Ok(Self {
            seq: seq.parse().or(Err(NotAHead))?,
            hash: hash.parse().or(Err(NotAHead))?,
        })
    }
}

/// The one row about the trail as a whole.
#[derive(Clone, Debug)]
pub(super) struct HeadRow {
    pub(super) head: Head,
    /// Empty before the first entry.
    pub(super) seal: Vec<u8>,
    pub(super) removed: Head,
}

impl HeadRow {
    /// Whether its end is under a seal of ours.
    pub(super) fn is_sealed(&self, keys: &SealKeys) -> bool {
        let Head { seq, hash } = self.head;
        if seq == 0 {
            return self.seal.is_empty() && hash == Hash::NONE;
        }
        Hash::from_slice(&self.seal).is_some_and(|seal| keys.is_head((seq, &hash), &seal))
    }
}

impl AuditStore {
    /// The entries in `database`, under `keys`.
    pub const fn new(database: Database, keys: SealKeys) -> Self {
        Self { database, keys }
    }

    /// Appends `entries` in this order, all or none. `known` is the end that the caller saw last.
    ///
    /// An end that is not as it was left is told in an entry of its own before them: going on from it in
    /// silence would put our seal on what somebody cut off.
    pub async fn append(
        &self,
        entries: &[Entry],
        known: Option<Head>,
    ) -> Result<Vec<Kept>, Unavailable> {
        let append = async {
            let mut change = self.database.change().await?;
            let row = locked_head(&mut change).await?;
            let Some(time) = entries.first().map(|entry| entry.time) else {
                return Ok(Vec::new());
            };
            let mut all: Vec<Entry> = self.reseal(&row, known, time).into_iter().collect();
            all.extend_from_slice(entries);
            let kept = self.chained(row.head, all);
            self.write(&mut change, &kept).await?;
            change.commit().await?;
            Ok(kept)
        };
        self.database.within(append).await.map_err(self.away())
    }

    /// The last entry.
    pub async fn head(&self) -> Result<Head, Unavailable> {
        let read = async {
            let row = query(READ_HEAD).fetch_one(self.database.pool().await?);
            HeadRow::from_row(&row.await?)
        };
        let row = self.database.within(read).await.map_err(self.away())?;
        Ok(row.head)
    }

    /// Removes entries from the start that are older than `before`, and says so in a new one; returns how
    /// many. The start that is then left is checked by what is kept of the last one removed.
    pub async fn trim(&self, before: Timestamp, now: Timestamp) -> Result<u64, Unavailable> {
        // The entry about it is of now: it is never among what goes.
        let before = before.min(now);
        let mut removed = 0;
        loop {
            let trim = self.database.within(self.trim_some(before, now));
            match trim.await.map_err(self.away())? {
                0 => return Ok(removed),
                some => removed += some,
            }
        }
    }

    async fn trim_some(&self, before: Timestamp, now: Timestamp) -> sqlx::Result<u64> {
        if !self.has_older(before).await? {
            return Ok(0);
        }
        let mut change = self.database.change().await?;
        let row = locked_head(&mut change).await?;
        let last = oldest(&mut change, before).await?;
        let Some(last) = last else {
            return Ok(0);
        };
        let delete = query("DELETE FROM audit WHERE seq <= $1").bind(last.seq);
        let removed = delete.execute(&mut *change).await?.rows_affected();
        let note = query("UPDATE audit_head SET removed_seq = $1, removed_hash = $2 WHERE id = 1");
        note.bind(last.seq)
            .bind(last.hash.as_bytes().to_vec())
            .execute(&mut *change)
            .await?;
        let mut entries: Vec<Entry> = self.reseal(&row, None, now).into_iter().collect();
        entries.push(Entry {
            reason: "retention".into(),
            detail: Some(last.seq.to_string()),
            ..Entry::about_trail(Action::AuditTrim, Outcome::Success, now)
        });
        let kept = self.chained(row.head, entries);
        self.write(&mut change, &kept).await?;
        change.commit().await?;
        Ok(removed)
    }

    /// Asked without the lock: mostly there is nothing to do.
    async fn has_older(&self, before: Timestamp) -> sqlx::Result<bool> {
        let first = query("SELECT time FROM audit ORDER BY seq LIMIT 1");
        let first = first.fetch_optional(self.database.pool().await?).await?;
        let time = first.map(|row| row.try_get::<i64, _>("time")).transpose()?;
        Ok(time.is_some_and(|time| time < before.as_millis()))
    }

    fn reseal(&self, row: &HeadRow, known: Option<Head>, now: Timestamp) -> Option<Entry> {
        let is_back = known.is_some_and(|known| {
            let same_place = known.seq == row.head.seq;
            row.head.seq < known.seq || same_place && row.head.hash != known.hash
        });
        let reason = if is_back {
            "rolled-back"
        } else if !row.is_sealed(&self.keys) {
            "unknown-seal"
        } else {
            return None;
        };
        tracing::error!(
            reason,
            seq = row.head.seq,
            "the end of the audit trail is not as it was left"
        );
        Some(Entry {
            reason: reason.into(),
            detail: Some(crate::session::hex(&row.seal)),
            ..Entry::about_trail(Action::AuditReseal, Outcome::Failed, now)
        })
    }

    fn chained(&self, head: Head, entries: Vec<Entry>) -> Vec<Kept> {
        let mut previous = head.hash;
        let chain = (head.seq.saturating_add(1)..).zip(entries);
        let chain = chain.map(|(seq, entry)| {
            let hash = self.keys.entry(&previous, &entry.canonical(seq));
            previous = hash;
            Kept { seq, entry, hash }
        });
        chain.collect()
    }

    async fn write(&self, change: &mut Change, kept: &[Kept]) -> sqlx::Result<()> {
        let Some(last) = kept.last() else {
            return Ok(());
        };
        insertion(kept).execute(&mut **change).await?;
        query("UPDATE audit_head SET seq = $1, hash = $2, seal = $3 WHERE id = 1")
            .bind(last.seq)
            .bind(last.hash.as_bytes().to_vec())
            .bind(self.keys.head(last.seq, &last.hash).as_bytes().to_vec())
            .execute(&mut **change)
            .await
            .map(drop)
    }

    pub(super) fn away<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        &self,
    ) -> impl Fn(E) -> Unavailable + '_ {
        |source| self.database.away(source)
    }
}

pub(super) const READ_HEAD: &str = "SELECT * FROM audit_head WHERE id = 1";

/// An update that changes nothing is how both engines lock a row.
async fn locked_head(change: &mut Change) -> sqlx::Result<HeadRow> {
    let lock = query("UPDATE audit_head SET id = 1 WHERE id = 1 RETURNING *");
    HeadRow::from_row(&lock.fetch_one(&mut **change).await?)
}

/// The last of the oldest entries that are all older than `before`.
async fn oldest(change: &mut Change, before: Timestamp) -> sqlx::Result<Option<Head>> {
    let rows = query("SELECT seq, time, hash FROM audit ORDER BY seq LIMIT $1");
    let rows = rows.bind(TRIM_AT_ONCE).fetch_all(&mut **change).await?;
    let mut last = None;
    for row in rows {
        if row.try_get::<i64, _>("time")? >= before.as_millis() {
            break;
        }
        last = Some(Head {
            seq: row.try_get("seq")?,
            hash: hash(&row, "hash")?,
        });
    }
    Ok(last)
}

const COLUMNS: usize = 13;

/// One statement for all: on a server each would cost a round trip under the lock.
fn insertion(kept: &[Kept]) -> Query<'static, Any, AnyArguments> {
    let row = |row: usize| {
        let places = (1..=COLUMNS).map(|column| format!("${}", row * COLUMNS + column));
        format!("({})", places.collect::<Vec<_>>().join(", "))
    };
    let rows: Vec<_> = (0..kept.len()).map(row).collect();
    let sql = format!(
        "INSERT INTO audit (seq, time, action, outcome, reason, actor, user_id, session_id, address,
                            request_id, api_key_id, detail, hash) VALUES {}",
        rows.join(", ")
    );
    // Made of numbers alone. As there are many such statements, no connection need remember them.
    let statement = query(AssertSqlSafe(sql)).persistent(false);
    kept.iter().cloned().fold(statement, |statement, kept| {
        let Kept { seq, entry, hash } = kept;
        statement
            .bind(seq)
            .bind(entry.time.as_millis())
            .bind(entry.action)
            .bind(entry.outcome)
            .bind(entry.reason)
            .bind(entry.actor)
            .bind(entry.user)
            .bind(entry.session)
            .bind(entry.address)
            .bind(entry.request_id)
            .bind(entry.api_key)
            .bind(entry.detail)
            .bind(hash.as_bytes().to_vec())
    })
}

impl FromRow<'_, AnyRow> for HeadRow {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            head: Head {
                seq: row.try_get("seq")?,
                hash: hash(row, "hash")?,
            },
            seal: row.try_get("seal")?,
            removed: Head {
                seq: row.try_get("removed_seq")?,
                hash: hash(row, "removed_hash")?,
            },
        })
    }
}

impl FromRow<'_, AnyRow> for Kept {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            seq: row.try_get("seq")?,
            entry: Entry {
                time: Timestamp::from_millis(row.try_get("time")?),
                action: row.try_get("action")?,
                outcome: row.try_get("outcome")?,
                reason: row.try_get("reason")?,
                actor: row.try_get("actor")?,
                user: row.try_get("user_id")?,
                session: row.try_get("session_id")?,
                address: row.try_get("address")?,
                request_id: row.try_get("request_id")?,
                api_key: row.try_get("api_key_id")?,
                detail: row.try_get("detail")?,
            },
            hash: hash(row, "hash")?,
        })
    }
}

/// The column of a hash; the table lets no other length in.
fn hash(row: &AnyRow, column: &str) -> sqlx::Result<Hash> {
    let bytes: Vec<u8> = row.try_get(column)?;
    Hash::from_slice(&bytes).ok_or_else(|| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: "not 32 bytes".into(),
    })
}
