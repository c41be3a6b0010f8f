//! Values that must not be seen: wiped when dropped, redacted in `Debug`, compared in constant time.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A secret text: a password, a token, a cookie value.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Wraps `text`; from here on it shows itself only to [`expose`](Self::expose).
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Every use of it is found by the name of this method.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether both are the same, in a time that does not tell where they differ.
    pub fn same_as(&self, other: &[u8]) -> bool {
        same_bytes(self.0.as_bytes(), other)
    }
}

impl PartialEq for SecretText {
    fn eq(&self, other: &Self) -> bool {
        self.same_as(other.expose().as_bytes())
    }
}

impl Eq for SecretText {}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

/// Secrets come in; none goes out, so there is no `Serialize`.
impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// Secret bytes: a key.
#[derive(Clone)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Wraps `bytes`; from here on they show themselves only to [`expose`](Self::expose).
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves. Every use of them is found by the name of this method.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(…)")
    }
}

/// Whether both are the same, in a time that depends on their lengths alone.
pub fn same_bytes(one: &[u8], other: &[u8]) -> bool {
    verify_slices_are_equal(one, other).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_a_secret() {
        let shown = format!(
            "{:?} {:?}",
            SecretText::from("hunter2"),
            SecretBytes::new(b"hunter2".to_vec())
        );
        assert!(
            !shown.contains("hunter2") && !shown.contains('7'),
            "{shown}"
        );
    }

    #[test]
    fn comparison_sees_every_difference() {
        let secret = SecretText::from("abc");
        assert!(secret.same_as(b"abc"));
        for other in ["abd", "ab", "abcd", ""] {
            assert!(!secret.same_as(other.as_bytes()), "{other}");
        }
    }
}
