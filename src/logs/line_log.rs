//! A log of lines that never makes anybody wait.
//!
//! Lines gather in a bounded buffer, which a thread takes and writes as a whole. When the buffer is
//! full, because a disk is slow or a pipe is not read, lines are lost, counted, and the loss is told in
//! the log itself; requests go on.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use prometheus_client::metrics::counter::Counter;
use serde::Serialize;

use self::sink::Sink;
use super::LogTarget;
use crate::clock::SharedClock;

mod sink;
mod syslog;
#[cfg(test)]
mod tests;

/// Bytes that may wait, and as many again may be on their way out: more than a busy gateway writes in a
/// second.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// How long the writer gathers after the first line. Whoever writes a line that somebody waits for pays
/// for waking them; so the writer does not wait while lines keep coming.
const GATHER: Duration = Duration::from_millis(10);
/// What the buffers keep after a burst.
const USUAL_BYTES: usize = 256 * 1024;
/// How often a quiet log looks after its file.
const QUIET: Duration = Duration::from_secs(1);

/// Puts a seal on each line, in the order in which they are written.
pub trait LineSeal: Send {
    /// Seals a line, which ends with its line break.
    fn seal(&mut self, line: &mut Vec<u8>);
}

/// A log of lines. Clones write to the same one.
#[derive(Clone, Debug)]
pub struct LineLog(Option<Arc<Writing>>);

/// The side of those who write lines. When the last of them goes, so does the thread.
#[derive(Debug)]
struct Writing(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Rung when something waits where nothing did.
    bell: Condvar,
    lost: Counter,
}

/// What waits for the thread.
#[derive(Debug, Default)]
struct Waiting {
    /// Whole lines.
    lines: Vec<u8>,
    /// How many.
    count: u64,
    /// Who wants to know that they are written.
    flushes: Vec<SyncSender<()>>,
    /// Nobody is left who could write a line.
    is_over: bool,
}

impl LineLog {
    /// Opens the log and starts its thread. `lost` counts the lines that do not get through.
    pub fn open(target: LogTarget, clock: SharedClock, lost: Counter) -> io::Result<Self> {
        Self::open_with(target, (clock, lost), None)
    }

    /// The same for a log whose lines are sealed.
    pub fn open_sealed(
        target: LogTarget,
        (clock, lost): (SharedClock, Counter),
        seal: Box<dyn LineSeal>,
    ) -> io::Result<Self> {
        Self::open_with(target, (clock, lost), Some(seal))
    }

    fn open_with(
        target: LogTarget,
        (clock, lost): (SharedClock, Counter),
        seal: Option<Box<dyn LineSeal>>,
    ) -> io::Result<Self> {
        let Some(sink) = Sink::open(target, &clock)? else {
            return Ok(Self(None));
        };
        let reported = lost.get();
        let log = Self::unwritten(lost);
        if let Some(writing) = &log.0 {
            let writer = Writer {
                shared: Arc::clone(&writing.0),
                sink,
                seal,
                clock,
                reported,
            };
            thread::Builder::new()
                .name("log".into())
                .spawn(move || writer.run())?;
        }
        Ok(log)
    }

    /// A log that goes nowhere.
    pub const fn off() -> Self {
        Self(None)
    }

    /// A log without its thread.
    fn unwritten(lost: Counter) -> Self {
        let shared = Shared {
            waiting: Mutex::default(),
            bell: Condvar::new(),
            lost,
        };
        Self(Some(Arc::new(Writing(Arc::new(shared)))))
    }

    /// Writes `record` as one line of JSON; never waits. A line break in it cannot end the line, since
    /// JSON escapes it (RFC 8259 §7).
    pub fn write(&self, record: &impl Serialize) {
        self.write_with(|line| {
            // Only a map with keys that are no texts cannot be written; there is none.
            if let Err(error) = serde_json::to_writer(&mut *line, record) {
                tracing::error!(%error, "a log line cannot be written as JSON");
                line.clear();
            } else {
                line.push(b'\n');
            }
        });
    }

    /// Lets a whole line be written, with its line break; nothing, where it cannot be.
    pub(super) fn write_with(&self, write: impl FnOnce(&mut Vec<u8>)) {
        thread_local! {
            /// So that a line costs no allocation, and the lock is held for no more than a copy.
            static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        let Some(writing) = &self.0 else { return };
        LINE.with_borrow_mut(|line| {
            line.clear();
            write(line);
            if line.is_empty() {
                writing.0.lost.inc();
            } else {
                writing.0.push(line);
            }
            line.shrink_to(USUAL_BYTES);
        });
    }

    /// Waits until what was written is with the operating system; at most for `limit`. Blocks.
    pub fn flush(&self, limit: Duration) {
        let Some(writing) = &self.0 else { return };
        let (done, is_done) = sync_channel(1);
        writing.0.waiting.lock().flushes.push(done);
        writing.0.bell.notify_one();
        if is_done.recv_timeout(limit).is_err() {
            tracing::warn!("a log could not be written out in time");
        }
    }
}

impl Shared {
    fn push(&self, line: &[u8]) {
        let mut waiting = self.waiting.lock();
        if waiting.lines.len() + line.len() > MAX_BYTES {
            self.lost.inc();
            return;
        }
        let was_empty = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        waiting.count += 1;
        drop(waiting);
        if was_empty {
            self.bell.notify_one();
        }
    }

    /// Waits for something to do, for as long as a quiet log may; whether there is anything.
    fn await_work(&self) -> bool {
        let mut waiting = self.waiting.lock();
        if !waiting.is_idle() {
            return true;
        }
        self.bell.wait_for(&mut waiting, QUIET);
        !waiting.is_idle()
    }
}

impl Waiting {
    const fn is_idle(&self) -> bool {
        self.lines.is_empty() && self.flushes.is_empty() && !self.is_over
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.waiting.lock().is_over = true;
        self.0.bell.notify_one();
    }
}

/// The thread's side.
struct Writer {
    shared: Arc<Shared>,
    sink: Sink,
    seal: Option<Box<dyn LineSeal>>,
    clock: SharedClock,
    /// How many lost lines the log has told of.
    reported: u64,
}

/// A line about lines that are missing.
#[derive(Serialize)]
struct Loss {
    time: String,
    lost_lines: u64,
}

impl Writer {
    fn run(mut self) {
        // Changes places with the buffer that gathers.
        let mut batch = Waiting::default();
        loop {
            if !self.shared.await_work() {
                self.sink.look_after_file();
                continue;
            }
            thread::sleep(GATHER);
            std::mem::swap(&mut batch, &mut *self.shared.waiting.lock());
            self.write_out(&batch);
            for flush in batch.flushes.drain(..) {
                if flush.try_send(()).is_err() {
                    tracing::debug!("nobody waits any more for a log to be written out");
                }
            }
            if batch.is_over {
                return;
            }
            batch.lines.clear();
            batch.lines.shrink_to(USUAL_BYTES);
            batch.count = 0;
        }
    }

    fn write_out(&mut self, batch: &Waiting) {
        self.tell_loss();
        if batch.lines.is_empty() {
            return;
        }
        let sealed = self.sealed(&batch.lines);
        if !self.sink.write(sealed.as_deref().unwrap_or(&batch.lines)) {
            self.shared.lost.inc_by(batch.count);
        }
    }

    /// The lines with their seals, where they have any.
    fn sealed(&mut self, lines: &[u8]) -> Option<Vec<u8>> {
        let seal = self.seal.as_mut()?;
        let lines = lines.split_inclusive(|byte| *byte == b'\n');
        let sealed = lines.map(|line| {
            let mut line = line.to_vec();
            seal.seal(&mut line);
            line
        });
        Some(sealed.collect::<Vec<_>>().concat())
    }

    fn tell_loss(&mut self) {
        let lost = self.shared.lost.get();
        if lost <= self.reported {
            return;
        }
        let notice = Loss {
            time: self.clock.now().to_string(),
            lost_lines: lost - self.reported,
        };
        if let Ok(mut line) = serde_json::to_vec(&notice) {
            line.push(b'\n');
            let line = self.sealed(&line).unwrap_or(line);
            if self.sink.write(&line) {
                self.reported = lost;
            }
        }
    }
}
