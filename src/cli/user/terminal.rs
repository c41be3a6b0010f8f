//! Where the commands read passwords from and write to.

use std::io::{self, BufRead, BufReader, IsTerminal as _, Read, Write};

use zeroize::Zeroizing;

use crate::password::rules;
use crate::secret::SecretText;

/// Where the commands read passwords from and write to.
pub trait Terminal: Send {
    /// Whether a person sits there and can be asked.
    fn is_interactive(&self) -> bool;

    /// Asks for a password without showing it.
    fn prompt(&mut self, prompt: &str) -> io::Result<SecretText>;

    /// The first line of the input, without its end.
    fn first_line(&mut self) -> io::Result<SecretText>;

    /// What the command says.
    fn output(&mut self) -> &mut (dyn Write + Send);
}

/// Standard input and output of the process.
#[derive(Debug)]
pub struct Console {
    output: io::Stdout,
}

impl Console {
    /// The console.
    pub fn new() -> Self {
        Self {
            output: io::stdout(),
        }
    }
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

impl Terminal for Console {
    fn is_interactive(&self) -> bool {
        io::stdin().is_terminal()
    }

    fn prompt(&mut self, prompt: &str) -> io::Result<SecretText> {
        rpassword::prompt_password(prompt).map(SecretText::new)
    }

    fn first_line(&mut self) -> io::Result<SecretText> {
        first_line(io::stdin().lock())
    }

    fn output(&mut self) -> &mut (dyn Write + Send) {
        &mut self.output
    }
}

/// The first line, without `\n` or `\r\n`. Reads a little more than the longest password, so that a
/// longer one is refused for its length and not cut.
pub(super) fn first_line(input: impl Read) -> io::Result<SecretText> {
    let most = rules::MAX_BYTES + 3;
    // As large as it may get, so that no growing leaves copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(most));
    let bound = u64::try_from(most).unwrap_or(u64::MAX);
    BufReader::new(input.take(bound)).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "standard input is empty",
        ));
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    // The error that `from_utf8` brings would show the bytes.
    let text = std::str::from_utf8(&line)
        .map_err(|_bytes| io::Error::new(io::ErrorKind::InvalidData, "the line is not UTF-8"))?;
    Ok(SecretText::from(text))
}
