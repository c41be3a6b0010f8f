//! Where one-time codes are kept: what the core asks of a store of codes.
//!
//! An account has at most one code for a purpose. Every step below is atomic: of many who show the same
//! code at once, one is told that it was right.

use std::fmt;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::code::{DigitsHash, KeptCode, Purpose, Subject, TokenHash};
use crate::id::UserId;
use crate::unavailable::Unavailable;
use crate::user::Email;

pub mod sql;

/// What became of a new code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It took the place of the one before.
    Stored,
    /// The one before is too young for another; it goes on.
    TooSoon,
}

/// Digits that somebody shows.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Where it was sent, and what for.
    pub subject: Subject,
    /// The digits, hashed under each key that may have made them.
    pub digits: [DigitsHash; 2],
    /// The present.
    pub now: Timestamp,
}

/// What takes the place of digits that were right: a token of the same code.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The token.
    pub token: TokenHash,
    /// When it ends.
    pub ends_at: Timestamp,
}

/// A code that was right, and is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redeemed {
    /// Whose it was.
    pub user: UserId,
    /// The address that it was sent to.
    pub email: Email,
}

/// A store of codes.
///
/// A method that returns `Ok` has stored what it was asked to store. `None` is told for every code that
/// does not hold: wrong, used, run out, tried too often, or never made.
#[async_trait]
pub trait CodeStore: Send + Sync + fmt::Debug {
    /// Keeps a code in place of the one before, unless that one was made after `young` and is neither
    /// used up nor for another address.
    async fn put(&self, code: KeptCode, young: Timestamp) -> Result<Put, Unavailable>;

    /// Uses up the code with these digits. Wrong ones cost the code one of its tries, in the same step
    /// in which they are compared: guesses that come at once are all counted.
    async fn redeem_digits(&self, shown: Shown) -> Result<Option<Redeemed>, Unavailable>;

    /// The same, but the code lives on as another token.
    async fn exchange_digits(
        &self,
        shown: Shown,
        exchange: Exchange,
    ) -> Result<Option<Redeemed>, Unavailable>;

    /// Uses up the code with this token.
    async fn redeem_token(
        &self,
        purpose: Purpose,
        token: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<Redeemed>, Unavailable>;

    /// Forgets all codes of a user.
    async fn forget(&self, user: UserId) -> Result<(), Unavailable>;

    /// Clears away what has run out; returns how many.
    async fn clear_expired(&self, now: Timestamp) -> Result<u64, Unavailable>;
}
