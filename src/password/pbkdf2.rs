//! PBKDF2 (RFC 8018 §5.2): hashes that imported users bring along. Never made here.
//!
//! Three forms: PHC (`$pbkdf2-sha256$i=600000$salt$hash`, perhaps with `,l=32`), passlib
//! (`$pbkdf2-sha256$29000$salt$hash`) and Django (`pbkdf2_sha256$600000$salt$hash`).

use std::num::NonZeroU32;
use std::time::Duration;

use aws_lc_rs::pbkdf2::{
    self, Algorithm, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512,
};

use super::fields::{self, Fields};
use super::{Unverifiable, Verdict};
use crate::secret::SecretText;

/// How many times a stored hash may run its digest; about a second. OWASP asks for 1.3 million with
/// SHA-1, 600,000 with SHA-256; Django 6 does 1.2 million.
const MAX_RUNS: u64 = 2_000_000;

/// For one run, without instructions for the digest.
const NANOS_A_RUN: u64 = 500;

/// A stored hash that may be checked.
pub(super) struct Stored {
    algorithm: Algorithm,
    iterations: NonZeroU32,
    runs: u64,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Stored {
    pub(super) fn read(text: &str) -> Result<Self, Unverifiable> {
        let fields = Fields::of(text)?;
        let digest = Digest::of(fields.name)?;
        let hash = fields.hash_bytes()?;
        let (iterations, salt) = if text.starts_with('$') {
            (
                iterations(&fields, hash.len())?,
                fields::bytes(fields.salt)?,
            )
        } else {
            // Django's salt is text, and counts as it stands.
            (fields.parameters, fields.salt.as_bytes().to_vec())
        };
        let iterations = fields::number(iterations)?;
        // Every started length of the digest is computed on its own.
        let blocks = hash.len().div_ceil(digest.bytes);
        let runs = u64::from(iterations) * u64::try_from(blocks).unwrap_or(u64::MAX);
        if runs > MAX_RUNS {
            return Err(Unverifiable::TooCostly);
        }
        Ok(Self {
            algorithm: digest.algorithm,
            iterations: NonZeroU32::new(iterations).ok_or(Unverifiable::UnknownForm)?,
            runs,
            salt,
            hash,
        })
    }

    pub(super) fn verify(&self, password: &SecretText) -> Verdict {
        let password = password.expose().as_bytes();
        let (iterations, salt) = (self.iterations, &self.salt);
        // Compares in constant time.
        match pbkdf2::verify(self.algorithm, iterations, salt, password, &self.hash) {
            Ok(()) => Verdict::RightButOutdated,
            Err(_unspecified) => Verdict::Wrong,
        }
    }

    pub(super) const fn expected_time(&self) -> Duration {
        Duration::from_nanos(self.runs * NANOS_A_RUN)
    }
}

/// A digest, and how long what it makes is.
struct Digest {
    algorithm: Algorithm,
    bytes: usize,
}

impl Digest {
    /// The name of the form names the digest. That SHA-1 collides does not matter to PBKDF2.
    fn of(name: &str) -> Result<Self, Unverifiable> {
        let (algorithm, bytes) = match name {
            "pbkdf2" | "pbkdf2-sha1" | "pbkdf2_sha1" => (PBKDF2_HMAC_SHA1, 20),
            "pbkdf2-sha256" | "pbkdf2_sha256" => (PBKDF2_HMAC_SHA256, 32),
            "pbkdf2-sha512" | "pbkdf2_sha512" => (PBKDF2_HMAC_SHA512, 64),
            _ => return Err(Unverifiable::UnknownForm),
        };
        Ok(Self { algorithm, bytes })
    }
}

/// The number alone with passlib, `i=` with PHC, where `l=` must tell the length that the hash has.
fn iterations<'t>(fields: &Fields<'t>, length: usize) -> Result<&'t str, Unverifiable> {
    if !fields.parameters.contains('=') {
        return Ok(fields.parameters);
    }
    let known = ["i", "l"];
    let told = fields.parameter("l", &known).ok().map(fields::number);
    match told.transpose()? {
        Some(told) if usize::try_from(told) != Ok(length) => Err(Unverifiable::UnknownForm),
        Some(_) | None => fields.parameter("i", &known),
    }
}
