//! Signing in with a password.

use super::limit::{Came, Kept};
use super::tokens::form::Form;
use super::{About, Allowance, Auth, Caller, IssueError, LimitError, SignedIn};
use crate::audit::{Action, Outcome};
use crate::id::{SessionId, UserId};
use crate::limit::{Limited, Purpose};
use crate::password::pool::{Busy, Checked};
use crate::secret::SecretText;
use crate::session::{ClientKind, Generation, Persistence, Session, SessionKind, Subject};
use crate::sessions::{Created, Epoch};
use crate::unavailable::Unavailable;
use crate::user::{AccountStatus, EmailStatus, Login, User};
use crate::users::{PasswordHash, StoredUser, UserChange};

/// An attempt to sign in with a password.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The address or user name, as typed.
    pub login: String,
    /// The password.
    pub password: SecretText,
    /// Which entrance: at the admin's one, a valid user who is no admin is refused.
    pub entrance: SessionKind,
    /// What kind of client asks.
    pub client: ClientKind,
    /// How long it shall keep the session; of no account for a program.
    pub persistence: Persistence,
    /// In which form the access token is made.
    pub form: Form,
    /// Who asks.
    pub caller: Caller,
}

/// Whether an address must be confirmed before its user signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailRule {
    /// It must be.
    MustBeVerified,
    /// It need not be.
    MayBeUnverified,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Unknown user, wrong password, account without a password: one answer, one cost.
    #[error("wrong login or password")]
    WrongCredentials,
    /// The password was right, but the account is closed.
    #[error("the account is disabled")]
    Disabled,
    /// The password was right, but the address must be confirmed first.
    #[error("the email address is not verified")]
    EmailUnverified,
    /// The password was right, but this is the admin's entrance.
    #[error("not an administrator")]
    NotAdmin,
    /// It comes too soon; the password was not looked at.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// Too many passwords are being checked already.
    #[error("too many sign-ins at once")]
    Busy,
    /// A store is away.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// No token could be made.
    #[error(transparent)]
    Issue(#[from] IssueError),
}

/// How a sign-in failed, as the audit log tells it. Clients see the [`SignInError`] alone.
enum Failure {
    UnknownUser,
    WrongPassword,
    Said(SignInError),
}

impl<E: Into<SignInError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Said(error.into())
    }
}

impl From<Busy> for SignInError {
    fn from(Busy: Busy) -> Self {
        Self::Busy
    }
}

impl From<Kept> for SignInError {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Limit(LimitError::Limited(limited)) => Self::Limited(limited),
            Kept::Limit(LimitError::Unavailable(error)) => Self::Unavailable(error),
            Kept::NoRoom => Self::Busy,
        }
    }
}

impl Auth {
    /// Checks a password and opens a session.
    pub async fn sign_in(&self, attempt: SignIn) -> Result<SignedIn, SignInError> {
        self.sign_in_counted(attempt).await.0
    }

    /// The same, and what is left for the network of the caller; none where nothing is limited, or
    /// nobody got as far as to count.
    pub async fn sign_in_counted(
        &self,
        attempt: SignIn,
    ) -> (Result<SignedIn, SignInError>, Option<Allowance>) {
        let mut allowance = None;
        let result = self.try_sign_in(&attempt, &mut allowance).await;
        self.record_sign_in(&attempt, &result);
        let result = result.map_err(|failure| match failure {
            Failure::UnknownUser | Failure::WrongPassword => SignInError::WrongCredentials,
            Failure::Said(error) => error,
        });
        (result, allowance)
    }

    /// One look-up, whoever it is: it tells whose limits count, whichever name was typed. What comes too
    /// soon ends before the password is looked at.
    async fn try_sign_in(
        &self,
        attempt: &SignIn,
        allowance: &mut Option<Allowance>,
    ) -> Result<SignedIn, Failure> {
        // What is no login cannot be anybody's: it takes the same way as an unknown one.
        let login = Login::parse(&attempt.login).ok();
        let stored = match &login {
            Some(login) => self.parts.users.by_login(login).await?,
            None => None,
        };
        let name = login.as_ref().map_or(attempt.login.as_str(), Login::as_str);
        let user = stored.as_ref().map(|stored| stored.user.id);
        let purpose = purpose(attempt.entrance);
        let pass = self
            .admit_sign_in((purpose, &attempt.caller), (name, user))
            .await
            .map_err(SignInError::from)?;
        *allowance = self.allowance_after(&pass);
        let result = self.judge_password(attempt, (login.as_ref(), stored)).await;
        self.settle_sign_in(pass, came(&result)).await;
        result
    }

    /// One hash, whether the user is unknown or the password wrong; whatever else it takes, only the
    /// right password sets off.
    async fn judge_password(
        &self,
        attempt: &SignIn,
        (login, stored): (Option<&Login>, Option<StoredUser>),
    ) -> Result<SignedIn, Failure> {
        let hash = stored.as_ref().and_then(|stored| stored.password.clone());
        let right = self.check_password(hash.clone(), &attempt.password).await?;
        match (login.zip(stored), hash, right) {
            (None, ..) => Err(Failure::UnknownUser),
            (Some((login, known)), Some(hash), Some(right)) => {
                let proved = Proved {
                    user: known.user.id,
                    hash,
                    upgraded: right.upgraded,
                };
                self.open_session(attempt, login, proved).await
            }
            (Some(_), ..) => Err(Failure::WrongPassword),
        }
    }

    /// The password was right when its hash was read. An administrator may have closed the account or
    /// changed the password since; "end all sessions" moves the epoch on after such a change, so a
    /// record that is read after the epoch is either the new one or the session is not made.
    async fn open_session(
        &self,
        attempt: &SignIn,
        login: &Login,
        proved: Proved,
    ) -> Result<SignedIn, Failure> {
        let epoch = self.parts.sessions.epoch(proved.user).await?;
        let fresh = self
            .parts
            .users
            .by_login(login)
            .await?
            .ok_or(Failure::UnknownUser)?;
        self.confirm_password(attempt, &fresh, &proved).await?;
        self.refuse_by_account(attempt, &fresh.user)?;
        self.upgrade_hash(proved).await;
        let client = (attempt.client, attempt.persistence, &attempt.caller);
        let session = self.session_for(attempt.entrance, client, &fresh.user);
        self.store_session(&session, epoch).await?;
        Ok(self
            .issue(session, Some(fresh.user), &attempt.form)
            .map_err(SignInError::from)?)
    }

    /// Another sign-in may have upgraded the hash meanwhile; then the password is checked against that.
    async fn confirm_password(
        &self,
        attempt: &SignIn,
        fresh: &StoredUser,
        proved: &Proved,
    ) -> Result<(), Failure> {
        if fresh.user.id == proved.user && fresh.password.as_ref() == Some(&proved.hash) {
            return Ok(());
        }
        let right = self
            .check_password(fresh.password.clone(), &attempt.password)
            .await?;
        match right {
            Some(_) if fresh.user.id == proved.user => Ok(()),
            Some(_) | None => Err(Failure::WrongPassword),
        }
    }

    fn refuse_by_account(&self, attempt: &SignIn, user: &User) -> Result<(), SignInError> {
        match user.status {
            AccountStatus::Enabled => {}
            AccountStatus::Disabled => return Err(SignInError::Disabled),
        }
        match (self.parts.email_rule, user.email_status) {
            (EmailRule::MustBeVerified, EmailStatus::Unverified) => {
                return Err(SignInError::EmailUnverified);
            }
            (EmailRule::MustBeVerified, EmailStatus::Verified)
            | (EmailRule::MayBeUnverified, EmailStatus::Verified | EmailStatus::Unverified) => {}
        }
        match attempt.entrance {
            SessionKind::Admin if !user.roles.has_admin() => Err(SignInError::NotAdmin),
            SessionKind::Admin | SessionKind::User => Ok(()),
        }
    }

    /// `None`: the password is not right, for whichever reason.
    async fn check_password(
        &self,
        hash: Option<PasswordHash>,
        password: &SecretText,
    ) -> Result<Option<Right>, SignInError> {
        match self.parts.passwords.check(hash, password.clone()).await? {
            Checked::Right => Ok(Some(Right { upgraded: None })),
            Checked::RightButOutdated { upgraded } => Ok(Some(Right {
                upgraded: Some(upgraded),
            })),
            Checked::Wrong => Ok(None),
            Checked::Unverifiable(reason) => {
                tracing::warn!(%reason, "a stored password hash cannot be checked");
                Ok(None)
            }
        }
    }

    /// An upgrade that fails is tried again at the next sign-in; it is no reason to refuse this one.
    async fn upgrade_hash(&self, proved: Proved) {
        let Some(to) = proved.upgraded else { return };
        let change = UserChange::Rehash {
            from: proved.hash,
            to,
        };
        if let Err(error) = self.parts.users.change(proved.user, change).await {
            tracing::warn!(user = %proved.user, %error, "a password hash could not be upgraded");
        }
    }

    pub(super) fn session_for(
        &self,
        kind: SessionKind,
        (client, persistence, caller): (ClientKind, Persistence, &Caller),
        user: &User,
    ) -> Session {
        let now = self.now();
        let lifetimes = &self.parts.lifetimes;
        let bounds = lifetimes.bounds(client, persistence);
        let ends_at = now.plus(bounds.absolute);
        Session {
            id: SessionId::new(now),
            subject: Subject::of(user),
            kind,
            client,
            persistence,
            generation: Generation::FIRST,
            created_at: now,
            refreshed_at: now,
            expires_at: now.plus(bounds.idle).min(ends_at),
            ends_at,
            address: caller.address.to_string(),
            user_agent: caller.user_agent.clone(),
        }
    }

    pub(super) async fn store_session(
        &self,
        session: &Session,
        epoch: Epoch,
    ) -> Result<(), SignInError> {
        match self.parts.sessions.create(session, epoch).await? {
            Created::Stored => Ok(()),
            // The account changed under our feet; who knows the new password signs in again.
            Created::Superseded => Err(SignInError::WrongCredentials),
        }
    }

    fn record_sign_in(&self, attempt: &SignIn, result: &Result<SignedIn, Failure>) {
        let action = match attempt.entrance {
            SessionKind::User => Action::SignIn,
            SessionKind::Admin => Action::AdminSignIn,
        };
        let login = Login::parse(&attempt.login).ok();
        let about = About {
            actor: login.as_ref().map(Login::as_str),
            session: result.as_ref().ok().map(|signed_in| &signed_in.session),
            caller: &attempt.caller,
        };
        let verdict = verdict(result);
        self.parts.metrics.sign_in(verdict.1);
        // A flood comes by these two ways; the metrics count them all.
        let is_flood = verdict == LIMITED || verdict == FULL;
        if !is_flood || self.is_worth_a_line(&attempt.caller) {
            self.record(action, verdict, &about);
        }
    }
}

/// A password was right.
struct Right {
    /// The same password under today's parameters, where the stored hash has others.
    upgraded: Option<PasswordHash>,
}

/// A user whose password was right, and the hash that said so.
struct Proved {
    user: UserId,
    hash: PasswordHash,
    upgraded: Option<PasswordHash>,
}

const fn purpose(entrance: SessionKind) -> Purpose {
    match entrance {
        SessionKind::User => Purpose::SignIn,
        SessionKind::Admin => Purpose::AdminSignIn,
    }
}

/// Whether a sign-in was a guess. One with the right password of a closed account stays counted, too: it
/// would be tried for ever.
const fn came(result: &Result<SignedIn, Failure>) -> Came {
    match result {
        Ok(_) => Came::Right,
        Err(Failure::UnknownUser | Failure::WrongPassword) => Came::Wrong,
        Err(Failure::Said(error)) => match error {
            SignInError::WrongCredentials
            | SignInError::Disabled
            | SignInError::EmailUnverified
            | SignInError::NotAdmin
            | SignInError::Limited(_) => Came::Wrong,
            SignInError::Busy | SignInError::Unavailable(_) | SignInError::Issue(_) => {
                Came::Unjudged
            }
        },
    }
}

const LIMITED: (Outcome, &str) = (Outcome::Refused, "limited");
const FULL: (Outcome, &str) = (Outcome::Failed, "hashing-pool-full");

const fn verdict(result: &Result<SignedIn, Failure>) -> (Outcome, &'static str) {
    match result {
        Ok(_) => (Outcome::Success, "signed-in"),
        Err(Failure::UnknownUser) => (Outcome::Refused, "unknown-user"),
        Err(Failure::WrongPassword) => (Outcome::Refused, "wrong-password"),
        Err(Failure::Said(error)) => match error {
            SignInError::WrongCredentials => (Outcome::Refused, "account-changed"),
            SignInError::Disabled => (Outcome::Refused, "account-disabled"),
            SignInError::EmailUnverified => (Outcome::Refused, "email-unverified"),
            SignInError::NotAdmin => (Outcome::Refused, "not-an-admin"),
            SignInError::Limited(_) => LIMITED,
            SignInError::Busy => FULL,
            SignInError::Unavailable(_) => (Outcome::Failed, "store-unavailable"),
            SignInError::Issue(_) => (Outcome::Failed, "no-token-made"),
        },
    }
}
