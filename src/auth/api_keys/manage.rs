//! Making, changing and ending keys. Who may do that is decided in `authority`.

use std::time::Duration;

use super::ApiKeys;
use super::judge::in_log;
use super::known::Known;
use super::memory::Word;
use crate::api_key::{ApiKey, Description, KeyName, KeySubject, KeyText, Kind, Scopes};
use crate::api_keys::{CreateError, KeyPage, KeyQuery, NewKey, RotateError, Rotation, StoredKey};
use crate::clock::Timestamp;
use crate::id::ApiKeyId;
use crate::secret::SecretText;
use crate::sessions::Ended;
use crate::unavailable::Unavailable;
use crate::user::Roles;

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// Whose form its text has.
    pub kind: Kind,
    /// Its name for people.
    pub name: KeyName,
    /// For whom it speaks.
    pub subject: KeySubject,
    /// Its roles.
    pub roles: Roles,
    /// Its scopes.
    pub scopes: Scopes,
    /// Until when it holds; none: for ever.
    pub expires_at: Option<Timestamp>,
}

/// A key that was made just now.
#[derive(Debug)]
pub struct Made {
    /// The key.
    pub key: ApiKey,
    /// Its text. This is the only time that anybody sees it.
    pub text: SecretText,
}

/// What becomes of a key that another takes the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Succession {
    /// It is revoked.
    AtOnce,
    /// It holds for so long, so that those who use it have time to change over.
    After(Duration),
}

impl ApiKeys {
    /// Makes a key.
    pub async fn create(&self, new: NewApiKey) -> Result<Made, CreateError> {
        self.create_described(new, Description::default()).await
    }

    /// Makes a key of which people say something.
    pub async fn create_described(
        &self,
        new: NewApiKey,
        description: Description,
    ) -> Result<Made, CreateError> {
        if self.len() >= Self::MOST {
            return Err(CreateError::TooMany);
        }
        let now = self.now();
        let KeyText {
            text,
            kind,
            hash,
            hint,
        } = KeyText::random(new.kind);
        let key = ApiKey {
            id: ApiKeyId::new(now),
            kind,
            // The store knows the next one.
            number: 0,
            name: new.name,
            description,
            hint,
            subject: new.subject,
            roles: new.roles,
            scopes: new.scopes,
            created_at: now,
            expires_at: new.expires_at,
            last_used_at: None,
            retires_at: None,
            revoked_at: None,
            rotated_from: None,
        };
        let most = self.parts.settings.max_per_owner;
        let stored = self.parts.store.create(NewKey { key, hash, most }).await?;
        self.remember(&stored);
        let key = stored.key;
        Ok(Made { key, text })
    }

    /// The key with this id.
    pub async fn find(&self, id: ApiKeyId) -> Result<Option<ApiKey>, Unavailable> {
        let found = self.parts.store.by_id(id).await?;
        Ok(found.map(|stored| stored.key))
    }

    /// A page of keys, newest first.
    pub async fn list(&self, query: &KeyQuery) -> Result<KeyPage, Unavailable> {
        self.parts.store.list(query).await
    }

    /// Gives a key another name; `None` where there is no such key.
    pub async fn rename(
        &self,
        id: ApiKeyId,
        name: &KeyName,
    ) -> Result<Option<ApiKey>, Unavailable> {
        let stored = self.parts.store.rename(id, name).await?;
        Ok(stored.map(|stored| {
            self.remember(&stored);
            stored.key
        }))
    }

    /// Makes a key that takes the place of another and has all that it had, its end as well.
    pub async fn rotate(&self, old: ApiKeyId, end: Succession) -> Result<Made, RotateError> {
        let now = self.now();
        let found = self.parts.store.by_id(old).await?;
        let kind = found.ok_or(RotateError::NoSuchKey)?.key.kind;
        let new = KeyText::random(kind);
        let rotation = Rotation {
            old,
            new: ApiKeyId::new(now),
            hash: new.hash,
            hint: new.hint,
            now,
            retires_at: match end {
                Succession::AtOnce => now,
                Succession::After(grace) => now.plus(grace),
            },
        };
        let rotated = self.parts.store.rotate(rotation).await?;
        self.remember(&rotated.new);
        self.remember(&rotated.old);
        if rotated.old.key.revoked_at.is_some() {
            self.announce(old, now).await;
        }
        Ok(Made {
            key: rotated.new.key,
            text: new.text,
        })
    }

    /// Revokes a key; `None` where there is no such key. To revoke what is revoked is no error.
    ///
    /// It is refused here from the moment that this returns, and on the other replicas within
    /// milliseconds; where the log of ended sessions is away, within about a second.
    pub async fn revoke(&self, id: ApiKeyId) -> Result<Option<ApiKey>, Unavailable> {
        let now = self.now();
        let Some(stored) = self.parts.store.revoke(id, now).await? else {
            return Ok(None);
        };
        self.remember(&stored);
        self.announce(id, now).await;
        Ok(Some(stored.key))
    }

    /// What this process has changed counts here at once.
    fn remember(&self, stored: &StoredKey) {
        self.memory.put(Known::of(stored), Word::Later);
        self.changed.notify_waiters();
    }

    /// The end is stored, and every replica will read it in the store; this is only quicker. So it is no
    /// failure of the whole where it does not succeed.
    async fn announce(&self, id: ApiKeyId, now: Timestamp) {
        self.parts.revocations.note(Ended {
            session: in_log(id),
            at: now,
        });
        if let Err(error) = self.parts.sessions.announce_end(in_log(id), now).await {
            tracing::warn!(key = %id, %error, "the end of an API key is heard from its store alone");
        }
    }
}
