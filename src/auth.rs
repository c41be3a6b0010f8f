//! The core: who somebody is, and what they may do. One verb a file.
//!
//! Knows the stores by their traits; HTTP bodies, SQL, Redis and pingora not at all.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use url::Url;

use crate::audit::{Action, Audit, Event, Outcome};
use crate::clock::{SharedClock, Timestamp};
use crate::id::RequestId;
use crate::metrics::Metrics;
use crate::password::pool::Passwords;
use crate::revocation::Revocations;
use crate::secret::SecretText;
use crate::session::{Lifetimes, RefreshToken, Session};
use crate::sessions::SessionStore;
use crate::token::mint::{Claims, MintError};
use crate::user::{JsonObject, User};
use crate::users::UserStore;

use self::admin::Turns;
use self::api_keys::ApiKeys;
use self::tokens::Tokens;
use self::tokens::form::{Bearer, Form};

pub mod account;
pub mod admin;
pub mod api_keys;
mod authenticate;
mod csrf;
mod decision;
mod guess;
mod limit;
mod refresh;
mod sign_in;
mod sign_out;
pub mod tokens;

pub use self::account::{AccountError, AccountRules, Accounts, Agent, Member};
pub use self::authenticate::{Denial, Permit, Unauthenticated};
pub use self::csrf::is_shown as csrf_is_shown;
pub use self::decision::{Witness, decide};
pub use self::guess::{Guess, Guessed};
pub use self::limit::{Allowance, LimitError, Limits, Pass};
pub use self::refresh::{RefreshError, ShownToken};
pub use self::sign_in::{EmailRule, SignIn, SignInError};

/// What the core works with.
#[derive(Debug)]
pub struct Parts {
    /// Tells the time.
    pub clock: SharedClock,
    /// Keeps the users.
    pub users: Arc<dyn UserStore>,
    /// Keeps the sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// Checks passwords.
    pub passwords: Arc<Passwords>,
    /// Says what comes too soon.
    pub limits: Limits,
    /// Checks and makes tokens.
    pub tokens: Arc<Tokens>,
    /// Remembers which sessions have ended.
    pub revocations: Arc<Revocations>,
    /// Knows the API keys.
    pub api_keys: Arc<ApiKeys>,
    /// Is told what happens.
    pub audit: Arc<Audit>,
    /// Counts what happens.
    pub metrics: Arc<Metrics>,
    /// How long the parts of a session live.
    pub lifetimes: Lifetimes,
    /// Whether an address must be confirmed before its user signs in.
    pub email_rule: EmailRule,
    /// The origin that browsers see; what is same-origin, is so beside it.
    pub public_url: Url,
    /// What the life of an account takes: codes, mail, and the rules.
    pub accounts: Accounts,
}

/// The core: every face asks it, and only it.
#[derive(Clone, Debug)]
pub struct Auth {
    parts: Arc<Parts>,
    turns: Arc<Turns>,
}

impl Auth {
    /// The cookie in which a browser keeps its access token. `__Host-`: set by this very host, over
    /// TLS, for all paths, and by nobody else (RFC 6265bis §4.1.3.2).
    pub const SESSION_COOKIE: &'static str = "__Host-doorward";

    /// The core over these parts.
    pub fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            turns: Arc::default(),
        }
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// The tokens of a session as it stands now.
    fn issue(
        &self,
        session: Session,
        user: Option<User>,
        form: &Form,
    ) -> Result<SignedIn, IssueError> {
        let issued_at = self.now();
        let bearer = Bearer {
            session: &session,
            user: user.as_ref(),
            now: issued_at,
        };
        let access = self.access_token(bearer, form)?;
        let token = RefreshToken {
            session: session.id,
            generation: session.generation,
        };
        let refresh = self
            .parts
            .tokens
            .session_signer()
            .refresh_token(token)
            .ok_or(IssueError::NoSessionKey)?;
        Ok(SignedIn {
            session,
            user,
            access,
            refresh,
            issued_at,
        })
    }

    /// A session that ends is not outlived by its tokens, nor by the leeway that they are given.
    fn access_token(&self, bearer: Bearer<'_>, form: &Form) -> Result<AccessToken, MintError> {
        let Bearer { session, now, .. } = bearer;
        let expires_at = now
            .plus(self.parts.lifetimes.access)
            .min(session.expires_at.minus(self.parts.tokens.leeway()));
        let claims = Claims {
            subject: session.subject.user.to_string(),
            session: session.id,
            roles: session.subject.roles.clone(),
            email: Some(session.subject.email.clone()),
            methods: vec!["pwd"],
            issued_at: now,
            expires_at,
            extra: JsonObject::new(),
        };
        let text = self.parts.tokens.mint_as(form, (claims, bearer))?;
        Ok(AccessToken { text, expires_at })
    }

    fn record(&self, action: Action, verdict: (Outcome, &'static str), about: &About<'_>) {
        let (outcome, reason) = verdict;
        self.parts.audit.record(&Event {
            action,
            outcome,
            reason,
            actor: about.actor,
            user: about.session.map(|s| s.subject.user.to_string()),
            session: about.session.map(|s| s.id.to_string()),
            address: Some(about.caller.address),
            request_id: Some(about.caller.request_id.to_string()),
            api_key: None,
        });
    }
}

/// Whom an audit event is about.
struct About<'a> {
    actor: Option<&'a str>,
    session: Option<&'a Session>,
    caller: &'a Caller,
}

/// Who asks, as the audit log and the list of sessions tell it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The client address.
    pub address: IpAddr,
    /// The start of the `User-Agent`, at most 256 bytes.
    pub user_agent: String,
    /// The request.
    pub request_id: RequestId,
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
#[derive(Clone)]
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
    /// When these tokens were made: the present, from which their lifetimes count.
    pub issued_at: Timestamp,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn")
            .field("session", &self.session.id)
            .finish_non_exhaustive()
    }
}

/// No token could be made: the key ring is broken, which is an operator's business.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The access token could not be signed.
    #[error("the access token could not be signed")]
    Mint(#[from] MintError),
    /// The key ring has no key for refresh tokens.
    #[error("the key ring has no session key")]
    NoSessionKey,
}
