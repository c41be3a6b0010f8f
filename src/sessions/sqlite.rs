//! Sessions in the embedded database.
//!
//! Each change is one transaction that takes the write lock first, so what it reads is what it
//! changes. Opening the file, and how durable a commit is, are left to whoever makes the pool.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Sqlite, SqlitePool, Transaction};
use tokio::sync::Notify;

use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::session::{Session, Subject};
use crate::unavailable::Unavailable;

use super::{
    Created, Cursor, EndedPage, Epoch, Refresh, Refreshed, SessionStore, Standing, stored,
};

mod log;
mod row;

const STORE: &str = "the session database";

/// The sessions of an embedded database.
pub struct SqliteSessions {
    pool: SqlitePool,
    /// Rung after each end made here, so that our own readers of the log need not wait for their
    /// next look. Ends made by other processes are found by looking.
    ended: Notify,
}

impl SqliteSessions {
    /// Keeps sessions in the database behind `pool`, which has seen all migrations.
    pub fn new(pool: SqlitePool) -> Self {
        Self {
            pool,
            ended: Notify::new(),
        }
    }

    /// Opens a transaction that may write. It takes the write lock now, not at its first write: one
    /// that had read before could only fail then.
    async fn change(&self) -> sqlx::Result<Change> {
        self.pool.begin_with("BEGIN IMMEDIATE").await
    }

    /// Commits ends, then tells our own readers of the log.
    async fn commit_ends(&self, change: Change) -> sqlx::Result<()> {
        change.commit().await?;
        self.ended.notify_waiters();
        Ok(())
    }

    async fn try_create(&self, session: &Session, founded_on: Epoch) -> sqlx::Result<Created> {
        let mut change = self.change().await?;
        if row::epoch(&mut *change, session.subject.user).await? != founded_on {
            return Ok(Created::Superseded);
        }
        row::insert(&mut change, session).await?;
        change.commit().await?;
        Ok(Created::Stored)
    }

    async fn try_refresh(&self, refresh: &Refresh) -> sqlx::Result<Refreshed> {
        let mut change = self.change().await?;
        let shown = refresh.token.generation;
        let Some(mut session) = row::find(&mut *change, refresh.token.session, refresh.now).await?
        else {
            return Ok(Refreshed::Gone);
        };
        let age = refresh.now.since(session.refreshed_at);
        match Standing::of(shown, session.generation, age, refresh.grace) {
            Standing::Newest => {
                session.generation = shown.next();
                session.refreshed_at = refresh.now;
                session.expires_at = refresh.now.plus(refresh.lifetime).min(session.ends_at);
                row::move_on(&mut change, &session).await?;
                change.commit().await?;
                Ok(Refreshed::Rotated(session))
            }
            Standing::ParentInGrace => Ok(Refreshed::Repeated(session)),
            Standing::Old => {
                end_in(&mut change, session.id, refresh.now).await?;
                self.commit_ends(change).await?;
                Ok(Refreshed::Reused(session))
            }
        }
    }

    async fn try_end(&self, id: SessionId, now: Timestamp) -> sqlx::Result<Option<Session>> {
        let mut change = self.change().await?;
        let session = row::find(&mut *change, id, now).await?;
        // One that has run out is taken away too: to a process whose clock is behind, it may still live.
        match session {
            Some(_) => end_in(&mut change, id, now).await?,
            None => row::remove(&mut change, id).await?,
        }
        self.commit_ends(change).await?;
        Ok(session)
    }

    async fn try_end_but(
        &self,
        keep: Option<SessionId>,
        user: UserId,
        now: Timestamp,
    ) -> sqlx::Result<Vec<SessionId>> {
        let mut change = self.change().await?;
        row::next_epoch(&mut change, user).await?;
        let sessions = row::of_user(&mut *change, user, now).await?;
        let ids = sessions.into_iter().map(|session| session.id);
        let ids: Vec<_> = ids.filter(|id| Some(*id) != keep).collect();
        for id in &ids {
            end_in(&mut change, *id, now).await?;
        }
        row::remove_all(&mut change, user, keep).await?;
        self.commit_ends(change).await?;
        Ok(ids)
    }

    async fn try_clear(&self, now: Timestamp, log_keep: Duration) -> sqlx::Result<u64> {
        let mut change = self.change().await?;
        let sessions = row::clear_expired(&mut change, now).await?;
        let entries = log::clear(&mut change, now.minus(log_keep)).await?;
        change.commit().await?;
        Ok(sessions.saturating_add(entries))
    }
}

type Change = Transaction<'static, Sqlite>;

async fn end_in(change: &mut Change, id: SessionId, now: Timestamp) -> sqlx::Result<()> {
    row::remove(change, id).await?;
    log::append(change, id, now).await
}

#[async_trait]
impl SessionStore for SqliteSessions {
    async fn epoch(&self, user: UserId) -> Result<Epoch, Unavailable> {
        row::epoch(&self.pool, user).await.map_err(unavailable)
    }

    async fn create(&self, session: &Session, founded_on: Epoch) -> Result<Created, Unavailable> {
        let created = self.try_create(session, founded_on).await;
        created.map_err(unavailable)
    }

    async fn find(&self, id: SessionId, now: Timestamp) -> Result<Option<Session>, Unavailable> {
        row::find(&self.pool, id, now).await.map_err(unavailable)
    }

    async fn refresh(&self, refresh: Refresh) -> Result<Refreshed, Unavailable> {
        self.try_refresh(&refresh).await.map_err(unavailable)
    }

    async fn update_subject(&self, id: SessionId, subject: &Subject) -> Result<(), Unavailable> {
        let updated = row::update_subject(&self.pool, id, subject).await;
        updated.map_err(unavailable)
    }

    async fn end(&self, id: SessionId, now: Timestamp) -> Result<Option<Session>, Unavailable> {
        self.try_end(id, now).await.map_err(unavailable)
    }

    async fn announce_end(&self, id: SessionId, now: Timestamp) -> Result<(), Unavailable> {
        let announce = async {
            let mut change = self.change().await?;
            log::append(&mut change, id, now).await?;
            self.commit_ends(change).await
        };
        announce.await.map_err(unavailable)
    }

    async fn end_all(&self, user: UserId, now: Timestamp) -> Result<Vec<SessionId>, Unavailable> {
        let ended = self.try_end_but(None, user, now).await;
        ended.map_err(unavailable)
    }

    async fn end_others(
        &self,
        user: UserId,
        keep: SessionId,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, Unavailable> {
        let ended = self.try_end_but(Some(keep), user, now).await;
        ended.map_err(unavailable)
    }

    async fn of_user(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, Unavailable> {
        let sessions = row::of_user(&self.pool, user, now).await;
        sessions.map_err(unavailable)
    }

    async fn users(&self, now: Timestamp) -> Result<Vec<UserId>, Unavailable> {
        row::users(&self.pool, now).await.map_err(unavailable)
    }

    async fn log_start(&self, since: Timestamp) -> Result<Cursor, Unavailable> {
        log::start(&self.pool, since).await.map_err(unavailable)
    }

    async fn ended_after(
        &self,
        cursor: &Cursor,
        patience: Duration,
    ) -> Result<EndedPage, Unavailable> {
        let page = log::follow(&self.pool, &self.ended, log::Wait { cursor, patience }).await;
        page.map_err(unavailable)
    }

    async fn clear_expired(&self, now: Timestamp, log_keep: Duration) -> Result<u64, Unavailable> {
        self.try_clear(now, log_keep).await.map_err(unavailable)
    }

    async fn ping(&self) -> Result<(), Unavailable> {
        let answer = sqlx::query("SELECT 1").execute(&self.pool).await;
        answer.map(drop).map_err(unavailable)
    }
}

impl fmt::Debug for SqliteSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteSessions")
    }
}

fn unavailable(error: sqlx::Error) -> Unavailable {
    Unavailable::new(STORE, error)
}

fn unreadable(error: stored::Unreadable) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
