//! The list of breached passwords: a file that is looked into and never loaded.
//!
//! Holds the first 64 bits of the SHA-1 of each password, in order. A file begins with [`MAGIC`] and
//! the number of entries; then a table of 65,537 numbers says how many entries lie before each first
//! two bytes; then come the entries, 6 bytes each: those that follow the first two. All numbers are 64
//! bits, the largest byte first. What is breached, the rules of [`password`](crate::password) ask;
//! [`compile`] makes the file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::password::rules::{Breached, KnownPasswords, Sha1};
use crate::unavailable::Unavailable;

pub mod compile;

/// How a file begins. The number at its end is that of the format.
const MAGIC: &[u8; 24] = b"doorward breached list 1";
const COUNT_AT: u64 = MAGIC.len() as u64;
const TABLE_AT: u64 = COUNT_AT + 8;
const BUCKETS: usize = 1 << 16;
const ENTRIES_AT: u64 = TABLE_AT + 8 * (BUCKETS as u64 + 1);
const ENTRY: usize = 6;

/// How many entries are read at once at the end of a search: about one page of the disk.
const WINDOW: u64 = 680;

/// Why a list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read.
    #[error("cannot be read ({0})")]
    Io(#[from] io::Error),
    /// It begins otherwise.
    #[error("is no list that `doorward passwords compile` made")]
    NoList,
    /// It begins as it should, but is shorter or longer, or its table is not in order.
    #[error("is damaged, or was not written to its end")]
    Damaged,
}

/// A list on disk.
#[derive(Debug)]
struct List {
    file: File,
    path: PathBuf,
}

/// Opens a list, and looks whether it is whole.
pub fn open(path: &Path) -> Result<Breached, OpenError> {
    let list = List {
        file: File::open(path)?,
        path: path.to_owned(),
    };
    list.check()?;
    Ok(Breached::new(path.to_owned(), Arc::new(list)))
}

impl List {
    fn check(&self) -> Result<(), OpenError> {
        let mut magic = [0; MAGIC.len()];
        match self.file.read_exact_at(&mut magic, 0) {
            Ok(()) if magic == *MAGIC => {}
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error.into()),
            Ok(()) | Err(_) => return Err(OpenError::NoList),
        }
        let mut table = vec![0; 8 * (BUCKETS + 1)];
        let whole = self.file.read_exact_at(&mut table, TABLE_AT);
        whole.map_err(|_short| OpenError::Damaged)?;
        let (numbers, _) = table.as_chunks::<8>();
        let count = self.number(COUNT_AT)?;
        let in_order = numbers.iter().is_sorted();
        let length = count
            .checked_mul(ENTRY as u64)
            .and_then(|bytes| bytes.checked_add(ENTRIES_AT));
        let whole = length == Some(self.file.metadata()?.len());
        let first = numbers.first().map(|number| u64::from_be_bytes(*number));
        let last = numbers.last().map(|number| u64::from_be_bytes(*number));
        if in_order && whole && first == Some(0) && last == Some(count) {
            Ok(())
        } else {
            Err(OpenError::Damaged)
        }
    }

    fn number(&self, at: u64) -> io::Result<u64> {
        let mut number = [0; 8];
        self.file.read_exact_at(&mut number, at)?;
        Ok(u64::from_be_bytes(number))
    }

    /// A search in halves, until what is left is read at once.
    fn search(&self, sha1: &Sha1) -> io::Result<bool> {
        let [high, low, wanted @ ..] = short(sha1);
        let bucket = u64::from(u16::from_be_bytes([high, low]));
        let mut from = self.number(TABLE_AT + 8 * bucket)?;
        let mut to = self.number(TABLE_AT + 8 * (bucket + 1))?;
        while to.saturating_sub(from) > WINDOW {
            let middle = from.midpoint(to);
            if self.entry(middle)? <= wanted {
                from = middle;
            } else {
                to = middle;
            }
        }
        let left = usize::try_from(to.saturating_sub(from)).map_err(io::Error::other)?;
        let mut window = vec![0; left * ENTRY];
        self.file
            .read_exact_at(&mut window, ENTRIES_AT + from * ENTRY as u64)?;
        let (entries, _) = window.as_chunks::<ENTRY>();
        Ok(entries.binary_search(&wanted).is_ok())
    }

    fn entry(&self, index: u64) -> io::Result<[u8; ENTRY]> {
        let mut entry = [0; ENTRY];
        self.file
            .read_exact_at(&mut entry, ENTRIES_AT + index * ENTRY as u64)?;
        Ok(entry)
    }
}

impl KnownPasswords for List {
    fn contains(&self, sha1: &Sha1) -> Result<bool, Unavailable> {
        self.search(sha1).map_err(|error| {
            let error = format!("{}: {error}", self.path.display());
            Unavailable::new("the list of breached passwords", error)
        })
    }
}

/// What is kept of a digest. Of a billion entries one in 18 billion other passwords is taken for
/// breached.
fn short(sha1: &Sha1) -> [u8; 8] {
    let (start, _) = sha1.as_chunks::<8>();
    start.first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
