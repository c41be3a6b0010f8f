//! Moving a session on to new tokens.

use super::tokens::form::Form;
use super::{About, Auth, Caller, IssueError, LimitError, SignedIn};
use crate::audit::{Action, Outcome};
use crate::limit::Limited;
use crate::session::{RefreshToken, Session, SessionKind, Subject};
use crate::sessions::{Ended, Refresh, Refreshed};
use crate::unavailable::Unavailable;
use crate::user::{AccountStatus, User};
use crate::users::directory::Current;

/// Why a session was not refreshed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// There is no such session (any more).
    #[error("the session has ended")]
    Gone,
    /// The token was an older one: somebody holds a copy. Its session has been ended.
    #[error("the refresh token was used before")]
    Reused,
    /// The user was removed, disabled, or is no longer an admin; the session has been ended.
    #[error("the account may no longer have this session")]
    UserGone,
    /// It comes too soon; the session stays as it is.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// A store is away.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// No token could be made.
    #[error(transparent)]
    Issue(#[from] IssueError),
}

impl From<LimitError> for RefreshError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Limited(limited) => Self::Limited(limited),
            LimitError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

/// A refresh token that we made, and its session as it stood when the token was shown. Made by
/// [`Auth::session_of`] alone.
#[derive(Clone, Debug)]
pub struct ShownToken {
    token: RefreshToken,
    session: Session,
}

impl ShownToken {
    /// The session.
    pub const fn session(&self) -> &Session {
        &self.session
    }
}

impl Auth {
    /// Reads a refresh token and finds its session: `None` where the text is no token of ours, or the
    /// session has ended.
    pub async fn session_of(&self, token: &str) -> Result<Option<ShownToken>, Unavailable> {
        let Ok(token) = self.parts.tokens.session_signer().read_refresh_token(token) else {
            return Ok(None);
        };
        let session = self.parts.sessions.find(token.session, self.now()).await?;
        Ok(session.map(|session| ShownToken { token, session }))
    }

    /// Moves a session on to new tokens, the access token in this form.
    pub async fn refresh(
        &self,
        shown: &ShownToken,
        form: &Form,
        caller: &Caller,
    ) -> Result<SignedIn, RefreshError> {
        let lifetimes = &self.parts.lifetimes;
        let (client, persistence) = (shown.session.client, shown.session.persistence);
        let refresh = Refresh {
            token: shown.token,
            now: self.now(),
            lifetime: lifetimes.bounds(client, persistence).idle,
            grace: lifetimes.grace,
        };
        let outcome = match self.limit_refresh(shown.token.session, caller).await {
            Ok(()) => self.parts.sessions.refresh(refresh).await,
            Err(error) => return self.refuse_refresh(error.into(), caller),
        };
        let mut success = "refreshed";
        let (session, result) = match outcome {
            Ok(Refreshed::Rotated(session)) => {
                let result = self.continue_session(session.clone(), form).await;
                (Some(session), result)
            }
            Ok(Refreshed::Repeated(session)) => {
                success = "repeated";
                let result = self.continue_session(session.clone(), form).await;
                (Some(session), result)
            }
            Ok(Refreshed::Reused(session)) => {
                self.forget(&session);
                (Some(session), Err(RefreshError::Reused))
            }
            Ok(Refreshed::Gone) => (None, Err(RefreshError::Gone)),
            Err(unavailable) => (None, Err(unavailable.into())),
        };
        let user = session
            .as_ref()
            .map(|session| session.subject.user.to_string());
        let about = About {
            actor: user.as_deref(),
            session: session.as_ref(),
            caller,
        };
        let verdict = verdict(&result, success);
        self.parts.metrics.refresh(verdict.1);
        self.record(Action::Refresh, verdict, &about);
        result
    }

    /// Nothing was looked at yet: there is no session to tell of.
    fn refuse_refresh(
        &self,
        error: RefreshError,
        caller: &Caller,
    ) -> Result<SignedIn, RefreshError> {
        let result = Err(error);
        let verdict = verdict(&result, "refreshed");
        self.parts.metrics.refresh(verdict.1);
        if self.is_worth_a_line(caller) {
            let about = About {
                actor: None,
                session: None,
                caller,
            };
            self.record(Action::Refresh, verdict, &about);
        }
        result
    }

    /// A user store that is away does not sign anybody out: the session goes on with what was known of
    /// its user. A user who is known to be gone does end it.
    async fn continue_session(
        &self,
        mut session: Session,
        form: &Form,
    ) -> Result<SignedIn, RefreshError> {
        let user = match self.current(session.subject.user).await {
            Ok(Current::Known(user)) if may_keep(&session, &user) => Some(*user),
            Ok(Current::Untold) => None,
            Ok(Current::Known(_) | Current::Gone) => {
                self.parts.sessions.end(session.id, self.now()).await?;
                self.forget(&session);
                return Err(RefreshError::UserGone);
            }
            Err(error) => {
                tracing::warn!(session = %session.id, %error, "refreshed without the user store");
                None
            }
        };
        if let Some(user) = &user {
            let subject = Subject::of(user);
            if subject != session.subject {
                self.parts
                    .sessions
                    .update_subject(session.id, &subject)
                    .await?;
                session.subject = subject;
            }
        }
        Ok(self.issue(session, user, form)?)
    }

    /// Takes effect here at once; the other replicas hear of it from the store.
    pub(super) fn forget(&self, session: &Session) {
        self.parts.revocations.note(Ended {
            session: session.id,
            at: self.now(),
        });
    }
}

fn may_keep(session: &Session, user: &User) -> bool {
    let role_holds = match session.kind {
        SessionKind::Admin => user.roles.has_admin(),
        SessionKind::User => true,
    };
    user.status == AccountStatus::Enabled && role_holds
}

const fn verdict(
    result: &Result<SignedIn, RefreshError>,
    success: &'static str,
) -> (Outcome, &'static str) {
    match result {
        Ok(_) => (Outcome::Success, success),
        Err(RefreshError::Gone) => (Outcome::Refused, "session-ended"),
        Err(RefreshError::Reused) => (Outcome::Refused, "reused-token"),
        Err(RefreshError::UserGone) => (Outcome::Refused, "account-gone"),
        Err(RefreshError::Limited(_)) => (Outcome::Refused, "limited"),
        Err(RefreshError::Unavailable(_)) => (Outcome::Failed, "store-unavailable"),
        Err(RefreshError::Issue(_)) => (Outcome::Failed, "no-token-made"),
    }
}
