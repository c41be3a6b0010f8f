//! Whether a key that is shown holds. Asks memory alone.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;

use super::{ApiKeys, Known};
use crate::api_key::UnverifiedKey;
use crate::api_key::text::Malformed;
use crate::audit::{Action, Event, Outcome};
use crate::auth::authenticate::RETRY_AFTER;
use crate::auth::{Auth, Denial, Unauthenticated};
use crate::clock::Timestamp;
use crate::id::{ApiKeyId, SessionId};
use crate::identity::Identity;
use crate::revocation;

/// Why a key does not hold. Clients see the same answer for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// It is none: mistyped, cut off, or no key where only a key may stand.
    #[error("not an API key: mistyped or cut off")]
    Malformed,
    /// Nobody knows it.
    #[error("an unknown API key")]
    Unknown,
    /// It was revoked.
    #[error("its API key was revoked")]
    Revoked,
    /// It was replaced, and its grace is over.
    #[error("its API key was replaced by another")]
    Retired,
    /// Its time has passed.
    #[error("its API key has expired")]
    Expired,
    /// The account of its user is closed.
    #[error("the account of its API key is disabled")]
    OwnerDisabled,
    /// Its user was removed.
    #[error("the account of its API key was removed")]
    OwnerGone,
}

impl KeyRefusal {
    /// The word for it in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
            Self::Retired => "retired",
            Self::Expired => "expired",
            Self::OwnerDisabled => "owner-disabled",
            Self::OwnerGone => "owner-gone",
        }
    }
}

/// What memory says of a key.
enum Verdict {
    Holds(Arc<Known>),
    /// It holds no longer, though it did.
    Ended(Arc<Known>, KeyRefusal),
    Unknown,
    /// Nothing was heard for too long to tell.
    Stale,
}

impl ApiKeys {
    fn judge(&self, shown: &UnverifiedKey, now: Timestamp) -> Verdict {
        let Some(known) = self.memory.by_hash(&shown.hash) else {
            return if self.is_fresh_at(now) {
                Verdict::Unknown
            } else {
                Verdict::Stale
            };
        };
        // An end that is known stays known, however stale the rest is.
        if let Err(refusal) = self.standing(&known, now) {
            Verdict::Ended(known, refusal)
        } else if self.is_fresh_at(now) {
            Verdict::Holds(known)
        } else {
            Verdict::Stale
        }
    }

    /// Who a key would speak for, without its being used.
    pub fn explain(&self, shown: &UnverifiedKey) -> Result<Arc<Identity>, KeyRefusal> {
        let known = self
            .memory
            .by_hash(&shown.hash)
            .ok_or(KeyRefusal::Unknown)?;
        self.standing(&known, self.now())?;
        Ok(known.identity())
    }

    /// Whether the log of ended sessions can be trusted is of no matter here: without it, the end of a
    /// key is heard from its own store, as quickly as that is followed.
    fn standing(&self, known: &Known, now: Timestamp) -> Result<(), KeyRefusal> {
        known.standing(now)?;
        match self.parts.revocations.check(Some(in_log(known.id)), now) {
            revocation::Standing::Ended => Err(KeyRefusal::Revoked),
            revocation::Standing::Live | revocation::Standing::Unknown => Ok(()),
        }
    }

    /// Waits until the key behind `identity` ends, or bounds its bearer otherwise.
    pub(in crate::auth) async fn ended(&self, id: ApiKeyId, identity: &Identity) {
        let end_in_log = self.parts.revocations.ended(in_log(id));
        let end_in_store = async {
            loop {
                let mut changed = pin!(self.changed.notified());
                changed.as_mut().enable();
                let known = self.known(id).filter(|known| known.bounds_as(identity));
                let Some(known) = known.filter(|known| known.standing(self.now()).is_ok()) else {
                    return;
                };
                match known.ends_at() {
                    None => changed.await,
                    Some(end) => {
                        let end = tokio::time::sleep(end.since(self.now()));
                        tokio::select! { () = changed => {}, () = end => {} }
                    }
                }
            }
        };
        tokio::select! { () = end_in_log => {}, () = end_in_store => {} }
    }

    fn note_use(&self, known: &Known, now: Timestamp) {
        if known.is_use_news(now) {
            self.uses.lock().push((known.id, now));
        }
    }
}

/// What the end of a key is called in the log of ended sessions: both are UUIDs, mostly random.
pub(super) fn in_log(id: ApiKeyId) -> SessionId {
    SessionId::from(id.as_uuid())
}

impl Auth {
    /// Who a key speaks for; `client` for the audit log.
    pub(in crate::auth) fn identify_key(
        &self,
        shown: Result<UnverifiedKey, Malformed>,
        client: Option<IpAddr>,
    ) -> Result<Arc<Identity>, Denial> {
        let keys = &self.parts.api_keys;
        let Ok(shown) = shown else {
            return Err(self.refuse_key(KeyRefusal::Malformed));
        };
        let now = self.now();
        match keys.judge(&shown, now) {
            Verdict::Holds(known) => {
                keys.note_use(&known, now);
                self.parts.metrics.api_key_accepted.inc();
                Ok(known.identity())
            }
            Verdict::Ended(known, refusal) => {
                if known.is_refusal_news(now) {
                    self.tell_refusal(&known, refusal, client);
                }
                Err(self.refuse_key(refusal))
            }
            Verdict::Unknown => {
                // Another replica may have made it a moment ago.
                keys.wanted.notify_one();
                Err(self.refuse_key(KeyRefusal::Unknown))
            }
            Verdict::Stale => {
                self.parts.metrics.api_key_refused("stale");
                Err(Denial::Unavailable {
                    what: "nothing heard from the store of API keys for longer than api_keys.max_staleness",
                    retry_after: RETRY_AFTER,
                })
            }
        }
    }

    /// Who the text in the header for API keys speaks for. Nothing but a key is welcome there.
    pub(in crate::auth) fn identify_in_key_header(
        &self,
        text: &str,
        client: Option<IpAddr>,
    ) -> Result<Arc<Identity>, Denial> {
        let shown = UnverifiedKey::read(text).unwrap_or(Err(Malformed));
        self.identify_key(shown, client)
    }

    fn refuse_key(&self, refusal: KeyRefusal) -> Denial {
        self.parts.metrics.api_key_refused(refusal.as_str());
        Denial::Unauthenticated(Unauthenticated::ApiKey(refusal))
    }

    /// Once a minute for each key: a program that goes on with a dead one fills no log.
    fn tell_refusal(&self, known: &Known, refusal: KeyRefusal, client: Option<IpAddr>) {
        let identity = known.identity();
        let event = Event {
            action: Action::UseApiKey,
            outcome: Outcome::Refused,
            reason: refusal.as_str(),
            actor: Some(&identity.subject),
            user: None,
            session: None,
            address: client,
            request_id: None,
            api_key: Some(known.id),
        };
        self.parts.audit.record(&event);
    }
}
