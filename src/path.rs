//! The path of a request in its one spelling: the path that is judged is the path that is sent.

use std::fmt;

/// A path in its one spelling: no dot segments, no empty segments, escapes in capitals and only where
/// they are needed, nothing that two readers could read in two ways.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NormalPath(Box<str>);

impl NormalPath {
    /// The path, from its leading slash on, without the query.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NormalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
