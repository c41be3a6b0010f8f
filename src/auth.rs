//! The core: who somebody is, and what they may do.
//!
//! One verb a file. Knows the stores by their traits and the network not at all.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::id::{RequestId, SessionId, UserId};
use crate::identity::Identity;
use crate::policy::Requirement;
use crate::request::RequestHead;
use crate::secret::SecretText;
use crate::session::{ClientKind, RefreshToken, Session, SessionKind};
use crate::unavailable::Unavailable;
use crate::user::User;

pub mod tokens;

/// Proof that a request was judged and may be forwarded. Made by [`Auth::authenticate`] alone.
#[derive(Clone, Debug)]
pub struct Permit {
    identity: Option<Arc<Identity>>,
}

impl Permit {
    /// Who is calling; nobody on a public route.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_deref()
    }
}

/// Why a request may not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// 401: no credential, or one that does not hold. The reason is for the log and for `explain`;
    /// clients see the same answer for all of them.
    Unauthenticated(Unauthenticated),
    /// 403: a good credential, but the rule of the route asks for more.
    Forbidden {
        /// What the rule asks for, in words, for the log and for `explain`.
        unmet: String,
    },
    /// 403: an unsafe method with a cookie, from a page of another origin.
    CrossOrigin,
    /// 503: what is known is too old, or the keys of an issuer are not to be had.
    Unavailable {
        /// What is missing, for the log.
        what: &'static str,
        /// When to try again.
        retry_after: Duration,
    },
}

/// Why a credential does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unauthenticated {
    /// There is none.
    NoCredential,
    /// Two in one place, or bytes that are no text.
    Ambiguous,
    /// An `Authorization` scheme that is not `Bearer`.
    ForeignScheme,
    /// Not a token, not signed by whom it names, not meant for us, …
    Token(crate::token::TokenError),
    /// Its session has ended.
    Revoked,
}

/// Who asks, as the audit log tells it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The client address.
    pub address: IpAddr,
    /// The start of the `User-Agent`, at most 256 bytes.
    pub user_agent: String,
    /// The request.
    pub request_id: RequestId,
}

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
    /// Who asks.
    pub caller: Caller,
}

/// An access token, and when it ends.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The JWT.
    pub text: SecretText,
    /// Its `exp`.
    pub expires_at: Timestamp,
}

/// A session that was just opened or refreshed, with its tokens.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// The user; `None` where the user store was away at a refresh, which then goes on with the
    /// subject of the session.
    pub user: Option<User>,
    /// The access token.
    pub access: AccessToken,
    /// The refresh token.
    pub refresh: SecretText,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Unknown user, wrong password, account without password: one answer, one cost.
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
    /// Too many passwords are being checked already.
    #[error("too many sign-ins at once")]
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// A store is away.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a session was not refreshed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// There is no such session (any more).
    #[error("the session has ended")]
    Gone,
    /// The token was an older one; its session has been ended.
    #[error("the refresh token was used before")]
    Reused,
    /// The user was removed or disabled; the session has been ended.
    #[error("the account is gone")]
    UserGone,
    /// A store is away.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The core with all that it needs.
#[derive(Debug)]
pub struct Auth {}

#[expect(
    unused_variables,
    clippy::todo,
    clippy::unused_async,
    reason = "to come"
)]
impl Auth {
    /// Judges a request by what its route asks for. No IO.
    pub fn authenticate(
        &self,
        head: &RequestHead<'_>,
        requirement: &Requirement,
    ) -> Result<Permit, Denial> {
        todo!()
    }

    /// Who a request's credential speaks for, whatever it may do: for the gateway's own endpoints.
    pub fn identify(&self, head: &RequestHead<'_>) -> Result<Arc<Identity>, Denial> {
        todo!()
    }

    /// Who a bearer token speaks for, for endpoints whose dialect carries it elsewhere.
    pub fn identify_token(&self, token: &str) -> Result<Arc<Identity>, Denial> {
        todo!()
    }

    /// Checks a password and opens a session.
    pub async fn sign_in(&self, attempt: SignIn) -> Result<SignedIn, SignInError> {
        todo!()
    }

    /// Reads a refresh token and finds its session: `None` where the text is no token of ours, or
    /// the session has ended.
    pub async fn session_of(
        &self,
        token: &str,
    ) -> Result<Option<(RefreshToken, Session)>, Unavailable> {
        todo!()
    }

    /// Moves a session on to new tokens.
    pub async fn refresh(
        &self,
        token: RefreshToken,
        caller: &Caller,
    ) -> Result<SignedIn, RefreshError> {
        todo!()
    }

    /// Ends one session. Its access tokens are refused from the moment this returns.
    pub async fn sign_out(&self, session: SessionId, caller: &Caller) -> Result<(), Unavailable> {
        todo!()
    }

    /// Ends all sessions of a user, and returns how many.
    pub async fn sign_out_all(&self, user: UserId, caller: &Caller) -> Result<usize, Unavailable> {
        todo!()
    }

    /// Ends a session of this user from another one; `false` where the user has no such session.
    pub async fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        caller: &Caller,
    ) -> Result<bool, Unavailable> {
        todo!()
    }

    /// The sessions of a user, newest first.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, Unavailable> {
        todo!()
    }

    /// The account of a user.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, Unavailable> {
        todo!()
    }

    /// A CSRF value for `message`, lower-case hex, that only this gateway can derive.
    pub fn csrf_value(&self, message: &str) -> String {
        todo!()
    }

    /// Whether `value` is the CSRF value for `message`.
    pub fn csrf_matches(&self, message: &str, value: &str) -> bool {
        todo!()
    }

    /// The public keys of the gateway's own tokens, as a JSON Web Key Set (RFC 7517 §5).
    pub fn jwks(&self) -> bytes::Bytes {
        todo!()
    }
}
