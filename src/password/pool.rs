//! The bounded place in which passwords are hashed: a flood of sign-ins costs neither the memory nor
//! the processors of the proxied traffic.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::rules::{self, NewPassword, Owner, Refused};
use super::{Config, HashError, PasswordHash, Unverifiable, Verdict};
use crate::secret::SecretText;

/// No wrong password is told before this time has passed since its check began, nor before the time
/// that the dearest stored hash takes of all that were seen.
///
/// An outdated hash (bcrypt, other parameters) takes another time than the dummy of an unknown user,
/// and the same work on top of it would not make the two equal. So the answer waits instead, without
/// its place in the pool. A hash that is dearer than all before it shows in its first answer, and then
/// every other takes as long.
const WRONG_ANSWER_AFTER: Duration = Duration::from_millis(250);

/// All places are taken, or the machine had no memory: try again later (503).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked at once")]
pub struct Busy;

/// What came of a check. Outside, the last two must look the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// The password is right.
    Right,
    /// The password is right, and this should take the place of its hash
    /// (`UserChange::Rehash`). A sign-in must not fail because that could not be stored.
    RightButOutdated {
        /// The same password, hashed with today's parameters.
        upgraded: PasswordHash,
    },
    /// The password is wrong, or there was no hash.
    Wrong,
    /// The stored hash cannot be checked: refused, and worth a line in the log.
    Unverifiable(Unverifiable),
}

/// What the pool has done and does, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Calls that are computing now.
    pub running: usize,
    /// The most that ever computed at once.
    pub most_running: usize,
    /// Hashes computed since the start, of all kinds.
    pub computed: u64,
}

/// Hashes and checks passwords, a few at a time.
///
/// Work runs on the blocking threads of the runtime: they cost nothing while nobody signs in, and a
/// panic ends the call and not a worker. The bound is kept by permits that travel *into* the work, so
/// that a caller who goes away does not make room for one hash too many.
#[derive(Clone, Debug)]
pub struct Passwords(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: Config,
    dummy: PasswordHash,
    /// One permit for each call that is let in: those that compute and those that wait.
    places: Arc<Semaphore>,
    /// One permit for each call that computes.
    desks: Arc<Semaphore>,
    meter: Meter,
    floor: Floor,
}

/// Holds a place and a desk for as long as it lives.
struct Seat {
    _place: OwnedSemaphorePermit,
    _desk: OwnedSemaphorePermit,
}

impl Passwords {
    /// A pool; computes one hash, with which unknown users are checked.
    pub fn new(config: Config) -> Result<Self, HashError> {
        // Of which password does not matter: what a check against it finds is never looked at.
        let dummy = super::hash(&config, &SecretText::from(""))?;
        let desks = config.max_concurrent.clamp(1, Semaphore::MAX_PERMITS / 2);
        let waiting = config.max_waiting.min(Semaphore::MAX_PERMITS / 2);
        let floor = Floor::default();
        floor.raise(super::expected_time(&config, &dummy)?);
        Ok(Self(Arc::new(Shared {
            dummy,
            places: Arc::new(Semaphore::new(desks + waiting)),
            desks: Arc::new(Semaphore::new(desks)),
            meter: Meter::default(),
            floor,
            config,
        })))
    }

    /// How this pool hashes.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Checks a password against a stored hash; `None` for a user who does not exist or has no
    /// password, which costs what a wrong password costs.
    pub async fn check(
        &self,
        stored: Option<PasswordHash>,
        password: SecretText,
    ) -> Result<Checked, Busy> {
        let seat = self.seat().await?;
        let began = Instant::now();
        let checked = self
            .compute(seat, move |shared| shared.check(stored, &password))
            .await?;
        match checked {
            Checked::Right | Checked::RightButOutdated { .. } => {}
            Checked::Wrong | Checked::Unverifiable(_) => {
                tokio::time::sleep_until(began + self.0.floor.height()).await;
            }
        }
        Ok(checked)
    }

    /// Judges a new password: what is to be hashed comes through here.
    pub async fn accept(
        &self,
        password: SecretText,
        owner: Owner<'_>,
    ) -> Result<NewPassword, Refused> {
        rules::accept(&self.0.config, password, owner).await
    }

    /// Hashes a new password.
    pub async fn hash(&self, password: NewPassword) -> Result<PasswordHash, Busy> {
        let seat = self.seat().await?;
        self.compute(seat, move |shared| shared.hash(password.secret()))
            .await
    }

    /// What the pool has done and does.
    pub fn figures(&self) -> Figures {
        let meter = &self.0.meter;
        Figures {
            running: meter.running.load(Ordering::Relaxed),
            most_running: meter.most_running.load(Ordering::Relaxed),
            computed: meter.computed.load(Ordering::Relaxed),
        }
    }

    async fn seat(&self) -> Result<Seat, Busy> {
        let place = Arc::clone(&self.0.places)
            .try_acquire_owned()
            .or(Err(Busy))?;
        let desk = Arc::clone(&self.0.desks).acquire_owned();
        let desk = tokio::time::timeout(self.0.config.max_wait, desk).await;
        let desk = desk.or(Err(Busy))?.or(Err(Busy))?;
        Ok(Seat {
            _place: place,
            _desk: desk,
        })
    }

    async fn compute<T: Send + 'static>(
        &self,
        seat: Seat,
        work: impl FnOnce(&Shared) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, Busy> {
        let shared = Arc::clone(&self.0);
        let computed = tokio::task::spawn_blocking(move || {
            let _seat = seat;
            let _running = shared.meter.start();
            work(&shared)
        });
        match computed.await {
            Ok(value) => value.map_err(|error| given_up(&error)),
            Err(stopped) => Err(given_up(&stopped)),
        }
    }
}

/// Not the caller's fault and not a verdict: to the caller the pool is busy, the log has the reason.
fn given_up(error: &(dyn std::error::Error + 'static)) -> Busy {
    tracing::error!(error, "a password could not be hashed");
    Busy
}

impl Shared {
    fn check(
        &self,
        stored: Option<PasswordHash>,
        password: &SecretText,
    ) -> Result<Checked, HashError> {
        // Too long for anybody's password: not worth a look at the stored hash, but as dear.
        let stored = stored.filter(|_| password.expose().len() <= rules::MAX_BYTES);
        let Some(stored) = stored else {
            return self.pretend(password).map(|()| Checked::Wrong);
        };
        if let Ok(time) = super::expected_time(&self.config, &stored) {
            self.floor.raise(time);
        }
        match self.verify(&stored, password) {
            Ok(Verdict::Right) => Ok(Checked::Right),
            // The password is right, whether or not there is memory for another hash of it.
            Ok(Verdict::RightButOutdated) => {
                Ok(self.hash(password).map_or(Checked::Right, |upgraded| {
                    Checked::RightButOutdated { upgraded }
                }))
            }
            Ok(Verdict::Wrong) => Ok(Checked::Wrong),
            Err(HashError::Unverifiable(reason)) => {
                self.pretend(password)?;
                Ok(Checked::Unverifiable(reason))
            }
            Err(error) => Err(error),
        }
    }

    /// The work of a wrong password, for one that is not checked against anything.
    fn pretend(&self, password: &SecretText) -> Result<(), HashError> {
        let bounded = password.expose().len() <= rules::MAX_BYTES;
        let empty = SecretText::from("");
        let verdict = self.verify(&self.dummy, if bounded { password } else { &empty });
        verdict.map(|_| ())
    }

    fn verify(&self, stored: &PasswordHash, password: &SecretText) -> Result<Verdict, HashError> {
        let verdict = super::verify(&self.config, stored, password)?;
        self.meter.computed.fetch_add(1, Ordering::Relaxed);
        Ok(verdict)
    }

    fn hash(&self, password: &SecretText) -> Result<PasswordHash, HashError> {
        let hash = super::hash(&self.config, password)?;
        self.meter.computed.fetch_add(1, Ordering::Relaxed);
        Ok(hash)
    }
}

/// How long every wrong answer takes at the least. It only rises, in steps, and by what stored hashes
/// may cost: whoever types passwords cannot move it.
#[derive(Debug, Default)]
struct Floor {
    steps: AtomicU64,
}

impl Floor {
    /// Twice what is expected: the machine may be slow, and others may compute beside.
    fn raise(&self, expected: Duration) {
        let steps = (2 * expected)
            .as_nanos()
            .div_ceil(WRONG_ANSWER_AFTER.as_nanos());
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.steps.fetch_max(steps, Ordering::Relaxed);
    }

    fn height(&self) -> Duration {
        let steps = self.steps.load(Ordering::Relaxed).clamp(1, 40);
        WRONG_ANSWER_AFTER * u32::try_from(steps).unwrap_or(1)
    }
}

#[derive(Debug, Default)]
struct Meter {
    running: AtomicUsize,
    most_running: AtomicUsize,
    computed: AtomicU64,
}

impl Meter {
    fn start(&self) -> Running<'_> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(running, Ordering::SeqCst);
        Running(self)
    }
}

/// Counts as running until it is dropped, by a panic too.
struct Running<'a>(&'a Meter);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests;
