//! What a configuration takes from outside its text: variables, files, the size of the machine.

use std::fmt;
use std::io;
use std::path::Path;

use crate::breached::{self, OpenError};
use crate::password::rules::Breached;

/// What surrounds a configuration; a test brings its own.
pub trait Environment: fmt::Debug {
    /// The value of an environment variable; none where it is unset or no text.
    fn variable(&self, name: &str) -> Option<String>;

    /// The bytes of a file.
    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The list of breached passwords in a file.
    fn breached(&self, path: &Path) -> Result<Breached, OpenError>;

    /// How many cores there are to use; at least 1.
    fn cores(&self) -> usize;
}

/// The environment of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        std::env::var(name).ok()
    }

    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn breached(&self, path: &Path) -> Result<Breached, OpenError> {
        breached::open(path)
    }

    fn cores(&self) -> usize {
        std::thread::available_parallelism().map_or(1, Into::into)
    }
}
