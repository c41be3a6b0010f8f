//! Tokens of ours in the words of a dialect: another issuer, another audience, another key perhaps, and
//! claims as the clients and the services of that dialect read them.
//!
//! Whatever the words, they carry the session and the roles that a verdict rests on.

use std::sync::Arc;

use super::own::{Named, OwnKeys};
use crate::clock::Timestamp;
use crate::keys::KeyError;
use crate::secret::{SecretBytes, SecretText};
use crate::session::Session;
use crate::token::algorithm::Algorithm;
use crate::token::key::KeySet;
use crate::token::mint::{Claims, MadeType, Maker, MintError};
use crate::token::signing::{PrivateKey, UnusableKey};
use crate::token::verify::AcceptedTypes;
use crate::user::{JsonObject, User};

/// Which form of token: the gateway's own, or another.
#[derive(Clone, Debug)]
pub struct Form(pub(super) Option<Arc<TokenForm>>);

impl Form {
    /// The gateway's own.
    pub const OWN: Self = Self(None);

    /// The form of these settings. Its tokens are welcome where the [`Settings`](super::Settings) name it as well.
    pub fn open(config: FormConfig) -> Result<Self, KeyError> {
        Ok(Self(Some(Arc::new(TokenForm::open(config)?))))
    }
}

/// Whom a token is about.
#[derive(Clone, Copy, Debug)]
pub struct Bearer<'a> {
    /// The session.
    pub session: &'a Session,
    /// The user; `None` where the user store is away.
    pub user: Option<&'a User>,
    /// The present.
    pub now: Timestamp,
}

/// What a form is.
#[derive(Clone, Debug)]
pub struct FormConfig {
    /// `iss`. Where it is that of the gateway itself, audience, type and key are as well.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// `typ`.
    pub token_type: MadeType,
    /// What signs.
    pub key: FormKey,
    /// What the tokens say beside, or in place of, what ours say.
    pub words: fn(Bearer<'_>) -> JsonObject,
}

/// What signs the tokens of a form.
#[derive(Clone, Debug)]
pub enum FormKey {
    /// The key ring of the gateway.
    Ring,
    /// A secret that services behind the gateway share: HS256.
    Secret(SecretText),
}

/// A form that is ready for use.
#[derive(Debug)]
pub(super) struct TokenForm {
    config: FormConfig,
    /// Exactly one.
    audience: [String; 1],
    secret: Option<Secret>,
}

#[derive(Debug)]
struct Secret {
    signing: PrivateKey,
    verifying: Arc<KeySet>,
}

impl Secret {
    fn read(text: &SecretText) -> Result<Self, UnusableKey> {
        let bytes = SecretBytes::new(text.expose().as_bytes().to_vec());
        let signing = PrivateKey::read(Algorithm::Hs256, &bytes)?;
        // The name is never in a token: those who share the secret would not know it.
        let verifying = signing.verifying("shared")?;
        Ok(Self {
            signing,
            verifying: Arc::new([verifying].into_iter().collect()),
        })
    }
}

impl TokenForm {
    pub(super) fn open(config: FormConfig) -> Result<Self, KeyError> {
        let secret = match &config.key {
            FormKey::Ring => None,
            FormKey::Secret(text) => Some(Secret::read(text)?),
        };
        Ok(Self {
            audience: [config.audience.clone()],
            secret,
            config,
        })
    }

    pub(super) fn issuer(&self) -> &str {
        &self.config.issuer
    }

    pub(super) const fn audiences(&self) -> &[String] {
        &self.audience
    }

    pub(super) const fn types(&self) -> AcceptedTypes {
        match self.config.token_type {
            MadeType::Access => AcceptedTypes::AccessOnly,
            MadeType::Plain => AcceptedTypes::Any,
        }
    }

    pub(super) fn words(&self, bearer: Bearer<'_>) -> JsonObject {
        (self.config.words)(bearer)
    }

    pub(super) fn verifying(&self, own: &OwnKeys) -> Arc<KeySet> {
        match &self.secret {
            Some(secret) => Arc::clone(&secret.verifying),
            None => own.verifying(),
        }
    }

    pub(super) fn mint(&self, own: &OwnKeys, claims: Claims) -> Result<SecretText, MintError> {
        let [audience] = &self.audience;
        let named = Named {
            issuer: &self.config.issuer,
            audience,
            token_type: self.config.token_type,
        };
        let Some(secret) = &self.secret else {
            return own.mint_as(named, claims);
        };
        let maker = Maker {
            issuer: named.issuer,
            audience: named.audience,
            token_type: named.token_type,
            kid: None,
            key: &secret.signing,
        };
        maker.mint(claims)
    }

    /// Whether its tokens are checked as the gateway's own are: only their words differ.
    pub(super) fn is_own(&self, issuer: &str, audience: &str) -> bool {
        let [own_audience] = &self.audience;
        self.secret.is_none()
            && self.issuer() == issuer
            && own_audience == audience
            && self.types() == AcceptedTypes::AccessOnly
    }

    /// Whether tokens of this form and of `other` are checked alike.
    pub(super) fn checks_like(&self, other: &Self) -> bool {
        let same_key = match (&self.secret, &other.secret) {
            (None, None) => true,
            (Some(one), Some(another)) => one.verifying == another.verifying,
            (None, Some(_)) | (Some(_), None) => false,
        };
        same_key && self.audience == other.audience && self.types() == other.types()
    }
}
