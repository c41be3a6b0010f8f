//! bcrypt (`$2a$`, `$2b$`, `$2y$`): hashes that imported users bring along. Never made here.

use std::str::FromStr as _;
use std::time::Duration;

use super::{Unverifiable, Verdict};
use crate::secret::{SecretText, same_bytes};

/// What a stored hash may ask for; 14 is about a second.
const COSTS: std::ops::RangeInclusive<u32> = 4..=14;

/// For a cost of 0; every further one doubles it.
const NANOS_AT_COST_0: u64 = 60_000;

/// bcrypt sees the first 72 bytes of a password.
const MAX_SEEN_BYTES: usize = 72;

/// A stored hash that may be checked.
pub(super) struct Stored {
    cost: u32,
    salt: [u8; 16],
    /// The 31 characters of the hash itself, as bcrypt writes them.
    hash: String,
}

impl Stored {
    pub(super) fn read(text: &str) -> Result<Self, Unverifiable> {
        // `$2x$` marks hashes of a faulty implementation, which other passwords match too.
        let prefixes = ["$2a$", "$2b$", "$2y$"];
        if !prefixes.iter().any(|prefix| text.starts_with(prefix)) {
            return Err(Unverifiable::UnknownForm);
        }
        let parts = bcrypt::HashParts::from_str(text).or(Err(Unverifiable::UnknownForm))?;
        if !COSTS.contains(&parts.get_cost()) {
            return Err(Unverifiable::TooCostly);
        }
        Ok(Self {
            cost: parts.get_cost(),
            salt: parts.get_salt_raw(),
            hash: hash_characters(&parts),
        })
    }

    pub(super) const fn expected_time(&self) -> Duration {
        Duration::from_nanos(NANOS_AT_COST_0 << self.cost)
    }

    pub(super) fn verify(&self, password: &SecretText) -> Verdict {
        let password = password.expose().as_bytes();
        // bcrypt ends the password with a NUL and repeats it: `a` and `a\0a` are the same to it.
        if password.contains(&0) {
            return Verdict::Wrong;
        }
        let computed = bcrypt::hash_with_salt(password, self.cost, self.salt);
        let right = computed.is_ok_and(|parts| {
            same_bytes(hash_characters(&parts).as_bytes(), self.hash.as_bytes())
        });
        match right {
            false => Verdict::Wrong,
            // What lies behind the 72 bytes was never checked. To hash it all anew would fix a tail
            // that may be mistyped, and lock out the one who types it right tomorrow.
            true if password.len() > MAX_SEEN_BYTES => Verdict::Right,
            true => Verdict::RightButOutdated,
        }
    }
}

fn hash_characters(parts: &bcrypt::HashParts) -> String {
    // `$2b$10$`, 22 characters of salt, 31 of hash.
    parts.to_string().chars().skip(29).collect()
}
