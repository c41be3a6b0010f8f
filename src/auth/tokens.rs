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
    own: OwnKeys,
    forms: Vec<TokenForm>,
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
    Form(&'a TokenForm, &'a OwnKeys),
    Foreign(Arc<IssuerKeys>),
}

impl Tokens {
    /// Opens the key ring, and makes it if it is to be kept and is not there; reads the key sets that
    /// are files.
    ///
    /// Blocks for a few reads and, at the first start, for the making of a key.
    pub fn start(mut settings: Settings, clock: SharedClock) -> Result<Arc<Self>, KeyError> {
        let forms = std::mem::take(&mut settings.forms).into_iter();
        let forms: Vec<_> = forms.map(TokenForm::open).collect::<Result<_, _>>()?;
        let names = names_of_forms(&settings, &forms)?;
        refuse_twins(&names, &settings.issuers)?;
        let now = clock.now();
        let foreign = IssuerKeys::open(&settings.issuers, &[], now)?;
        let leeway = settings.leeway;
        let cache = Cache::of(settings.cache_entries);
        Ok(Arc::new(Self {
            own: OwnKeys::open(settings, now)?,
            forms,
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

    /// Puts other issuers in the place of those that were there, all at once. The keys of one that is
    /// as it was stay; of one whose place of keys is the same they serve on, too, but every token of
    /// its is verified anew.
    ///
    /// Blocks for the reading of key sets that are files.
    pub fn replace_issuers(&self, issuers: &[IssuerConfig]) -> Result<(), KeyError> {
        let forms = self.forms.iter().map(TokenForm::issuer);
        let ours: Vec<_> = forms.chain([self.own.issuer()]).collect();
        refuse_twins(&ours, issuers)?;
        let known = self.foreign.load_full();
        let foreign = IssuerKeys::open(issuers, &known, self.clock.now())?;
        self.foreign.store(Arc::new(foreign));
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

    /// An access token of ours with these claims.
    pub fn mint(&self, claims: Claims) -> Result<SecretText, MintError> {
        self.own.mint(claims)
    }

    /// The same in another form, which adds its words about `bearer`.
    pub fn mint_as(
        &self,
        form: Form,
        (mut claims, bearer): (Claims, Bearer<'_>),
    ) -> Result<SecretText, MintError> {
        let Some(form) = form.index().and_then(|index| self.forms.get(index)) else {
            return self.mint(claims);
        };
        claims.extra.extend(form.words(bearer));
        form.mint(&self.own, claims)
    }

    /// The public keys of our tokens, as a JSON Web Key Set (RFC 7517 §5).
    pub fn jwks(&self) -> Bytes {
        self.own.jwks()
    }

    /// Signs and checks refresh tokens and CSRF values. Ask anew each time: the secrets may have changed.
    pub fn session_signer(&self) -> Arc<SessionSigner> {
        self.own.session_signer()
    }

    fn remembered(&self, name: &Name, now: Timestamp) -> Result<Option<Arc<Identity>>, TokenError> {
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
        let form = self.forms.iter().position(|form| form.issuer() == issuer);
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
                let form = self.forms.get(index)?;
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

/// The names that are ours: no two of them alike, unless their tokens are checked alike.
fn names_of_forms<'a>(
    settings: &'a Settings,
    forms: &'a [TokenForm],
) -> Result<Vec<&'a str>, KeyError> {
    let mut seen = vec![settings.issuer.as_str()];
    for (index, form) in forms.iter().enumerate() {
        let mut before = forms.iter().take(index);
        let twin = before.find(|other| other.issuer() == form.issuer());
        match twin {
            Some(twin) if twin.checks_like(form) => {}
            None if form.is_own(settings) => {}
            None if !seen.contains(&form.issuer()) => seen.push(form.issuer()),
            Some(_) | None => return Err(KeyError::IssuerTwice(form.issuer().to_owned())),
        }
    }
    Ok(seen)
}

fn refuse_twins(ours: &[&str], issuers: &[IssuerConfig]) -> Result<(), KeyError> {
    let mut seen = ours.to_vec();
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
