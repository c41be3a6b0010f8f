//! Whom a credential speaks for, by what the stores and key sets say now.
//!
//! What the running gateway alone knows is not known here: keys of other issuers are read only where they
//! are files.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use url::Url;

use super::key;
use crate::api_key::UnverifiedKey;
use crate::api_key::text::Malformed;
use crate::app::stores::Stores;
use crate::app::{dialect_secrets, token_settings};
use crate::auth::tokens::Tokens;
use crate::auth::{Denial, Unauthenticated, Witness, csrf_is_shown};
use crate::clock::{Clock as _, SharedClock, SystemClock};
use crate::config::Config;
use crate::id::SessionId;
use crate::identity::{Identity, Issuer};
use crate::request::{Credential, RequestHead, RequestOrigin};
use crate::user::{Login, User};

/// Where it is looked up.
pub(super) struct Books<'a> {
    config: &'a Config,
    clock: SharedClock,
}

/// What was found of the one credential of a request.
pub(super) struct Found {
    public_url: Url,
    holder: Result<Arc<Identity>, Denial>,
    /// There where a token was looked at.
    tokens: Option<Arc<Tokens>>,
}

impl<'a> Books<'a> {
    pub(super) fn of(config: &'a Config) -> Self {
        let clock = Arc::new(SystemClock);
        Self { config, clock }
    }

    /// The user of this id, address or user name.
    pub(super) async fn user(&self, name: &str) -> anyhow::Result<User> {
        let stores = Stores::open(self.config, &self.clock).await?;
        let user = match name.parse() {
            Ok(id) => stores.users.by_id(id).await?,
            Err(_no_id) => stores
                .users
                .by_login(&Login::parse(name)?)
                .await?
                .map(|known| known.user),
        };
        match user {
            Some(user) => Ok(user),
            None => bail!("there is no user {name:?}"),
        }
    }

    /// A witness for whom every credential is one of this user.
    pub(super) fn signed_in(&self, user: &User) -> Found {
        self.found(Ok(Arc::new(as_if_signed_in(user))), None)
    }

    /// Looks up whom this credential speaks for, if it is one that could speak for anybody.
    pub(super) async fn witness(&self, shown: Credential<'_>) -> anyhow::Result<Found> {
        let nobody = Err(Denial::Unauthenticated(Unauthenticated::NoCredential));
        match shown {
            Credential::Absent | Credential::Foreign | Credential::Ambiguous => {
                Ok(self.found(nobody, None))
            }
            Credential::Bearer(text) => match UnverifiedKey::read(text) {
                Some(key) => self.by_key(key).await,
                None => self.by_token(text).await,
            },
            Credential::Key(text) => {
                let shown = UnverifiedKey::read(text).unwrap_or(Err(Malformed));
                self.by_key(shown).await
            }
            Credential::Cookie(token) => self.by_token(token).await,
        }
    }

    async fn by_key(&self, shown: Result<UnverifiedKey, Malformed>) -> anyhow::Result<Found> {
        let holder = key::holder(self.config, &self.clock, shown).await?;
        let refused = |refusal| Denial::Unauthenticated(Unauthenticated::ApiKey(refusal));
        Ok(self.found(holder.map_err(refused), None))
    }

    async fn by_token(&self, token: &str) -> anyhow::Result<Found> {
        let config = &dialect_secrets::settle(self.config.clone())?;
        let tokens = Tokens::start(token_settings(config), self.clock.clone())?;
        let holder = match tokens.identify(token, self.clock.now()) {
            Ok(identity) if self.has_ended(identity.session).await? => {
                Err(Denial::Unauthenticated(Unauthenticated::Revoked))
            }
            Ok(identity) => Ok(identity),
            Err(refused) => Err(refused.into()),
        };
        Ok(self.found(holder, Some(tokens)))
    }

    async fn has_ended(&self, session: Option<SessionId>) -> anyhow::Result<bool> {
        let Some(session) = session else {
            return Ok(false);
        };
        let stores = Stores::open(self.config, &self.clock).await?;
        let found = stores.sessions.find(session, self.clock.now()).await?;
        Ok(found.is_none())
    }

    fn found(&self, holder: Result<Arc<Identity>, Denial>, tokens: Option<Arc<Tokens>>) -> Found {
        Found {
            public_url: self.config.listen.public_url.clone(),
            holder,
            tokens,
        }
    }
}

impl Found {
    /// Whom the credential speaks for, if for anybody.
    pub(super) fn identity(&self) -> Option<&Identity> {
        self.holder.as_deref().ok()
    }
}

/// It was looked up as what it is; there is one credential and one answer.
impl Witness for Found {
    fn bearer(&self, _text: &str, _client: IpAddr) -> Result<Arc<Identity>, Denial> {
        self.holder.clone()
    }

    fn key(&self, _text: &str, _client: IpAddr) -> Result<Arc<Identity>, Denial> {
        self.holder.clone()
    }

    fn cookie(&self, _token: &str) -> Result<Arc<Identity>, Denial> {
        self.holder.clone()
    }

    fn origin(&self, head: &RequestHead<'_>) -> RequestOrigin {
        head.origin(&self.public_url)
    }

    fn shows_csrf_token(&self, head: &RequestHead<'_>, session: Option<SessionId>) -> bool {
        let tokens = self.tokens.as_ref();
        tokens.is_some_and(|tokens| csrf_is_shown(tokens, head, session))
    }
}

fn as_if_signed_in(user: &User) -> Identity {
    let roles: Vec<Box<str>> = user.roles.iter().map(|role| role.as_str().into()).collect();
    let claims = serde_json::json!({
        "sub": user.id.to_string(), "email": user.email.as_str(), "roles": roles,
    });
    Identity {
        issuer: Issuer::Own,
        subject: user.id.to_string().into(),
        session: None,
        email: Some(user.email.as_str().into()),
        roles,
        scopes: Vec::new(),
        not_before: None,
        expires_at: SystemClock.now().plus(Duration::from_mins(1)),
        claims: claims.as_object().cloned().unwrap_or_default(),
    }
}
