//! Ending sessions: this one, another one of the same user, all of them.

use super::{About, Auth, Caller};
use crate::audit::{Action, Outcome};
use crate::id::{SessionId, UserId};
use crate::session::Session;
use crate::sessions::Ended;
use crate::unavailable::Unavailable;

impl Auth {
    /// Ends one session. Its access tokens are refused here from the moment that this returns. To end
    /// what has ended already is no error.
    pub async fn sign_out(&self, session: SessionId, caller: &Caller) -> Result<(), Unavailable> {
        self.end(Action::SignOut, session, caller).await
    }

    /// Ends all sessions of a user, and returns how many.
    pub async fn sign_out_all(&self, user: UserId, caller: &Caller) -> Result<usize, Unavailable> {
        let now = self.now();
        let result = self.parts.sessions.end_all(user, now).await;
        if let Ok(ended) = &result {
            for session in ended {
                self.parts.revocations.note(Ended {
                    session: *session,
                    at: now,
                });
            }
        }
        let actor = user.to_string();
        let about = About {
            actor: Some(&actor),
            session: None,
            caller,
        };
        self.record(Action::SignOutAll, verdict(&result), &about);
        result.map(|ended| ended.len())
    }

    /// Ends a session of this user from another one; `false` where the user has no such session.
    pub async fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        caller: &Caller,
    ) -> Result<bool, Unavailable> {
        let found = self.parts.sessions.find(session, self.now()).await?;
        // Somebody else's session is none: nobody learns that it exists.
        if found.is_none_or(|session| session.subject.user != user) {
            return Ok(false);
        }
        self.end(Action::EndSession, session, caller).await?;
        Ok(true)
    }

    async fn end(
        &self,
        action: Action,
        session: SessionId,
        caller: &Caller,
    ) -> Result<(), Unavailable> {
        let now = self.now();
        let result = self.parts.sessions.end(session, now).await;
        if result.is_ok() {
            self.parts.revocations.note(Ended { session, at: now });
        }
        let ended: Option<&Session> = result.as_ref().ok().and_then(Option::as_ref);
        let actor = ended.map(|session| session.subject.user.to_string());
        let about = About {
            actor: actor.as_deref(),
            session: ended,
            caller,
        };
        self.record(action, verdict(&result), &about);
        result.map(drop)
    }
}

const fn verdict<T>(result: &Result<T, Unavailable>) -> (Outcome, &'static str) {
    match result {
        Ok(_) => (Outcome::Success, "ended"),
        Err(_) => (Outcome::Failed, "store-unavailable"),
    }
}
