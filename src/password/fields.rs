//! The fields of a stored hash: `$name$parameters$salt$hash`, and the ways in which their bytes are
//! written. What the parameters mean is left to each algorithm.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::Unverifiable;

/// Longer than any stored hash with a salt and a signer key of 64 bytes.
const MAX_TEXT_BYTES: usize = 1024;

/// Shorter hashes would be within reach of guessing; longer ones nobody makes.
const HASH_BYTES: std::ops::RangeInclusive<usize> = 16..=64;

/// Without padding in PHC and passlib, with padding in Django and Firebase.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The four fields behind the first `$`.
pub(super) struct Fields<'t> {
    pub(super) name: &'t str,
    pub(super) parameters: &'t str,
    pub(super) salt: &'t str,
    pub(super) hash: &'t str,
}

impl<'t> Fields<'t> {
    /// Exactly four fields; Django leaves out the first `$`.
    pub(super) fn of(text: &'t str) -> Result<Self, Unverifiable> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(Unverifiable::UnknownForm);
        }
        let mut parts = text.strip_prefix('$').unwrap_or(text).split('$');
        let mut next = || parts.next().ok_or(Unverifiable::UnknownForm);
        let fields = Self {
            name: next()?,
            parameters: next()?,
            salt: next()?,
            hash: next()?,
        };
        match parts.next() {
            None => Ok(fields),
            Some(_) => Err(Unverifiable::UnknownForm),
        }
    }

    /// The value of the parameter `key`, which must be there once; `known` are all keys there may be.
    pub(super) fn parameter(&self, key: &str, known: &[&str]) -> Result<&'t str, Unverifiable> {
        let mut found = None;
        for parameter in self.parameters.split(',') {
            let (name, value) = (parameter.split_once('=')).ok_or(Unverifiable::UnknownForm)?;
            if !known.contains(&name) || (name == key && found.is_some()) {
                return Err(Unverifiable::UnknownForm);
            }
            if name == key {
                found = Some(value);
            }
        }
        found.ok_or(Unverifiable::UnknownForm)
    }

    /// The bytes of the hash.
    pub(super) fn hash_bytes(&self) -> Result<Vec<u8>, Unverifiable> {
        let bytes = bytes(self.hash)?;
        if HASH_BYTES.contains(&bytes.len()) {
            Ok(bytes)
        } else {
            Err(Unverifiable::UnknownForm)
        }
    }
}

/// A number of at most 32 bits, in digits alone. A larger one is a cost that nobody can pay.
pub(super) fn number(text: &str) -> Result<u32, Unverifiable> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unverifiable::UnknownForm);
    }
    text.parse().or(Err(Unverifiable::TooCostly))
}

/// Bytes in base64, with or without padding; passlib writes `.` for `+`.
pub(super) fn bytes(text: &str) -> Result<Vec<u8>, Unverifiable> {
    let decoded = BASE64.decode(text.replace('.', "+"));
    decoded.or(Err(Unverifiable::UnknownForm))
}
