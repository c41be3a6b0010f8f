//! Everybody's API keys. An administrator who shows a key manages keys only with the scope `admin`, and
//! gives nothing away that the key has not itself.

use super::{AdminError, Administrator};
use crate::api_key::{ApiKey, KeyName};
use crate::api_keys::{KeyPage, KeyQuery};
use crate::auth::api_keys::{KeyCall, KeyError, Made, NewApiKey, Succession, Whose};
use crate::id::ApiKeyId;
use crate::identity::Issuer;

impl Administrator {
    /// A page of keys, newest first.
    pub async fn api_keys(&self, query: KeyQuery) -> Result<KeyPage, AdminError> {
        Ok(self.auth.list_api_keys(&self.key_call(), query).await?)
    }

    /// A key.
    pub async fn api_key(&self, id: ApiKeyId) -> Result<ApiKey, AdminError> {
        Ok(self.auth.api_key(&self.key_call(), id).await?)
    }

    /// Makes a key.
    pub async fn create_api_key(&self, new: NewApiKey) -> Result<Made, AdminError> {
        self.may_give(&new)?;
        Ok(self.auth.create_api_key(&self.key_call(), new).await?)
    }

    /// Gives a key another name.
    pub async fn rename_api_key(&self, id: ApiKeyId, name: &KeyName) -> Result<ApiKey, AdminError> {
        self.may_manage_keys()?;
        let call = self.key_call();
        Ok(self.auth.rename_api_key(&call, (id, name)).await?)
    }

    /// Puts a new key in the place of another. Whoever does it sees the text of the new one, and so is
    /// given all that the old one has.
    pub async fn rotate_api_key(&self, id: ApiKeyId, end: Succession) -> Result<Made, AdminError> {
        self.may_manage_keys()?;
        let old = self.api_key(id).await?;
        self.may_give(&NewApiKey {
            kind: old.kind,
            name: old.name,
            subject: old.subject,
            roles: old.roles,
            scopes: old.scopes,
            expires_at: old.expires_at,
        })?;
        let call = self.key_call();
        Ok(self.auth.rotate_api_key(&call, (id, end)).await?)
    }

    /// Revokes a key.
    pub async fn revoke_api_key(&self, id: ApiKeyId) -> Result<ApiKey, AdminError> {
        self.may_manage_keys()?;
        Ok(self.auth.revoke_api_key(&self.key_call(), id).await?)
    }

    fn key_call(&self) -> KeyCall<'_> {
        KeyCall {
            actor: &self.identity.subject,
            whose: Whose::Anybody,
            caller: &self.caller,
        }
    }

    /// Who is signed in can give themselves any role, so it would be idle to ask for it here.
    fn may_give(&self, new: &NewApiKey) -> Result<(), AdminError> {
        self.may_manage_keys()?;
        match self.identity.issuer {
            Issuer::Own => Ok(()),
            Issuer::Foreign(_) => Err(KeyError::NotAllowed.into()),
            Issuer::ApiKey(_) => Ok(self.auth.may_give(&self.identity, new)?),
        }
    }

    /// Who is signed in, or shows an API key with the scope `admin`.
    pub(super) fn may_manage_keys(&self) -> Result<(), AdminError> {
        self.auth.key_subject(&self.identity)?;
        Ok(())
    }
}
