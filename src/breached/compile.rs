//! Making a list of breached passwords: from the file of Have I Been Pwned, or from passwords.

use std::io::{self, BufRead, BufWriter, Seek, SeekFrom, Write};

use super::{BUCKETS, ENTRIES_AT, MAGIC, short};
use crate::password::rules::{Sha1, sha1};

/// What a line of the input holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// A SHA-1 in hex, perhaps `:` and a count: the file of Have I Been Pwned, ordered by hash. Takes
    /// no memory to speak of, however long it is.
    Hashes,
    /// A password, in any order; 8 bytes of memory for each.
    Passwords,
}

/// Why no list was made.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The input cannot be read or the output not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line is no SHA-1.
    #[error(
        "line {0} is no SHA-1 in hex; for a list of passwords themselves, one a line, say --plain"
    )]
    NoHash(u64),
    /// A line is smaller than the one before it.
    #[error("line {0} is out of order; take the file that is ordered by hash, or sort this one")]
    Order(u64),
    /// There was nothing in it.
    #[error("there are no passwords in it")]
    Empty,
}

/// Makes a list; says how many entries it has.
pub fn compile(
    input: impl BufRead,
    lines: Lines,
    output: impl Write + Seek,
) -> Result<u64, CompileError> {
    let mut list = Writer::begin(output)?;
    match lines {
        Lines::Hashes => hashes(input, &mut list)?,
        Lines::Passwords => passwords(input, &mut list)?,
    }
    list.end()
}

fn hashes<W: Write + Seek>(input: impl BufRead, list: &mut Writer<W>) -> Result<(), CompileError> {
    let mut number = 0;
    each_line(input, |line| {
        number += 1;
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(());
        }
        let sha1 = read_hash(line).ok_or(CompileError::NoHash(number))?;
        match list.add(short(&sha1))? {
            Added::InOrder => Ok(()),
            Added::OutOfOrder => Err(CompileError::Order(number)),
        }
    })
}

/// 40 digits, and nothing but a count behind them.
fn read_hash(line: &[u8]) -> Option<Sha1> {
    let (digits, rest) = line.split_at_checked(40)?;
    let counted = rest.strip_prefix(b":").unwrap_or(rest);
    if rest.first().is_some_and(|byte| *byte != b':') || !counted.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut sha1 = [0; 20];
    for (byte, pair) in sha1.iter_mut().zip(digits.as_chunks::<2>().0) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(high? * 16 + low?).ok()?;
    }
    Some(sha1)
}

fn passwords<W: Write + Seek>(
    input: impl BufRead,
    list: &mut Writer<W>,
) -> Result<(), CompileError> {
    let mut all = Vec::new();
    each_line(input, |line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            all.push(short(&sha1(line)));
        }
        Ok(())
    })?;
    all.sort_unstable();
    for entry in all {
        list.add(entry)?;
    }
    Ok(())
}

fn each_line(
    mut input: impl BufRead,
    mut take: impl FnMut(&[u8]) -> Result<(), CompileError>,
) -> Result<(), CompileError> {
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        take(line.strip_suffix(b"\n").unwrap_or(&line))?;
        line.clear();
    }
    Ok(())
}

/// Writes the entries first and what stands before them last: a file that was not written to its end
/// begins with zeros, and is no list.
struct Writer<W: Write + Seek> {
    output: BufWriter<W>,
    counts: Vec<u64>,
    last: Option<[u8; 8]>,
}

enum Added {
    InOrder,
    OutOfOrder,
}

impl<W: Write + Seek> Writer<W> {
    fn begin(output: W) -> io::Result<Self> {
        let mut output = BufWriter::with_capacity(1 << 16, output);
        output.seek(SeekFrom::Start(ENTRIES_AT))?;
        Ok(Self {
            output,
            counts: vec![0; BUCKETS],
            last: None,
        })
    }

    /// The same entry again is passed over.
    fn add(&mut self, entry: [u8; 8]) -> io::Result<Added> {
        if self.last.is_some_and(|last| last > entry) {
            return Ok(Added::OutOfOrder);
        }
        if self.last == Some(entry) {
            return Ok(Added::InOrder);
        }
        self.last = Some(entry);
        let [high, low, rest @ ..] = entry;
        let bucket = usize::from(u16::from_be_bytes([high, low]));
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.output.write_all(&rest)?;
        Ok(Added::InOrder)
    }

    fn end(mut self) -> Result<u64, CompileError> {
        let total: u64 = self.counts.iter().sum();
        if total == 0 {
            return Err(CompileError::Empty);
        }
        self.output.seek(SeekFrom::Start(0))?;
        self.output.write_all(MAGIC)?;
        self.output.write_all(&total.to_be_bytes())?;
        let mut before = 0_u64;
        self.output.write_all(&before.to_be_bytes())?;
        for count in &self.counts {
            before += count;
            self.output.write_all(&before.to_be_bytes())?;
        }
        self.output.flush()?;
        Ok(total)
    }
}
