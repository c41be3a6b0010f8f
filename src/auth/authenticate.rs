//! Judging a request: from its head and what its route asks for to a [`Permit`] or a [`Denial`].
//!
//! No IO: all that is asked lies in memory. How a denial looks is the business of the faces.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use super::Auth;
use super::api_keys::KeyRefusal;
use super::decision::{Witness, decide, identity_of};
use super::tokens::Tokens;
use crate::api_key::UnverifiedKey;
use crate::id::SessionId;
use crate::identity::{Identity, Issuer};
use crate::policy::Requirement;
use crate::request::{Credential, RequestHead, RequestOrigin};
use crate::revocation;
use crate::token::TokenError;

/// When to come back after a 503: a store that is back is heard again within a second or two.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Proof that a request was judged and may be forwarded. [`Auth::authenticate`] alone makes it.
#[derive(Clone, Debug)]
pub struct Permit {
    identity: Option<Arc<Identity>>,
}

impl Permit {
    /// Who is calling; nobody on a public route.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_deref()
    }

    /// The same, shared: for the access log, which outlives the request.
    pub fn shared_identity(&self) -> Option<Arc<Identity>> {
        self.identity.clone()
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// There is none.
    #[error("no credential")]
    NoCredential,
    /// Two in one place, or bytes that are no text.
    #[error("more than one credential, or an unreadable one")]
    Ambiguous,
    /// An `Authorization` scheme that is not `Bearer`.
    #[error("an Authorization scheme that is not Bearer")]
    ForeignScheme,
    /// Not a token, not signed by whom it names, not meant for us, …
    #[error("{0}")]
    Token(TokenError),
    /// Its session has ended.
    #[error("its session has ended")]
    Revoked,
    /// Not an API key, or one that holds no longer.
    #[error("{0}")]
    ApiKey(KeyRefusal),
}

impl Auth {
    /// Judges a request by what its route asks for.
    pub fn authenticate(
        &self,
        head: &RequestHead<'_>,
        requirement: &Requirement,
    ) -> Result<Permit, Denial> {
        self.authenticate_by(head, self.credential(head), requirement)
    }

    /// The same by what was found to be the credential of the request: for routes whose clients show one
    /// in a way of their own.
    pub fn authenticate_by(
        &self,
        head: &RequestHead<'_>,
        shown: Credential<'_>,
        requirement: &Requirement,
    ) -> Result<Permit, Denial> {
        let identity = decide(self, head, shown, requirement)?;
        Ok(Permit { identity })
    }

    /// Who a request's credential speaks for, whatever it may do: for the gateway's own endpoints.
    pub fn identify(&self, head: &RequestHead<'_>) -> Result<Arc<Identity>, Denial> {
        identity_of(self, head, self.credential(head))?
            .ok_or(Denial::Unauthenticated(Unauthenticated::NoCredential))
    }

    /// Who this credential of a request speaks for: for endpoints whose clients show one in a way of
    /// their own.
    pub fn identify_by(
        &self,
        head: &RequestHead<'_>,
        shown: Credential<'_>,
    ) -> Result<Arc<Identity>, Denial> {
        identity_of(self, head, shown)?
            .ok_or(Denial::Unauthenticated(Unauthenticated::NoCredential))
    }

    /// The credential of a request whose client may show it in the header `also`
    /// ([`RequestHead::credential_also_in`]).
    pub fn credential_also_in<'a>(
        &self,
        head: &RequestHead<'a>,
        also: &HeaderName,
    ) -> Credential<'a> {
        let usual = self.parts.api_keys.header();
        head.credential_also_in(Self::SESSION_COOKIE, usual, also)
    }

    /// The credential that a request shows.
    pub fn credential<'a>(&self, head: &RequestHead<'a>) -> Credential<'a> {
        head.credential_with(Self::SESSION_COOKIE, self.parts.api_keys.header())
    }

    /// Who a token or an API key speaks for: what may stand behind `Bearer`.
    pub fn identify_token(&self, token: &str) -> Result<Arc<Identity>, Denial> {
        self.identify_bearer(token, None)
    }

    /// The prefix decides which of the two it is; what is refused as the one is not tried as the other.
    fn identify_bearer(
        &self,
        token: &str,
        client: Option<IpAddr>,
    ) -> Result<Arc<Identity>, Denial> {
        match UnverifiedKey::read(token) {
            Some(key) => self.identify_key(key, client),
            None => self.identify_jwt(token),
        }
    }

    fn identify_jwt(&self, token: &str) -> Result<Arc<Identity>, Denial> {
        let now = self.now();
        let identity = self
            .parts
            .tokens
            .identify(token, now)
            .map_err(Denial::from)?;
        match self.parts.revocations.check(identity.session, now) {
            revocation::Standing::Live => Ok(identity),
            revocation::Standing::Ended => Err(Denial::Unauthenticated(Unauthenticated::Revoked)),
            revocation::Standing::Unknown => Err(Denial::Unavailable {
                what: "nothing heard from the session store for longer than sessions.max_staleness",
                retry_after: RETRY_AFTER,
            }),
        }
    }

    /// Waits until the credential behind `identity` ends: for tunnels, which must not outlive it. A
    /// token of our own ends with its session, which may be refreshed; one of another issuer by its `exp`;
    /// an API key however it ends, or when it bounds its bearer otherwise.
    pub async fn ended(&self, identity: &Identity) {
        match (&identity.issuer, identity.session) {
            (Issuer::ApiKey(id), _) => self.parts.api_keys.ended(*id, identity).await,
            (Issuer::Own | Issuer::Foreign(_), Some(session)) => {
                self.parts.revocations.ended(session).await;
            }
            (Issuer::Own | Issuer::Foreign(_), None) => {
                tokio::time::sleep(identity.expires_at.since(self.now())).await;
            }
        }
    }

    /// The header in which API keys are welcome beside `Authorization`, if any.
    pub fn key_header(&self) -> Option<&HeaderName> {
        self.parts.api_keys.header()
    }

    /// Where a request was made, beside the public origin of the gateway.
    pub fn origin(&self, head: &RequestHead<'_>) -> RequestOrigin {
        head.origin(&self.parts.public_url)
    }

    /// The tokens that are welcome here.
    pub fn tokens(&self) -> &Tokens {
        &self.parts.tokens
    }
}

impl Witness for Auth {
    fn bearer(&self, text: &str, client: IpAddr) -> Result<Arc<Identity>, Denial> {
        self.identify_bearer(text, Some(client))
    }

    fn key(&self, text: &str, client: IpAddr) -> Result<Arc<Identity>, Denial> {
        self.identify_in_key_header(text, Some(client))
    }

    fn cookie(&self, token: &str) -> Result<Arc<Identity>, Denial> {
        self.identify_jwt(token)
    }

    fn origin(&self, head: &RequestHead<'_>) -> RequestOrigin {
        Self::origin(self, head)
    }

    fn shows_csrf_token(&self, head: &RequestHead<'_>, session: Option<SessionId>) -> bool {
        Self::shows_csrf_token(self, head, session)
    }
}

impl From<TokenError> for Denial {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::KeysUnavailable => Self::Unavailable {
                what: "the keys of a token's issuer are not to be had",
                retry_after: RETRY_AFTER,
            },
            refused => Self::Unauthenticated(Unauthenticated::Token(refused)),
        }
    }
}
