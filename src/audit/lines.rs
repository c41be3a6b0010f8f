//! Lines of the log, sealed: each over itself and the one before it.
//!
//! ```text
//! {…,"chain":"9f…","line":7,"prev":"…","hash":"…"}
//! ```
//!
//! A chain begins with a process; the chains of several may stand in one file. What is sealed are the
//! bytes before `,"hash"`, so a line must be kept as it was written. Lines that tell of kept entries
//! carry their place and seal as well, by which a file is held against the table.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use serde::Deserialize;

use super::seal::{Hash, SealKeys};
use super::verify::Anchors;
use crate::id::random_bytes;
use crate::logs::LineSeal;
use crate::session::hex;

/// Between what is sealed and the seal.
const SEAL_FIELD: &str = ",\"hash\":\"";

/// Seals the lines of one process.
#[derive(Debug)]
pub struct LineChain {
    keys: SealKeys,
    chain: String,
    line: u64,
    previous: Hash,
}

impl LineChain {
    /// A new chain.
    pub fn new(keys: SealKeys) -> Self {
        Self {
            keys,
            chain: hex(&random_bytes::<8>()),
            line: 0,
            previous: Hash::NONE,
        }
    }
}

impl LineSeal for LineChain {
    fn seal(&mut self, line: &mut Vec<u8>) {
        if !line.ends_with(b"}\n") {
            return;
        }
        line.truncate(line.len() - 2);
        self.line += 1;
        let place = format!(
            ",\"chain\":\"{}\",\"line\":{},\"prev\":\"{}\"",
            self.chain, self.line, self.previous
        );
        line.extend_from_slice(place.as_bytes());
        self.previous = self.keys.line(line);
        line.extend_from_slice(format!("{SEAL_FIELD}{}\"}}\n", self.previous).as_bytes());
    }
}

/// The first line that is not as it was written. Lines of a file count from 1.
#[derive(Debug, thiserror::Error)]
pub enum BrokenLine {
    /// It cannot be read.
    #[error("cannot be read")]
    Unreadable(#[from] io::Error),
    /// No line that was ever sealed.
    #[error("line {0} has no seal")]
    Unsealed(u64),
    /// Its seal is not the one for what it says.
    #[error("line {0} was changed, or sealed with a key that is not in the ring")]
    Altered(u64),
    /// Something stood between it and the one before it in its chain.
    #[error("before line {0} lines are missing, or were moved")]
    Missing(u64),
}

/// What was found in files, one after the other.
#[derive(Debug, Default)]
pub struct Lines {
    /// Sealed lines that are right.
    pub sealed: u64,
    /// Lines at the start, from before there were seals.
    pub unsealed: u64,
    /// Chains that begin before the first file does.
    pub continued: u64,
    /// The entries that the lines tell of.
    pub anchors: Anchors,
    ends: BTreeMap<String, (u64, String)>,
}

#[derive(Deserialize)]
struct Sealed {
    chain: String,
    line: u64,
    prev: String,
    seq: Option<i64>,
    entry_hash: Option<String>,
}

impl Lines {
    /// Verifies another file, the next in time. Empty lines count for nothing.
    pub fn verify(&mut self, file: impl BufRead, keys: &SealKeys) -> Result<(), BrokenLine> {
        for (number, line) in (1..).zip(file.split(b'\n')) {
            let line = line?;
            if line.is_empty() {
                continue;
            }
            match split(&line) {
                Some((sealed, hash)) => self.step((number, sealed, &hash), keys)?,
                None if self.sealed == 0 => self.unsealed += 1,
                None => return Err(BrokenLine::Unsealed(number)),
            }
        }
        Ok(())
    }

    fn step(
        &mut self,
        (number, sealed, hash): (u64, &[u8], &Hash),
        keys: &SealKeys,
    ) -> Result<(), BrokenLine> {
        if !keys.is_line(sealed, hash) {
            return Err(BrokenLine::Altered(number));
        }
        let whole = [sealed, b"}"].concat();
        let line: Sealed =
            serde_json::from_slice(&whole).map_err(|_other| BrokenLine::Altered(number))?;
        let end = (line.line, hash.to_string());
        let before = self.ends.insert(line.chain, end);
        match before {
            Some((place, last)) if place + 1 == line.line && last == line.prev => {}
            Some(_) => return Err(BrokenLine::Missing(number)),
            None if line.line == 1 => {}
            None => self.continued += 1,
        }
        self.sealed += 1;
        let entry_hash = line.entry_hash.and_then(|hash| hash.parse().ok());
        self.anchors.extend(line.seq.zip(entry_hash));
        Ok(())
    }
}

/// What is sealed, and the seal.
fn split(line: &[u8]) -> Option<(&[u8], Hash)> {
    let tail = SEAL_FIELD.len() + 2 * Hash::BYTES + "\"}".len();
    let (sealed, tail) = line.split_at_checked(line.len().checked_sub(tail)?)?;
    let tail = std::str::from_utf8(tail).ok()?;
    let hash = tail.strip_prefix(SEAL_FIELD)?.strip_suffix("\"}")?;
    Some((sealed, hash.parse().ok()?))
}
