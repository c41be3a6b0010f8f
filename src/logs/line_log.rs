//! A log of lines that never makes anybody wait.
//!
//! Lines go through a bounded queue to a thread that writes them in batches. When the queue is full,
//! because a disk is slow or a pipe is not read, lines are lost, counted, and the loss is told in the
//! log itself; requests go on.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use serde::Serialize;

use self::sink::Sink;
use super::LogTarget;
use crate::clock::SharedClock;

mod sink;
#[cfg(test)]
mod tests;

/// Lines that may wait: what a busy gateway writes in a second.
const MAX_LINES: usize = 16 * 1024;
/// Bytes that may wait, since a line may be as long as the longest path.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// How long the writer gathers after the first line. Whoever writes a line into a queue that somebody
/// waits on pays for waking them; so the writer does not wait there while lines keep coming.
const GATHER: Duration = Duration::from_millis(10);
/// One write is about this long.
const BATCH_BYTES: usize = 256 * 1024;
/// How often a quiet log looks after its file.
const QUIET: Duration = Duration::from_secs(1);

enum Message {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

/// A log of lines. Clones write to the same one.
#[derive(Clone, Debug)]
pub struct LineLog(Option<Queue>);

#[derive(Clone, Debug)]
struct Queue {
    sender: SyncSender<Message>,
    waiting: Arc<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    bytes: AtomicUsize,
    lost: Counter,
}

impl LineLog {
    /// Opens the log and starts its thread. `lost` counts the lines that do not get through.
    pub fn open(target: LogTarget, clock: SharedClock, lost: Counter) -> io::Result<Self> {
        let Some(sink) = Sink::open(target)? else {
            return Ok(Self(None));
        };
        let (sender, receiver) = sync_channel(MAX_LINES);
        let waiting = Arc::new(Waiting {
            bytes: AtomicUsize::new(0),
            lost,
        });
        let writer = Writer {
            reported: waiting.lost.get(),
            waiting: Arc::clone(&waiting),
            receiver,
            sink,
            clock,
            batch: Vec::new(),
            lines_in_batch: 0,
        };
        thread::Builder::new()
            .name("log".into())
            .spawn(move || writer.run())?;
        Ok(Self(Some(Queue { sender, waiting })))
    }

    /// A log that goes nowhere.
    pub const fn off() -> Self {
        Self(None)
    }

    /// Writes `record` as one line of JSON; never waits. A line break in it cannot end the line, since
    /// JSON escapes it (RFC 8259 §7).
    pub fn write(&self, record: &impl Serialize) {
        let Some(queue) = &self.0 else { return };
        // Most lines fit, so that most lines cost one allocation.
        let mut line = Vec::with_capacity(512);
        match serde_json::to_writer(&mut line, record) {
            Ok(()) => {
                line.push(b'\n');
                queue.push(line);
            }
            Err(error) => {
                queue.waiting.lost.inc();
                tracing::error!(%error, "a log line cannot be written as JSON");
            }
        }
    }

    /// Waits until what was written is with the operating system; at most for `limit`. Blocks.
    pub fn flush(&self, limit: Duration) {
        let Some(queue) = &self.0 else { return };
        let (done, is_done) = sync_channel(1);
        if queue.sender.send(Message::Flush(done)).is_err() || is_done.recv_timeout(limit).is_err()
        {
            tracing::warn!("a log could not be written out in time");
        }
    }
}

impl Queue {
    fn push(&self, line: Vec<u8>) {
        let length = line.len();
        let before = self.waiting.bytes.fetch_add(length, Ordering::Relaxed);
        let pushed = if before + length > MAX_BYTES {
            Err(TrySendError::Full(Message::Line(line)))
        } else {
            self.sender.try_send(Message::Line(line))
        };
        if pushed.is_err() {
            self.waiting.bytes.fetch_sub(length, Ordering::Relaxed);
            self.waiting.lost.inc();
        }
    }
}

/// The thread's side.
struct Writer {
    receiver: Receiver<Message>,
    waiting: Arc<Waiting>,
    sink: Sink,
    clock: SharedClock,
    batch: Vec<u8>,
    lines_in_batch: u64,
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
        loop {
            match self.receiver.recv_timeout(QUIET) {
                Ok(message) => {
                    if matches!(message, Message::Line(_)) {
                        thread::sleep(GATHER);
                    }
                    self.take(message);
                    while let Ok(message) = self.receiver.try_recv() {
                        self.take(message);
                    }
                    self.write_out();
                }
                Err(RecvTimeoutError::Timeout) => self.sink.look_after_file(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Line(line) => {
                self.tell_loss();
                self.waiting.bytes.fetch_sub(line.len(), Ordering::Relaxed);
                self.batch.extend_from_slice(&line);
                self.lines_in_batch += 1;
                if self.batch.len() >= BATCH_BYTES {
                    self.write_out();
                }
            }
            Message::Flush(done) => {
                self.write_out();
                if done.try_send(()).is_err() {
                    tracing::debug!("nobody waits any more for a log to be written out");
                }
            }
        }
    }

    fn tell_loss(&mut self) {
        let lost = self.waiting.lost.get();
        if lost > self.reported {
            let notice = Loss {
                time: self.clock.now().to_string(),
                lost_lines: lost - self.reported,
            };
            if serde_json::to_writer(&mut self.batch, &notice).is_ok() {
                self.batch.push(b'\n');
                self.reported = lost;
            }
        }
    }

    fn write_out(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        if !self.sink.write(&self.batch) {
            self.waiting.lost.inc_by(self.lines_in_batch);
        }
        self.batch.clear();
        self.lines_in_batch = 0;
    }
}
