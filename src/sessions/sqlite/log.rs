//! The log of ended sessions: the table `ended_sessions`.
//!
//! Its order is the order of the commits: a number is drawn under the write lock, which is held until
//! the commit. So a reader that has seen a number has seen all below it.

use std::time::Duration;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqlitePool};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::clock::Timestamp;
use crate::id::SessionId;
use crate::sessions::stored::{self, Unreadable};
use crate::sessions::{Cursor, Ended, EndedPage};

use super::{Change, unreadable};

/// How often a waiting reader looks for what other processes ended: soon enough for somebody at the
/// command line, and one indexed look costs some 50 µs.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The most that one page holds; bounds the memory of a reader that was away for long.
const PAGE: usize = 1000;

/// What a reader of the log waits for.
#[derive(Clone, Copy)]
pub(super) struct Wait<'a> {
    /// The place after which it reads.
    pub(super) cursor: &'a Cursor,
    /// How long it waits there for something to come.
    pub(super) patience: Duration,
}

/// Writes that a session ended.
pub(super) async fn append(change: &mut Change, id: SessionId, at: Timestamp) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO ended_sessions (session_id, ended_at) VALUES (?, ?)")
        .bind(id.to_string())
        .bind(at.as_millis())
        .execute(&mut **change)
        .await
        .map(drop)
}

/// Removes what ended before `until`, and returns how many.
pub(super) async fn clear(change: &mut Change, until: Timestamp) -> sqlx::Result<u64> {
    let delete = sqlx::query("DELETE FROM ended_sessions WHERE ended_at < ?");
    let cleared = delete
        .bind(until.as_millis())
        .execute(&mut **change)
        .await?;
    Ok(cleared.rows_affected())
}

/// The place before the first entry that is not older than `since`.
///
/// Before the first, not behind the last of the older ones: the clock may have been set back between
/// two entries.
pub(super) async fn start(pool: &SqlitePool, since: Timestamp) -> sqlx::Result<Cursor> {
    let place = "SELECT coalesce(
        (SELECT min(seq) - 1 FROM ended_sessions WHERE ended_at >= ?),
        (SELECT max(seq) FROM ended_sessions),
        0)";
    let place = sqlx::query_scalar::<_, i64>(place).bind(since.as_millis());
    Ok(cursor(place.fetch_one(pool).await?))
}

/// The page after a place; waits for it where there is none yet.
pub(super) async fn follow(
    pool: &SqlitePool,
    ended: &Notify,
    wait: Wait<'_>,
) -> sqlx::Result<EndedPage> {
    let deadline = Instant::now() + wait.patience;
    let after: i64 = stored::parsed(&wait.cursor.0, "place in the log").map_err(unreadable)?;
    loop {
        // Listens before it looks, so that no end falls between the two.
        let bell = ended.notified();
        let page = page(pool, after).await?;
        let now = Instant::now();
        if !page.ended.is_empty() || now >= deadline {
            return Ok(page);
        }
        let next_look = deadline.min(now + LOOK_AGAIN);
        // Rung or not, look again.
        let _rung = timeout_at(next_look, bell).await.is_ok();
    }
}

async fn page(pool: &SqlitePool, after: i64) -> sqlx::Result<EndedPage> {
    let select = "SELECT seq, session_id, ended_at FROM ended_sessions
        WHERE seq > ? ORDER BY seq LIMIT ?";
    let rows = sqlx::query(select)
        .bind(after)
        .bind(i64::try_from(PAGE).unwrap_or(i64::MAX))
        .fetch_all(pool)
        .await?;
    let next = rows.last().map_or(Ok(after), |row| row.try_get("seq"))?;
    Ok(EndedPage {
        ended: rows.iter().map(entry).collect::<sqlx::Result<_>>()?,
        next: cursor(next),
        more: rows.len() == PAGE,
    })
}

fn entry(row: &SqliteRow) -> sqlx::Result<Ended> {
    let session = row
        .try_get::<&str, _>("session_id")?
        .parse()
        .or(Err(unreadable(Unreadable("id"))))?;
    Ok(Ended {
        session,
        at: Timestamp::from_millis(row.try_get("ended_at")?),
    })
}

fn cursor(seq: i64) -> Cursor {
    Cursor(seq.to_string().into())
}
