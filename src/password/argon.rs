//! argon2 (RFC 9106) in PHC form: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`.

use std::time::Duration;

use argon2::password_hash::phc::{Output, PasswordHash as Phc, Salt};
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};

use super::{Config, HashError, PasswordHash, Unverifiable, Verdict};
use crate::id::random_bytes;
use crate::secret::{SecretText, same_bytes};

/// The most memory that a stored hash may ask for, unless the configuration itself asks for more.
/// 64 MiB is what common libraries use, so that imported hashes pass; the memory of the pool is thus
/// bounded by `max_concurrent` times this, whatever a table of users holds.
const MAX_STORED_MEMORY_KIB: u32 = 64 * 1024;
/// Likewise for passes; with the memory above about a second.
const MAX_STORED_ITERATIONS: u32 = 16;
/// Likewise for lanes. They are computed one after the other and cost nothing more.
const MAX_STORED_LANES: u32 = 16;
/// For one pass over one KiB.
const NANOS_A_KIB: u64 = 1000;
/// Shorter hashes (PHC allows 10 bytes) would be within reach of guessing.
const MIN_HASH_BYTES: usize = 16;

pub(super) fn hash(config: &Config, password: &SecretText) -> Result<PasswordHash, HashError> {
    let hashed = hasher(config)?
        .hash_password_with_salt(password.expose().as_bytes(), &random_bytes::<16>())
        .map_err(|error| match error {
            argon2::password_hash::Error::OutOfMemory => HashError::OutOfMemory,
            _ => HashError::Parameters,
        })?;
    Ok(PasswordHash::new(hashed.to_string()))
}

fn hasher(config: &Config) -> Result<Argon2<'static>, HashError> {
    let params = Params::new(
        config.memory_kib,
        config.iterations,
        config.parallelism,
        None,
    );
    let params = params.or(Err(HashError::Parameters))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// A stored hash that may be checked.
pub(super) struct Stored {
    hasher: Argon2<'static>,
    salt: Salt,
    output: Output,
    outdated: bool,
}

impl Stored {
    pub(super) fn read(config: &Config, text: &str) -> Result<Self, Unverifiable> {
        let unknown = Unverifiable::UnknownForm;
        let phc = Phc::new(text).or(Err(unknown))?;
        let algorithm = Algorithm::try_from(phc.algorithm.as_str()).or(Err(unknown))?;
        let version = phc.version.map_or(Ok(Version::V0x10), Version::try_from);
        let version = version.or(Err(unknown))?;
        let params = Params::try_from(&phc).or(Err(unknown))?;
        let (salt, output) = phc.salt.zip(phc.hash).ok_or(unknown)?;
        if output.len() < MIN_HASH_BYTES {
            return Err(unknown);
        }
        if !affordable(config, &params) {
            return Err(Unverifiable::TooCostly);
        }
        let outdated = algorithm != Algorithm::Argon2id
            || version != Version::V0x13
            || params.m_cost() != config.memory_kib
            || params.t_cost() != config.iterations
            || params.p_cost() != config.parallelism;
        Ok(Self {
            hasher: Argon2::new(algorithm, version, params),
            salt,
            output,
            outdated,
        })
    }

    pub(super) fn expected_time(&self) -> Duration {
        let params = self.hasher.params();
        let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
        Duration::from_nanos(work.saturating_mul(NANOS_A_KIB))
    }

    pub(super) fn verify(&self, password: &SecretText) -> Result<Verdict, HashError> {
        let mut computed = [0; Output::MAX_LENGTH];
        let computed = computed
            .get_mut(..self.output.len())
            .ok_or(Unverifiable::UnknownForm)?;
        self.hasher
            .hash_password_into(password.expose().as_bytes(), &self.salt, computed)
            .map_err(|error| match error {
                argon2::Error::OutOfMemory => HashError::OutOfMemory,
                _ => HashError::Unverifiable(Unverifiable::UnknownForm),
            })?;
        Ok(match same_bytes(computed, self.output.as_bytes()) {
            false => Verdict::Wrong,
            true if self.outdated => Verdict::RightButOutdated,
            true => Verdict::Right,
        })
    }
}

fn affordable(config: &Config, params: &Params) -> bool {
    params.m_cost() <= MAX_STORED_MEMORY_KIB.max(config.memory_kib)
        && params.t_cost() <= MAX_STORED_ITERATIONS.max(config.iterations)
        && params.p_cost() <= MAX_STORED_LANES.max(config.parallelism)
}
