//! Passwords: hashing them, checking them, and the bounded pool in which that happens.

use std::time::Duration;

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
}
