//! From the text of a token to who it speaks for, and back: the tokens that are welcome here.
//!
//! Our own issuer and the others stand side by side: a token's `iss` chooses whose keys check it, and
//! whether that succeeds decides. No call here waits for a network or a disk. Whether the session of a
//! token still lives is left to [`revocation`](crate::revocation).

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _, join_all, pending};
use tokio::sync::Notify;

use self::cache::{Cache, Entry, Name};
use self::form::{Bearer, Form, FormConfig, TokenForm};
use self::own::OwnKeys;
use crate::clock::{SharedClock, Timestamp};
use crate::identity::{Identity, Validity};
use crate::keys::remote::IssuerKeys;
use crate::keys::ring::{KeyFacts, Rotation};
use crate::keys::{IssuerConfig, KeyError, KeySource, SigningAlgorithm};
use crate::secret::SecretText;
use crate::session::SessionSigner;
use crate::token::TokenError;
use crate::token::key::KeySet;
use crate::token::mint::{Claims, MintError};
use crate::token::unverified::{MAX_BYTES, UnverifiedToken};
use crate::token::verify::{AcceptedTypes, Expected, VerifiedClaims, verify};

mod cache;
pub mod form;
mod identify;
mod own;

/// How many verified tokens are remembered, unless the settings say otherwise: some 20 MB at the usual
/// two kilobytes of claims.
pub const USUAL_CACHE_ENTRIES: usize = 10_000;

/// All that the tokens of a gateway depend on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `iss` of our tokens.
    pub issuer: String,
    /// The `aud` of our tokens.
    pub audience: String,
    /// How a ring that is made now signs.
    pub algorithm: SigningAlgorithm,
    /// Where our keys are.
    pub keys: KeySource,
    /// How far the clocks of token makers may be off.
    pub leeway: Duration,
    /// Other forms of our tokens.
    pub forms: Vec<FormConfig>,
    /// Whose tokens are welcome beside ours.
    pub issuers: Vec<IssuerConfig>,
    /// How many verified tokens are remembered.
    pub cache_entries: usize,
}

/// Reads and makes tokens.
#[derive(Debug)]
pub struct Tokens {
    clock: SharedClock,
    leeway: Duration,
    /// How a key that is made from now on signs.
    algorithm: SigningAlgorithm,
    own: OwnKeys,
    forms: ArcSwap<Vec<Arc<TokenForm>>>,
    foreign: ArcSwap<Vec<Arc<IssuerKeys>>>,
    /// Says that `foreign` are others now.
    renewed: Notify,
    cache: Cache,
}

/// Whose keys check a token, by name: the forms and the issuers by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SourceName {
    Own,
    Form(usize),
    Foreign(usize),
}

/// Whose keys check a token.
#[derive(Clone, Debug)]
enum Source<'a> {
    Own(&'a OwnKeys),
    Form(Arc<TokenForm>, &'a OwnKeys),
    Foreign(Arc<IssuerKeys>),
}

impl Tokens {
    /// Opens the key ring, and makes it if it is to be kept and is not there; reads the key sets that
    /// are files.
    ///
    /// Blocks for a few reads and, at the first start, for the making of a key.
    pub fn start(mut settings: Settings, clock: SharedClock) -> Result<Arc<Self>, KeyError> {
        let forms = std::mem::take(&mut settings.forms);
        let own = (settings.issuer.as_str(), settings.audience.as_str());
        let forms = open_forms(own, forms)?;
        refuse_twins(own.0, &forms, &settings.issuers)?;
        let now = clock.now();
        let foreign = IssuerKeys::open(&settings.issuers, &[], now)?;
        let leeway = settings.leeway;
        let cache = Cache::of(settings.cache_entries);
        Ok(Arc::new(Self {
            algorithm: settings.algorithm,
            own: OwnKeys::open(settings, now)?,
            forms: ArcSwap::from_pointee(forms),
            foreign: ArcSwap::from_pointee(foreign),
            renewed: Notify::new(),
            cache,
            leeway,
            clock,
        }))
    }

    /// The work behind: taking up a rewritten key ring, and keeping the keys of others fresh. It never
    /// ends, and belongs into a runtime that lives as long as the gateway; dropped, it stops.
    pub fn background(self: &Arc<Self>) -> BoxFuture<'static, ()> {
        let tokens = Arc::clone(self);
        async move {
            let watching = tokens.own.keep_fresh(Arc::clone(&tokens.clock));
            tokio::join!(watching, tokens.keep_foreign_fresh());
        }
        .boxed()
    }

    /// Puts other forms and issuers in the place of those that were there, all at once. The keys of an
    /// issuer that is as it was stay; of one whose place of keys is the same they serve on, too, but
    /// every token of its is verified anew.
    ///
    /// Blocks for the reading of key sets that are files.
    pub fn replace(
        &self,
        forms: Vec<FormConfig>,
        issuers: &[IssuerConfig],
    ) -> Result<(), KeyError> {
        let forms = open_forms((self.own.issuer(), self.own.audience()), forms)?;
        refuse_twins(self.own.issuer(), &forms, issuers)?;
        let known = self.foreign.load_full();
        let foreign = IssuerKeys::open(issuers, &known, self.clock.now())?;
        self.foreign.store(Arc::new(foreign));
        let before = self.forms.swap(Arc::new(forms));
        // What was verified as one form must not count as another.
        if !same_forms(&before, &self.forms.load()) {
            self.cache.clear();
        }
        self.renewed.notify_one();
        Ok(())
    }

    async fn keep_foreign_fresh(&self) {
        loop {
            let foreign = self.foreign.load_full();
            let fetching = foreign
                .iter()
                .map(|keys| keys.keep_fresh(Arc::clone(&self.clock)));
            let fetching = join_all(fetching).then(|_| pending::<()>());
            tokio::select! {
                () = fetching => {}
                () = self.renewed.notified() => {}
            }
        }
    }

    /// Whom `token` speaks for at `now`.
    ///
    /// A token that was verified before is not verified again while the keys of its issuer stay the
    /// same; its times are judged on every call.
    pub fn identify(&self, token: &str, now: Timestamp) -> Result<Arc<Identity>, TokenError> {
        if token.len() > MAX_BYTES {
            return Err(TokenError::TooLong);
        }
        let name = Name::of(token);
        if let Some(identity) = self.remembered(&name, now)? {
            return Ok(identity);
        }
        let token = UnverifiedToken::parse(token)?;
        let source_name = self.source_name(&token)?;
        let source = self.source(source_name).ok_or(TokenError::Issuer)?;
        let keys = source.keys(now)?;
        let (identity, trusted_until) = self.verified(token, &source, &keys, now)?;
        let identity = Arc::new(identity);
        self.cache.remember(
            name,
            Entry {
                identity: Arc::clone(&identity),
                keys,
                source: source_name,
                trusted_until,
            },
        );
        Ok(identity)
    }

    /// For how long a token is accepted beyond its `exp`.
    pub const fn leeway(&self) -> Duration {
        self.leeway
    }

    /// An access token of ours with these claims.
    pub fn mint(&self, claims: Claims) -> Result<SecretText, MintError> {
        self.own.mint(claims)
    }

    /// The same in another form, which adds its words about `bearer`.
    pub fn mint_as(
        &self,
        form: &Form,
        (mut claims, bearer): (Claims, Bearer<'_>),
    ) -> Result<SecretText, MintError> {
        let Some(form) = &form.0 else {
            return self.mint(claims);
        };
        claims.extra.extend(form.words(bearer));
        form.mint(&self.own, claims)
    }

    /// The public keys of our tokens, as a JSON Web Key Set (RFC 7517 §5).
    pub fn jwks(&self) -> Bytes {
        self.own.jwks()
    }

    /// What may be told of the keys of our tokens, as they stand in the ring now; the newest first.
    pub async fn own_keys(&self) -> Result<Vec<KeyFacts>, KeyError> {
        Ok(self.own.ring().await?.facts(self.clock.now()))
    }

    /// Makes a new key of ours, which signs as the settings say unless `algorithm` does, and returns what
    /// may then be told of all. It is known here at once, and signs when other replicas know it, too. No
    /// token lives longer than `access`.
    pub async fn rotate_own_keys(
        &self,
        algorithm: Option<SigningAlgorithm>,
        access: Duration,
    ) -> Result<Vec<KeyFacts>, KeyError> {
        let now = self.clock.now();
        let rotation = Rotation {
            algorithm: algorithm.unwrap_or(self.algorithm),
            now,
            retire_after: Rotation::after_last_token(access, self.leeway),
        };
        Ok(self.own.rotate(rotation).await?.facts(now))
    }

    /// Signs and checks refresh tokens and CSRF values. Ask anew each time: the secrets may have changed.
    pub fn session_signer(&self) -> Arc<SessionSigner> {
        self.own.session_signer()
    }

    fn remembered(
        &self,
        name: &Name<'_>,
        now: Timestamp,
    ) -> Result<Option<Arc<Identity>>, TokenError> {
        let Some(entry) = self.cache.recall(name) else {
            return Ok(None);
        };
        // Where the issuers were replaced meanwhile, another may stand in its place; its keys are others.
        let Some(source) = self.source(entry.source) else {
            self.cache.forget(name);
            return Ok(None);
        };
        let keys = source.keys(now)?;
        let key_is_over = entry.trusted_until.is_some_and(|until| until <= now);
        if key_is_over || !Arc::ptr_eq(&keys, &entry.keys) {
            self.cache.forget(name);
            return Ok(None);
        }
        match entry.identity.validity(now, self.leeway) {
            Validity::Holds => Ok(Some(entry.identity)),
            Validity::NotYet => Err(TokenError::NotYetValid),
            Validity::Expired => {
                self.cache.forget(name);
                Err(TokenError::Expired)
            }
        }
    }

    /// The unverified `iss` chooses, by exact comparison, among those that are configured.
    fn source_name(&self, token: &UnverifiedToken<'_>) -> Result<SourceName, TokenError> {
        let issuer = token.unverified_issuer().ok_or(TokenError::Issuer)?;
        if issuer == self.own.issuer() {
            return Ok(SourceName::Own);
        }
        let forms = self.forms.load();
        let form = forms.iter().position(|form| form.issuer() == issuer);
        let foreign = self.foreign.load();
        let named = |keys: &Arc<IssuerKeys>| keys.config().issuer == issuer;
        form.map(SourceName::Form)
            .or_else(|| foreign.iter().position(named).map(SourceName::Foreign))
            .ok_or(TokenError::Issuer)
    }

    fn source(&self, name: SourceName) -> Option<Source<'_>> {
        match name {
            SourceName::Own => Some(Source::Own(&self.own)),
            SourceName::Form(index) => {
                let form = self.forms.load().get(index).map(Arc::clone)?;
                Some(Source::Form(form, &self.own))
            }
            SourceName::Foreign(index) => {
                let foreign = self.foreign.load();
                foreign.get(index).map(Arc::clone).map(Source::Foreign)
            }
        }
    }

    fn verified(
        &self,
        token: UnverifiedToken<'_>,
        source: &Source<'_>,
        keys: &KeySet,
        now: Timestamp,
    ) -> Result<(Identity, Option<Timestamp>), TokenError> {
        let unknown = token.unverified_kid().is_some_and(|kid| !keys.knows(kid));
        if unknown && let Source::Foreign(keys) = source {
            keys.want_fresh();
        }
        let claims = verify(token, keys, &source.expected(now, self.leeway))?;
        let trusted_until = claims.trusted_until();
        Ok((source.identity(claims)?, trusted_until))
    }
}

impl Source<'_> {
    fn keys(&self, now: Timestamp) -> Result<Arc<KeySet>, TokenError> {
        match self {
            Self::Own(keys) => Ok(keys.verifying()),
            Self::Form(form, own) => Ok(form.verifying(own)),
            Self::Foreign(keys) => keys.current(now),
        }
    }

    fn expected(&self, now: Timestamp, leeway: Duration) -> Expected<'_> {
        let (issuer, audiences, types) = match self {
            Self::Own(keys) => (keys.issuer(), keys.audiences(), AcceptedTypes::AccessOnly),
            Self::Form(form, _) => (form.issuer(), form.audiences(), form.types()),
            Self::Foreign(keys) => {
                let config = keys.config();
                let audiences = config.audiences.as_slice();
                (config.issuer.as_str(), audiences, AcceptedTypes::Any)
            }
        };
        Expected {
            issuer,
            audiences,
            types,
            now,
            leeway,
        }
    }

    fn identity(&self, claims: VerifiedClaims) -> Result<Identity, TokenError> {
        match self {
            Self::Own(_) | Self::Form(..) => identify::own(claims),
            Self::Foreign(keys) => Ok(identify::foreign(claims, keys.config())),
        }
    }
}

/// The forms that are checked in a way of their own; two of one name must be checked alike.
fn open_forms(
    (issuer, audience): (&str, &str),
    forms: Vec<FormConfig>,
) -> Result<Vec<Arc<TokenForm>>, KeyError> {
    let mut opened: Vec<Arc<TokenForm>> = Vec::new();
    for form in forms {
        let form = TokenForm::open(form)?;
        let twin = opened.iter().find(|other| other.issuer() == form.issuer());
        let own = || form.is_own(issuer, audience);
        let known = twin.map_or_else(own, |twin| twin.checks_like(&form));
        if known {
            continue;
        }
        if twin.is_some() || form.issuer() == issuer {
            return Err(KeyError::IssuerTwice(form.issuer().to_owned()));
        }
        opened.push(Arc::new(form));
    }
    Ok(opened)
}

fn same_forms(some: &[Arc<TokenForm>], others: &[Arc<TokenForm>]) -> bool {
    let mut pairs = some.iter().zip(others);
    some.len() == others.len()
        && pairs.all(|(one, other)| one.issuer() == other.issuer() && one.checks_like(other))
}

fn refuse_twins(
    own: &str,
    forms: &[Arc<TokenForm>],
    issuers: &[IssuerConfig],
) -> Result<(), KeyError> {
    let mut seen: Vec<_> = forms.iter().map(|form| form.issuer()).collect();
    seen.push(own);
    for issuer in issuers {
        if seen.contains(&issuer.issuer.as_str()) {
            return Err(KeyError::IssuerTwice(issuer.issuer.clone()));
        }
        seen.push(&issuer.issuer);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
