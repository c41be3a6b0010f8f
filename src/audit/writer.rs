//! The one who writes the trail behind the requests: in batches, in order, and again until it is kept.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::entry::{Entry, Line};
use super::store::{AuditStore, Head};
use super::{Action, MAX_WAITING, Message, Outcome, Reply};
use crate::clock::SharedClock;
use crate::logs::LineLog;
use crate::unavailable::Unavailable;

/// How long entries are gathered after the first: what a kill may cost, beside the write itself. Less
/// would mean more commits, which sign-ins in SQLite wait for.
const GATHER: Duration = Duration::from_millis(50);

/// Entries of a transaction.
const BATCH: usize = 256;

/// How often a database that is away is asked again, where nothing new comes in.
const RETRY: Duration = Duration::from_secs(1);

/// What is counted of the trail.
#[derive(Debug, Default)]
pub struct Counters {
    /// Entries that will never be kept.
    pub missing: Counter,
    /// Entries that wait to be kept.
    pub waiting: Gauge,
    /// Those of `missing` that the trail does not tell of yet.
    untold: AtomicU64,
}

impl Counters {
    /// With these metrics.
    pub const fn new(missing: Counter, waiting: Gauge) -> Self {
        Self {
            missing,
            waiting,
            untold: AtomicU64::new(0),
        }
    }

    pub(super) fn lost(&self, count: u64) {
        self.missing.inc_by(count);
        self.untold.fetch_add(count, Ordering::Relaxed);
    }
}

/// What the writer works with.
pub(super) struct Parts {
    pub(super) receiver: mpsc::Receiver<Message>,
    pub(super) store: AuditStore,
    pub(super) lines: LineLog,
    pub(super) clock: SharedClock,
}

/// Writes the trail. Runs until the last [`Audit`](super::Audit) is gone; dropped, it stops.
pub struct Writer {
    parts: Parts,
    counters: Arc<Counters>,
    pending: VecDeque<Pending>,
    replies: Vec<Reply>,
    /// The end of the trail when we wrote last.
    known: Option<Head>,
    is_away: bool,
}

struct Pending {
    entry: Entry,
    line: LineOf,
}

/// Whether the log has the line of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineOf {
    Unwritten,
    Written,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) const fn new(parts: Parts, counters: Arc<Counters>) -> Self {
        Self {
            parts,
            counters,
            pending: VecDeque::new(),
            replies: Vec::new(),
            known: None,
            is_away: false,
        }
    }

    /// Writes what comes.
    pub async fn run(mut self) {
        loop {
            let next = if self.pending.is_empty() {
                Ok(self.parts.receiver.recv().await)
            } else {
                timeout(RETRY, self.parts.receiver.recv()).await
            };
            match next {
                Ok(Some(message)) => {
                    self.take(message);
                    self.gather().await;
                }
                Ok(None) => return self.keep_all().await,
                Err(_quiet) => {}
            }
            self.keep_all().await;
        }
    }

    /// Takes what comes soon; all that is there, and no more, once somebody waits.
    async fn gather(&mut self) {
        let mut enough = pin!(sleep(GATHER));
        while self.pending.len() < BATCH {
            if self.replies.is_empty() {
                tokio::select! {
                    biased;
                    () = &mut enough => return,
                    message = self.parts.receiver.recv() => match message {
                        Some(message) => self.take(message),
                        None => return,
                    },
                }
            } else {
                match self.parts.receiver.try_recv() {
                    Ok(message) => self.take(message),
                    Err(_none) => return,
                }
            }
        }
    }

    fn take(&mut self, message: Message) {
        let entry = match message {
            Message::Entry(entry) => entry,
            Message::Durable(entry, reply) => {
                self.replies.push(reply);
                entry
            }
            Message::Flush(reply) => return self.replies.push(reply),
        };
        self.pending.push_back(Pending {
            entry,
            line: LineOf::Unwritten,
        });
    }

    async fn keep_all(&mut self) {
        while !self.pending.is_empty() || self.counters.untold.load(Ordering::Relaxed) > 0 {
            if let Err(error) = self.keep_batch().await {
                self.spill(&error);
                break;
            }
        }
        for reply in self.replies.drain(..) {
            // Whoever asked may have gone away meanwhile.
            drop(reply.send(Ok(())));
        }
        self.counters
            .waiting
            .set(self.pending.len().try_into().unwrap_or(i64::MAX));
    }

    async fn keep_batch(&mut self) -> Result<(), Unavailable> {
        let untold = self.counters.untold.load(Ordering::Relaxed);
        let pending = self.pending.iter().take(BATCH);
        let mut batch: Vec<Entry> = pending.map(|pending| pending.entry.clone()).collect();
        let taken = batch.len();
        if untold > 0 {
            batch.push(self.gap(untold));
        }
        let kept = self.parts.store.append(&batch, self.known).await?;
        self.counters.untold.fetch_sub(untold, Ordering::Relaxed);
        if std::mem::take(&mut self.is_away) {
            tracing::info!("the audit trail can be written again");
        }
        // An entry about the trail may stand before ours, and ours end the batch.
        let ours = kept.len().saturating_sub(batch.len());
        let mut written = self.pending.drain(..taken).map(|pending| pending.line);
        for (place, kept) in kept.iter().enumerate() {
            let line = match place {
                before if before < ours => LineOf::Unwritten,
                _ => written.next().unwrap_or(LineOf::Unwritten),
            };
            if line == LineOf::Unwritten {
                self.parts.lines.write(&Line::kept(kept));
            }
        }
        drop(written);
        self.known = kept.last().map(|kept| Head {
            seq: kept.seq,
            hash: kept.hash,
        });
        Ok(())
    }

    fn gap(&self, count: u64) -> Entry {
        Entry {
            reason: "not-kept".into(),
            detail: Some(count.to_string()),
            ..Entry::about_trail(Action::AuditGap, Outcome::Failed, self.parts.clock.now())
        }
    }

    /// The database is away: the log gets the lines now, marked, and the entries wait, the newest of too
    /// many given up. Whoever waits hears of it.
    fn spill(&mut self, error: &Unavailable) {
        let reason = match &error.source.source() {
            Some(deeper) => format!("{}: {deeper}", error.source),
            None => error.source.to_string(),
        };
        if !std::mem::replace(&mut self.is_away, true) {
            tracing::error!(%reason, "the audit trail cannot be written; its entries wait, and go to the log");
        }
        for pending in &mut self.pending {
            if pending.line == LineOf::Unwritten {
                self.parts.lines.write(&Line::unkept(&pending.entry));
                pending.line = LineOf::Written;
            }
        }
        let given_up = self.pending.len().saturating_sub(MAX_WAITING);
        self.pending.truncate(MAX_WAITING);
        self.counters.lost(given_up.try_into().unwrap_or(u64::MAX));
        for reply in self.replies.drain(..) {
            drop(reply.send(Err(Unavailable::new("the audit trail", reason.clone()))));
        }
    }
}
