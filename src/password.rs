//! Passwords: hashing them, checking them, and the bounded pool in which that happens.
//!
//! A password is the bytes that were typed: nothing is trimmed, folded or normalised.

use std::fmt;
use std::time::Duration;

use self::rules::Breached;
use crate::secret::SecretText;

mod argon;
mod blowfish;
mod fields;
mod pbkdf2;
pub mod pool;
pub mod rules;
mod scrypt;

/// How passwords are hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Memory of one argon2id hash, in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
    /// How many hashes are computed at once.
    pub max_concurrent: usize,
    /// How many more may wait; above it the answer is "busy" at once.
    pub max_waiting: usize,
    /// The longest wait for a place.
    pub max_wait: Duration,
    /// The fewest characters of a new password.
    pub min_length: usize,
    /// The passwords that nobody may choose, because they are known.
    pub breached: Option<Breached>,
    /// What the service is called, in lower case: no password either.
    pub service_names: Vec<String>,
}

impl Default for Config {
    /// 19 MiB, two passes, one lane: OWASP's recommendation for argon2id.
    ///
    /// Two at once leave most of a machine to the proxied traffic and still do tens of sign-ins a
    /// second; a full queue is then worked off in about the two seconds that one may wait.
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
            max_concurrent: 2,
            max_waiting: 64,
            max_wait: Duration::from_secs(2),
            min_length: 8,
            breached: None,
            service_names: Vec::new(),
        }
    }
}

/// A stored password hash in PHC form, or one of the older forms that imports bring along.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Box<str>);

impl PasswordHash {
    /// Takes the text of a hash as it stands; whether it can be checked, [`supported`] tells.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text of the hash.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// What a check of a password found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right.
    Right,
    /// The password is right, and its hash should be replaced by one of today's form.
    RightButOutdated,
    /// The password is wrong.
    Wrong,
}

/// Why a stored hash cannot be checked. Whoever has such a hash cannot sign in until their password is
/// set anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverifiable {
    /// None of argon2, bcrypt, scrypt and PBKDF2 in a form that is known.
    #[error("not a form of password hash that can be checked")]
    UnknownForm,
    /// It asks for more memory or time than a check may take.
    #[error("a password hash that would cost too much to check")]
    TooCostly,
}

/// Why nothing was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The stored hash is at fault.
    #[error(transparent)]
    Unverifiable(#[from] Unverifiable),
    /// The configuration asks for an argon2 that does not exist.
    #[error("argon2 needs at least 1 pass, 1 lane and 8 KiB of memory a lane")]
    Parameters,
    /// The machine had no memory left for it.
    #[error("no memory left to hash a password")]
    OutOfMemory,
}

/// Hashes a password with argon2id (RFC 9106) and the configured parameters, in PHC form.
///
/// Slow on purpose: [`pool::Passwords`] is the way to it from async code.
pub fn hash(config: &Config, password: &SecretText) -> Result<PasswordHash, HashError> {
    argon::hash(config, password)
}

/// Checks a password against a stored hash. Slow on purpose, like [`hash`].
///
/// Takes argon2 in PHC form, bcrypt (`$2a$`, `$2b$`, `$2y$`), scrypt in PHC form and that of Firebase,
/// and PBKDF2 in the forms of PHC, passlib and Django; all but argon2id with today's parameters is
/// outdated.
pub fn verify(
    config: &Config,
    stored: &PasswordHash,
    password: &SecretText,
) -> Result<Verdict, HashError> {
    let form = Form::read(config, stored)?;
    if password.expose().len() > rules::MAX_BYTES {
        return Ok(Verdict::Wrong);
    }
    match form {
        Form::Argon(stored) => stored.verify(password),
        Form::Bcrypt(stored) => Ok(stored.verify(password)),
        Form::Pbkdf2(stored) => Ok(stored.verify(password)),
        Form::Scrypt(stored) => stored.verify(password),
    }
}

/// Whether a stored hash could be checked, without checking it: for imports.
pub fn supported(config: &Config, stored: &PasswordHash) -> Result<(), Unverifiable> {
    Form::read(config, stored).map(|_| ())
}

/// About how long a check against this hash takes on a modest machine: by its parameters, not by the
/// clock, so that load does not show in it.
fn expected_time(config: &Config, stored: &PasswordHash) -> Result<Duration, Unverifiable> {
    Ok(match Form::read(config, stored)? {
        Form::Argon(stored) => stored.expected_time(),
        Form::Bcrypt(stored) => stored.expected_time(),
        Form::Pbkdf2(stored) => stored.expected_time(),
        Form::Scrypt(stored) => stored.expected_time(),
    })
}

/// A stored hash, read, and found affordable.
enum Form {
    Argon(Box<argon::Stored>),
    Bcrypt(blowfish::Stored),
    Pbkdf2(pbkdf2::Stored),
    Scrypt(scrypt::Stored),
}

impl Form {
    fn read(config: &Config, stored: &PasswordHash) -> Result<Self, Unverifiable> {
        let text = stored.expose();
        // Django writes the name of the library before the PHC form.
        let text = match text.strip_prefix("argon2") {
            Some(phc) if phc.starts_with("$argon2") => phc,
            Some(_) | None => text,
        };
        let name = text.strip_prefix('$').unwrap_or(text);
        if text.starts_with("$argon2") {
            let stored = argon::Stored::read(config, text)?;
            Ok(Self::Argon(Box::new(stored)))
        } else if name.starts_with("pbkdf2") {
            pbkdf2::Stored::read(text).map(Self::Pbkdf2)
        } else if text.starts_with("$scrypt$") || text.starts_with("$fbscrypt$") {
            scrypt::Stored::read(text).map(Self::Scrypt)
        } else {
            blowfish::Stored::read(text).map(Self::Bcrypt)
        }
    }
}

#[cfg(test)]
mod tests;
