//! Where lines end up: standard output, a file that may be moved away, or a syslog server.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::syslog::Syslog;
use crate::clock::SharedClock;
use crate::logs::LogTarget;

/// How often the file is looked for, so that what rotates logs need not tell us.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Takes whole lines.
pub(super) struct Sink {
    output: Output,
    /// Whether the last write failed: it is told once, not for each batch.
    broken: bool,
}

enum Output {
    Stdout,
    File(OpenFile),
    Syslog(Syslog),
}

struct OpenFile {
    path: PathBuf,
    file: File,
    looked: Instant,
}

impl Sink {
    pub(super) fn open(target: LogTarget, clock: &SharedClock) -> io::Result<Option<Self>> {
        let output = match target {
            LogTarget::Off => return Ok(None),
            LogTarget::Stdout => Output::Stdout,
            LogTarget::Syslog(server) => Output::Syslog(Syslog::new(server, clock.clone())),
            LogTarget::File(path) => Output::File(OpenFile {
                file: open(&path)?,
                path,
                looked: Instant::now(),
            }),
        };
        Ok(Some(Self {
            output,
            broken: false,
        }))
    }

    /// Writes `lines`; false when they are lost, or some of them.
    pub(super) fn write(&mut self, lines: &[u8]) -> bool {
        self.look_after_file();
        let result = match &mut self.output {
            Output::Stdout => write_lines(&mut io::stdout().lock(), lines, self.broken),
            Output::File(open) => write_lines(&mut open.file, lines, self.broken),
            Output::Syslog(syslog) => syslog.send(lines),
        };
        match &result {
            Err(error) if !self.broken => tell_broken(error),
            Ok(()) if self.broken => tell_mended(),
            Ok(()) | Err(_) => {}
        }
        self.broken = result.is_err();
        !self.broken
    }

    /// Begins the file anew if it was moved away.
    pub(super) fn look_after_file(&mut self) {
        let Output::File(open) = &mut self.output else {
            return;
        };
        if open.looked.elapsed() < LOOK_EVERY {
            return;
        }
        open.looked = Instant::now();
        if let Err(error) = open.follow() {
            tracing::warn!(%error, file = %open.path.display(), "a log file cannot be begun anew");
        }
    }
}

impl OpenFile {
    fn follow(&mut self) -> io::Result<()> {
        let ours = self.file.metadata()?;
        let same = fs::metadata(&self.path)
            .is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino()));
        if !same {
            self.file = open(&self.path)?;
        }
        Ok(())
    }
}

fn tell_broken(error: &io::Error) {
    tracing::error!(%error, "a log cannot be written, its lines are lost");
}

fn tell_mended() {
    tracing::info!("a log can be written again");
}

/// After a failed write the file may end in half a line, so the next one begins on a new one.
fn write_lines(output: &mut impl Write, lines: &[u8], after_failure: bool) -> io::Result<()> {
    if after_failure {
        output.write_all(b"\n")?;
    }
    output.write_all(lines)?;
    output.flush()
}

/// Addresses and names are in it: not for everybody to read.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
}
