//! Where API keys are kept: what the core asks of a store of keys.
//!
//! A store also tells every replica what has changed: [`ApiKeyStore::changed_after`] is followed into
//! memory, so that no request has to ask the store.

use std::fmt;

use async_trait::async_trait;

use crate::api_key::{ApiKey, KeyHash, KeyName, KeySubject, Owner};
use crate::clock::Timestamp;
use crate::id::ApiKeyId;
use crate::unavailable::Unavailable;

pub mod sql;

/// A key as the store keeps it, with the account that bounds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// The key.
    pub key: ApiKey,
    /// What it is found by.
    pub hash: KeyHash,
    /// The account of its user; none where it is a service's, or where there is no such user any more.
    pub owner: Option<Owner>,
    /// The change in which it got this state.
    pub changed: i64,
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The key.
    pub key: ApiKey,
    /// What it is found by.
    pub hash: KeyHash,
    /// How many keys that hold its subject may have, this one included.
    pub most: u32,
}

/// A key to be put in another's place.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The key to be replaced.
    pub old: ApiKeyId,
    /// The id of the one that takes its place.
    pub new: ApiKeyId,
    /// What the new one is found by.
    pub hash: KeyHash,
    /// The first characters of its text.
    pub hint: Box<str>,
    /// The present.
    pub now: Timestamp,
    /// Until when the old one still holds; the present or earlier: it is revoked.
    pub retires_at: Timestamp,
}

/// A key and the one that has taken its place, which has all that it had.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The one that was replaced.
    pub old: StoredKey,
    /// The new one.
    pub new: StoredKey,
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// There is no such user.
    #[error("there is no such user")]
    NoSuchUser,
    /// The subject has as many as it may have.
    #[error("there are too many keys of the same owner; revoke one first")]
    TooMany,
    /// The store could not be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a key was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// There is no such key.
    #[error("there is no such API key")]
    NoSuchKey,
    /// It was revoked, has run out, or was replaced already.
    #[error("the API key holds no longer, or was rotated already")]
    NotLive,
    /// The store could not be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Which keys to list.
#[derive(Clone, Debug)]
pub struct KeyQuery {
    /// Those of this subject; none: all.
    pub subject: Option<KeySubject>,
    /// How many at the most.
    pub limit: u32,
    /// How many to pass over.
    pub offset: u32,
}

/// A page of keys, newest first.
#[derive(Clone, Debug)]
pub struct KeyPage {
    /// The keys of this page.
    pub keys: Vec<ApiKey>,
    /// How many there are on all pages together.
    pub total: u64,
}

/// A place in the row of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The number of a change.
    pub seq: i64,
    /// The last key of that change that was read: one change may be of several keys.
    pub key: [u8; 16],
}

impl Place {
    /// Before the first change.
    pub const START: Self = Self {
        seq: 0,
        key: [0; 16],
    };
}

/// What has changed after a place.
#[derive(Clone, Debug)]
pub enum Changes {
    /// These keys, in the order of their changes.
    Page {
        /// The keys, as they are now.
        keys: Vec<StoredKey>,
        /// Where to read on.
        next: Place,
        /// Whether there may be more behind this page.
        more: bool,
    },
    /// The place lies in the future: the store is another one, or an older state of it. What was read
    /// there says nothing.
    Rewound,
}

/// A store of API keys.
///
/// A method that returns `Ok` has stored what it was asked to store, and the change is in the row of
/// changes.
#[async_trait]
pub trait ApiKeyStore: Send + Sync + fmt::Debug {
    /// Makes a key.
    async fn create(&self, new: NewKey) -> Result<StoredKey, CreateError>;

    /// The key with this id.
    async fn by_id(&self, id: ApiKeyId) -> Result<Option<StoredKey>, Unavailable>;

    /// A page of keys.
    async fn list(&self, query: &KeyQuery) -> Result<KeyPage, Unavailable>;

    /// Gives a key another name; `None` where there is no such key.
    async fn rename(&self, id: ApiKeyId, name: &KeyName) -> Result<Option<StoredKey>, Unavailable>;

    /// Revokes a key, and returns it as it is then; `None` where there is no such key. One that was
    /// revoked stays so since then.
    async fn revoke(&self, id: ApiKeyId, now: Timestamp) -> Result<Option<StoredKey>, Unavailable>;

    /// Puts a new key in the place of another, both or neither. Of two that rotate the same key at once
    /// one succeeds.
    async fn rotate(&self, rotation: Rotation) -> Result<Rotated, RotateError>;

    /// What has changed after a place. Uses of keys are no changes.
    async fn changed_after(&self, place: Place) -> Result<Changes, Unavailable>;

    /// Notes when keys were last used.
    async fn note_uses(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<(), Unavailable>;

    /// Removes the keys that ended before `before`, however they ended, and returns how many.
    async fn clear(&self, before: Timestamp) -> Result<u64, Unavailable>;
}
