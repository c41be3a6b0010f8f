//! Who may do what with keys, and that it is told to the audit log.

use super::{Made, NewApiKey, Succession};
use crate::api_key::{ApiKey, Description, KeyName, KeySubject, Scope, ServiceName};
use crate::api_keys::{CreateError, KeyPage, KeyQuery, RotateError};
use crate::audit::{Action, Event, Outcome};
use crate::auth::{Auth, Caller};
use crate::id::ApiKeyId;
use crate::identity::{Identity, Issuer};
use crate::unavailable::Unavailable;

/// Whose keys a call is about. Somebody else's key is none: nobody learns that it exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those of one subject.
    Only(KeySubject),
    /// Everybody's: for administrators, who were checked before.
    Anybody,
}

/// Somebody who does something with keys.
#[derive(Clone, Debug)]
pub struct KeyCall<'a> {
    /// The name of who does it, for the audit log.
    pub actor: &'a str,
    /// With whose keys.
    pub whose: Whose,
    /// From where.
    pub caller: &'a Caller,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The credential is none that may manage keys.
    #[error("this credential may not manage API keys")]
    NotAllowed,
    /// The new key would have more than the credential that asks for it.
    #[error("a key cannot have roles, scopes or a life that its maker has not")]
    Exceeds,
    /// There is no such key among those that the call is about.
    #[error("there is no such API key")]
    NoSuchKey,
    /// It was not made.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// It was not rotated.
    #[error(transparent)]
    Rotate(#[from] RotateError),
    /// It was done, but the audit trail could not be told.
    #[error("the audit trail could not be told")]
    Untold(#[source] Unavailable),
    /// The store could not be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Auth {
    /// For whom `identity` may manage keys of their own: a person who is signed in for themselves; a key
    /// for its subject, if it has the scope `admin`.
    pub fn key_subject(&self, identity: &Identity) -> Result<KeySubject, KeyError> {
        let manages = match identity.issuer {
            Issuer::Own => true,
            Issuer::Foreign(_) => false,
            Issuer::ApiKey(_) => identity.scopes.iter().any(|held| **held == *Scope::ADMIN),
        };
        let subject = &*identity.subject;
        let subject = match (manages, subject.strip_prefix("service:")) {
            (false, _) => None,
            (true, Some(name)) => ServiceName::parse(name).ok().map(KeySubject::Service),
            (true, None) => subject.parse().ok().map(KeySubject::User),
        };
        subject.ok_or(KeyError::NotAllowed)
    }

    /// Whether `identity` may give `new` away: nobody gives roles that they have not, and a key neither
    /// scopes nor a life that it has not.
    pub fn may_give(&self, identity: &Identity, new: &NewApiKey) -> Result<(), KeyError> {
        let has_roles = new
            .roles
            .iter()
            .all(|role| identity.has_role(role.as_str()));
        let has_rest = match identity.issuer {
            Issuer::Own => true,
            Issuer::Foreign(_) => false,
            Issuer::ApiKey(_) => {
                let has =
                    |scope: &Scope| identity.scopes.iter().any(|held| **held == *scope.as_str());
                // Without an end there is nothing to outlive.
                let is_endless = identity.expires_at.as_millis() == i64::MAX;
                let outlives = |end| end > identity.expires_at;
                new.scopes.iter().all(has)
                    && (is_endless || !new.expires_at.is_none_or(outlives))
                    && !widens(identity, new)
            }
        };
        if has_roles && has_rest {
            Ok(())
        } else {
            Err(KeyError::Exceeds)
        }
    }

    /// Makes a key.
    pub async fn create_api_key(
        &self,
        call: &KeyCall<'_>,
        new: NewApiKey,
    ) -> Result<Made, KeyError> {
        let plain = (new, Description::default());
        self.create_described_api_key(call, plain).await
    }

    /// Makes a key of which people say something.
    pub async fn create_described_api_key(
        &self,
        call: &KeyCall<'_>,
        (new, description): (NewApiKey, Description),
    ) -> Result<Made, KeyError> {
        if let Whose::Only(subject) = &call.whose
            && *subject != new.subject
        {
            return Err(KeyError::NotAllowed);
        }
        let made = self
            .parts
            .api_keys
            .create_described(new, description)
            .await?;
        self.tell_change(Action::CreateApiKey, call, &made.key)
            .await?;
        Ok(made)
    }

    /// A page of keys; the subject of `query` is replaced by that of the call, if it has one.
    pub async fn list_api_keys(
        &self,
        call: &KeyCall<'_>,
        mut query: KeyQuery,
    ) -> Result<KeyPage, Unavailable> {
        match &call.whose {
            Whose::Only(subject) => query.subject = Some(subject.clone()),
            Whose::Anybody => {}
        }
        self.parts.api_keys.list(&query).await
    }

    /// A key.
    pub async fn api_key(&self, call: &KeyCall<'_>, id: ApiKeyId) -> Result<ApiKey, KeyError> {
        let found = self.parts.api_keys.find(id).await?;
        let found = found.filter(|key| match &call.whose {
            Whose::Only(subject) => key.subject == *subject,
            Whose::Anybody => true,
        });
        found.ok_or(KeyError::NoSuchKey)
    }

    /// Gives a key another name.
    pub async fn rename_api_key(
        &self,
        call: &KeyCall<'_>,
        (id, name): (ApiKeyId, &KeyName),
    ) -> Result<ApiKey, KeyError> {
        self.api_key(call, id).await?;
        let key = self.parts.api_keys.rename(id, name).await?;
        let key = key.ok_or(KeyError::NoSuchKey)?;
        self.tell_change(Action::RenameApiKey, call, &key).await?;
        Ok(key)
    }

    /// Puts a new key in the place of another.
    pub async fn rotate_api_key(
        &self,
        call: &KeyCall<'_>,
        (id, end): (ApiKeyId, Succession),
    ) -> Result<Made, KeyError> {
        let old = self.api_key(call, id).await?;
        let made = self.parts.api_keys.rotate(id, end).await?;
        self.tell_change(Action::RotateApiKey, call, &old).await?;
        Ok(made)
    }

    /// Revokes a key; it is refused everywhere from then on.
    pub async fn revoke_api_key(
        &self,
        call: &KeyCall<'_>,
        id: ApiKeyId,
    ) -> Result<ApiKey, KeyError> {
        self.api_key(call, id).await?;
        let key = self.parts.api_keys.revoke(id).await?;
        let key = key.ok_or(KeyError::NoSuchKey)?;
        self.tell_change(Action::RevokeApiKey, call, &key).await?;
        Ok(key)
    }

    /// Of what administrators change, the answer waits until the trail has it.
    async fn tell_change(
        &self,
        action: Action,
        call: &KeyCall<'_>,
        key: &ApiKey,
    ) -> Result<(), KeyError> {
        let user = match &key.subject {
            KeySubject::User(user) => Some(user.to_string()),
            KeySubject::Service(_) => None,
        };
        let event = Event {
            action,
            outcome: Outcome::Success,
            reason: "stored",
            actor: Some(call.actor),
            user,
            session: None,
            address: Some(call.caller.address),
            request_id: Some(call.caller.request_id.to_string()),
            api_key: Some(key.id),
        };
        match call.whose {
            Whose::Only(_) => self.parts.audit.record(&event),
            Whose::Anybody => {
                let told = self.parts.audit.record_durably(&event).await;
                told.map_err(KeyError::Untold)?;
            }
        }
        Ok(())
    }
}

/// A key with permissions makes none without: that would be bounded by nothing.
fn widens(identity: &Identity, new: &NewApiKey) -> bool {
    let is_permission = |scope: &str| Scope::PERMISSIONS.contains(&scope);
    let is_bounded = identity.scopes.iter().any(|scope| is_permission(scope));
    is_bounded && !new.scopes.iter().any(|scope| is_permission(scope.as_str()))
}
