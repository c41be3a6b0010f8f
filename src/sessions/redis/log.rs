//! The log of ended sessions: a Redis Stream.
//!
//! A stream is push and replay in one. A subscription beside a log would need care that nothing falls
//! between the last line of the log and the first message; a blocking read that names the place after
//! which it reads has no such gap, and a reader that was away goes on where it stood.
//!
//! Entry ids are drawn by Redis, from its own clock and never falling, while all times inside are the
//! caller's: ids only say which entry comes first, whoever wrote it, and for that one clock is better
//! than many.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::streams::{StreamId, StreamRangeReply, StreamReadReply};
use redis::{RedisResult, cmd};

use crate::sessions::stored::{self, Unreadable};
use crate::sessions::{Cursor, Ended, EndedPage};

use super::link::within_patience;

/// The most that one page holds; bounds the memory of a reader that was away for long.
const PAGE: usize = 1000;

/// Before the first entry.
pub(super) const START: &str = "0-0";

/// A reader at its place in a log.
pub(super) struct Reader<'a> {
    /// The key of the log.
    pub(super) log: &'a str,
    /// The id of the last entry that it has read.
    pub(super) cursor: &'a str,
    /// How long it waits for the next one.
    pub(super) patience: Duration,
}

/// What a reader found.
pub(super) struct Found {
    entries: Vec<StreamId>,
    /// The place after which they stand.
    after: String,
}

impl Reader<'_> {
    /// Reads what stands after the place of the reader, and waits where there is nothing.
    ///
    /// The first look includes the reader's place itself. Where that is not found, the log is not the
    /// one in which it was a place: the server lost the end of it, or all, or another server has taken
    /// over. The entries since may have lower ids, so the place to go on from is the start. (So it is
    /// where the entry was only cleared away; then there is little or nothing to read again.)
    pub(super) async fn read(&self, connection: &mut MultiplexedConnection) -> RedisResult<Found> {
        let mut entries = self.at_place(connection).await?;
        let at_place = entries.first().is_some_and(|entry| entry.id == self.cursor);
        let lost = !at_place && self.cursor != START;
        if lost {
            entries.clear();
        }
        entries.retain(|entry| entry.id != self.cursor);
        let after = if lost { START } else { self.cursor };
        // Without patience nothing can have come since the look, unless the place has moved.
        if entries.is_empty() && (after != self.cursor || !self.patience.is_zero()) {
            entries = self.wait(connection, after).await?;
        }
        Ok(Found {
            entries,
            after: after.to_owned(),
        })
    }

    async fn at_place(&self, connection: &mut MultiplexedConnection) -> RedisResult<Vec<StreamId>> {
        let mut range = cmd("XRANGE");
        range.arg(self.log).arg(self.cursor).arg("+");
        range.arg("COUNT").arg(PAGE);
        let range = range.query_async::<StreamRangeReply>(connection);
        Ok(within_patience(Duration::ZERO, range).await?.ids)
    }

    async fn wait(
        &self,
        connection: &mut MultiplexedConnection,
        after: &str,
    ) -> RedisResult<Vec<StreamId>> {
        // Zero would mean for ever.
        let millis = u64::try_from(self.patience.as_millis().max(1)).unwrap_or(u64::MAX);
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(PAGE).arg("BLOCK").arg(millis);
        read.arg("STREAMS").arg(self.log).arg(after);
        let read = read.query_async::<Option<StreamReadReply>>(connection);
        let reply = within_patience(self.patience, read).await?;
        let streams = reply.map(|reply| reply.keys).unwrap_or_default();
        Ok(streams.into_iter().flat_map(|stream| stream.ids).collect())
    }
}

impl Found {
    /// The page that was found.
    pub(super) fn page(&self) -> Result<EndedPage, Unreadable> {
        let next = self.entries.last().map_or(&self.after, |entry| &entry.id);
        Ok(EndedPage {
            ended: self.entries.iter().map(ended).collect::<Result<_, _>>()?,
            next: Cursor(next.as_str().into()),
            // One less than a full page, as the reader's own place may have been the first entry.
            more: self.entries.len() + 1 >= PAGE,
        })
    }
}

fn ended(entry: &StreamId) -> Result<Ended, Unreadable> {
    let field = |name: &'static str| entry.get::<String>(name).ok_or(Unreadable(name));
    Ok(Ended {
        session: stored::parsed(&field("session")?, "session")?,
        at: stored::time(&field("at")?, "at")?,
    })
}
