//! Everybody's sessions.

use super::record::Deed;
use super::{AdminError, Administrator};
use crate::audit::Action;
use crate::id::{SessionId, UserId};
use crate::session::Session;
use crate::sessions::Ended;

/// Which sessions to list.
#[derive(Clone, Debug)]
pub struct SessionQuery {
    /// Those of this user.
    pub user: Option<UserId>,
    /// Only what stands behind this place.
    pub after: Option<SessionPlace>,
    /// How many at the most.
    pub limit: usize,
}

/// A place in the list of all sessions. They stand by user, those of a user newest first, so that what
/// ends or begins between two pages moves nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPlace {
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
}

/// Some of the sessions.
#[derive(Clone, Debug)]
pub struct SessionPage {
    /// The sessions.
    pub sessions: Vec<Session>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<SessionPlace>,
}

impl Administrator {
    /// A page of sessions.
    pub async fn sessions(&self, query: &SessionQuery) -> Result<SessionPage, AdminError> {
        let mut sessions = Vec::new();
        for user in self.users_with_sessions(query).await? {
            // One more than the page has, to know whether there is another.
            if sessions.len() > query.limit {
                break;
            }
            let mut of_user = self.auth.sessions_of(user).await?;
            // An id begins with the time of its making.
            of_user.sort_unstable_by_key(|session| std::cmp::Reverse(session.id));
            sessions.extend(
                of_user
                    .into_iter()
                    .filter(|session| is_after(query, session)),
            );
        }
        let is_more = sessions.len() > query.limit;
        sessions.truncate(query.limit);
        let last = sessions.last().filter(|_| is_more);
        let next = last.map(|session| SessionPlace {
            user: session.subject.user,
            session: session.id,
        });
        Ok(SessionPage { sessions, next })
    }

    async fn users_with_sessions(&self, query: &SessionQuery) -> Result<Vec<UserId>, AdminError> {
        let mut users = match query.user {
            Some(user) => vec![user],
            None => self.auth.parts.sessions.users(self.auth.now()).await?,
        };
        users.retain(|user| query.after.is_none_or(|after| *user >= after.user));
        users.sort_unstable();
        Ok(users)
    }

    /// A session.
    pub async fn session(&self, id: SessionId) -> Result<Session, AdminError> {
        let sessions = &self.auth.parts.sessions;
        let session = sessions.find(id, self.auth.now()).await?;
        session.ok_or(AdminError::NoSuchSession)
    }

    /// Ends a session; its tokens are refused from the moment that this returns.
    pub async fn end_session(&self, id: SessionId) -> Result<(), AdminError> {
        let now = self.auth.now();
        let ended = self.auth.parts.sessions.end(id, now).await?;
        let session = ended.ok_or(AdminError::NoSuchSession)?;
        self.auth.parts.revocations.note(Ended {
            session: id,
            at: now,
        });
        let deed = Deed {
            session: Some(id),
            ..Deed::on(session.subject.user, (Action::EndSession, "ended"))
        };
        self.told(deed, Ok(())).await
    }

    /// Ends all sessions of a user, also of one whose account is gone; returns how many.
    pub async fn end_sessions(&self, user: UserId) -> Result<usize, AdminError> {
        let ended = self.auth.end_sessions_of(user, None).await;
        let deed = Deed::on(user, (Action::SignOutAll, "ended"));
        self.told(deed, ended.map_err(Into::into)).await
    }

    /// Ends everybody's sessions; returns how many. Those of the caller come last: where a store fails
    /// in between, they can still try again.
    pub async fn end_all_sessions(&self) -> Result<usize, AdminError> {
        let mut users = self.auth.parts.sessions.users(self.auth.now()).await?;
        let own = self.own_user();
        users.sort_unstable_by_key(|user| Some(*user) == own);
        let mut count = 0;
        for user in users {
            count += self.end_sessions(user).await?;
        }
        Ok(count)
    }
}

fn is_after(query: &SessionQuery, session: &Session) -> bool {
    query
        .after
        .is_none_or(|after| session.subject.user > after.user || session.id < after.session)
}
