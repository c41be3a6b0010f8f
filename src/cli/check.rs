//! `doorward check`: says whether a configuration file is sound, and if not, everything that is wrong.

use std::io::{self, Write};
use std::path::Path;

use crate::app;
use crate::config::environment::{Environment, ProcessEnvironment};
use crate::config::mistake::Mistakes;
use crate::config::{Config, LogTarget, SessionStoreConfig};

/// What came of a check; the exit code is the caller's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The file can be served.
    Sound,
    /// It cannot.
    Mistaken,
}

/// Checks `file` in the environment of this process and writes what came of it to `out`.
pub fn run(file: &Path, out: &mut dyn Write) -> io::Result<Verdict> {
    run_in(&ProcessEnvironment, file, out)
}

/// Checks `file` in another environment.
pub fn run_in(
    environment: &dyn Environment,
    file: &Path,
    out: &mut dyn Write,
) -> io::Result<Verdict> {
    match app::load(file, environment) {
        Ok(config) => {
            writeln!(out, "{}: ok ({})", file.display(), summary(&config))?;
            Ok(Verdict::Sound)
        }
        Err(mistakes) => {
            write_mistakes(&mistakes, file, out)?;
            Ok(Verdict::Mistaken)
        }
    }
}

/// All mistakes, one a line, and a line that counts them.
pub fn write_mistakes(mistakes: &Mistakes, file: &Path, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{mistakes}")?;
    let count = counted(mistakes.count(), "mistake");
    writeln!(out, "{}: {count}", file.display())
}

fn summary(config: &Config) -> String {
    let sessions = match config.sessions.store {
        SessionStoreConfig::Embedded => "embedded",
        SessionStoreConfig::Redis(_) => "redis",
    };
    let mut parts = vec![
        counted(config.routes.len(), "route"),
        counted(config.upstreams.len(), "upstream"),
        counted(config.issuers.len(), "issuer"),
        counted(config.dialects.len(), "dialect"),
        format!("sessions {sessions}"),
    ];
    if config.mail.is_none() {
        parts.push("no mail".to_owned());
    }
    if config.listen.certificates.is_empty() {
        parts.push("self-signed certificate".to_owned());
    }
    if config.log.audit == LogTarget::Off {
        parts.push("no audit log".to_owned());
    }
    parts.join(", ")
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}
