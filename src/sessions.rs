//! Where sessions are kept: what the core asks of a session store, whichever it is.
//!
//! A session store also tells every replica which sessions have ended: [`SessionStore::ended_after`]
//! is a log that each replica follows, so that no request has to ask the store.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::session::{Generation, RefreshToken, Session, Subject};
use crate::unavailable::Unavailable;

pub mod redis;
pub mod sqlite;
mod stored;

/// Counts how often all sessions of a user were ended.
///
/// It is read before a user's record is, and handed in with the new session: a session that was
/// founded on an older record than the last "end all" is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(pub u64);

/// What became of a new session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It is stored.
    Stored,
    /// All sessions of its user were ended meanwhile; nothing is stored.
    Superseded,
}

/// Whether what was written would outlive the server that took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// A replica has confirmed that it has it.
    Confirmed,
    /// The store has no replicas.
    NoReplica,
    /// The store has replicas, and none has confirmed it in time.
    Unconfirmed,
}

/// A refresh token that is shown to the store.
#[derive(Clone, Debug)]
pub struct Refresh {
    /// The token.
    pub token: RefreshToken,
    /// The present.
    pub now: Timestamp,
    /// How long the newest refresh token lives from now on; the store cuts it at the session's
    /// `ends_at`.
    pub lifetime: Duration,
    /// How long the parent of the newest token still gets that same token back.
    pub grace: Duration,
}

/// What became of a refresh. One atomic step in every store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// The token was the newest; the session has moved on to `session.generation`.
    Rotated(Session),
    /// The token was the parent of the newest, within the grace: the answer was lost, or two tabs
    /// asked at once. The session stands as the first of them left it.
    Repeated(Session),
    /// The token is an older one: somebody holds a copy. The session has been ended by this call.
    Reused(Session),
    /// There is no such session: ended, run out, or never made.
    Gone,
}

/// A session ended before its time: its access tokens must be refused from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The session.
    pub session: SessionId,
    /// When it ended.
    pub at: Timestamp,
}

/// A place in the log of ended sessions, as the store writes it; compared by the store alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub Box<str>);

/// What the log of ended sessions holds after a place.
#[derive(Clone, Debug)]
pub struct EndedPage {
    /// The sessions that ended, in the order of the log. A page may be empty.
    pub ended: Vec<Ended>,
    /// Where to read on.
    pub next: Cursor,
    /// Whether the log went on behind this page when it was read. A reader that is told so has not
    /// caught up yet.
    pub more: bool,
}

/// A store of sessions.
///
/// A method that returns `Ok` has stored what it was asked to store, and every session that it ended
/// stands in the log. A session past its `expires_at` is as good as none, whether or not it has been
/// cleared away.
#[async_trait]
pub trait SessionStore: Send + Sync + fmt::Debug {
    /// How often all sessions of this user were ended.
    async fn epoch(&self, user: UserId) -> Result<Epoch, Unavailable>;

    /// Stores a new session, unless the epoch of its user has moved on from `founded_on`.
    async fn create(&self, session: &Session, founded_on: Epoch) -> Result<Created, Unavailable>;

    /// The session with this id.
    async fn find(&self, id: SessionId, now: Timestamp) -> Result<Option<Session>, Unavailable>;

    /// Moves a session on to its next refresh token, or finds out why not.
    ///
    /// A generation that the store has not seen yet is the newest one: the token proves that it was
    /// given out, so the store must have lost a write (a failover). A session within its grace whose
    /// parent is shown is `Repeated`; what is older than the parent, or a parent after the grace, is
    /// `Reused`.
    async fn refresh(&self, refresh: Refresh) -> Result<Refreshed, Unavailable>;

    /// Notes what is known of the user by now, for the next refresh. No effect on an ended session.
    async fn update_subject(&self, id: SessionId, subject: &Subject) -> Result<(), Unavailable>;

    /// Ends a session; `None` where there was none. One that has run out by `now` needs no ending, but
    /// is taken away: another clock may be behind.
    async fn end(&self, id: SessionId, now: Timestamp) -> Result<Option<Session>, Unavailable>;

    /// Writes into the log that something ended which is kept elsewhere, under an id of its own: an API
    /// key. Every replica refuses it from then on, as it refuses an ended session.
    async fn announce_end(&self, id: SessionId, now: Timestamp) -> Result<(), Unavailable>;

    /// Ends all sessions of a user, in the same way, and moves the user's epoch on; returns those that
    /// it ended.
    async fn end_all(&self, user: UserId, now: Timestamp) -> Result<Vec<SessionId>, Unavailable>;

    /// The same, but the session `keep` goes on; the epoch moves on all the same.
    async fn end_others(
        &self,
        user: UserId,
        keep: SessionId,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, Unavailable>;

    /// The sessions of a user, newest first.
    async fn of_user(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, Unavailable>;

    /// The users who have sessions, each once and in no order. Some of the sessions may have run out.
    async fn users(&self, now: Timestamp) -> Result<Vec<UserId>, Unavailable>;

    /// Where the log of ended sessions stood at `since`, or before it.
    async fn log_start(&self, since: Timestamp) -> Result<Cursor, Unavailable>;

    /// The sessions that ended after `cursor`. Waits up to `patience` for the first of them; an empty
    /// page says that the store was heard and had nothing to tell.
    async fn ended_after(
        &self,
        cursor: &Cursor,
        patience: Duration,
    ) -> Result<EndedPage, Unavailable>;

    /// Clears away what has run out: sessions, and log entries older than `log_keep`. Returns how many
    /// rows went. Stores that expire by themselves have nothing to do.
    async fn clear_expired(&self, now: Timestamp, log_keep: Duration) -> Result<u64, Unavailable>;

    /// Asks the store for a sign of life.
    async fn ping(&self) -> Result<(), Unavailable>;

    /// Waits for a moment until a replica has all that was written by this value so far. For the
    /// command line: no gateway need have heard of what it ended when the server dies.
    async fn copied(&self) -> Result<Copied, Unavailable> {
        Ok(Copied::NoReplica)
    }
}

/// Which kind of token a generation is, beside the newest one of its session.
///
/// The one place where the rules of rotation are written in Rust; the Lua script of the Redis store
/// says the same, and one contract suite holds both to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The newest, or one that the store has not seen yet.
    Newest,
    /// The parent of the newest, within the grace.
    ParentInGrace,
    /// Anything older.
    Old,
}

impl Standing {
    /// How `shown` stands beside the `stored` generation, which is `age` old.
    pub fn of(shown: Generation, stored: Generation, age: Duration, grace: Duration) -> Self {
        if shown >= stored {
            Self::Newest
        } else if shown.next() == stored && age <= grace {
            Self::ParentInGrace
        } else {
            Self::Old
        }
    }
}
