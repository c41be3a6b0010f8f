//! A call to an endpoint: what its head says, and who its credential speaks for.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::KEY_HEADER;
use super::fault::Fault;
use crate::api_key::KeySubject;
use crate::auth::{Auth, Caller};
use crate::identity::{Identity, Issuer};
use crate::request::RequestOrigin;
use crate::user::Role;
use crate::wire::context::RequestContext;

/// The head of a call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) context: RequestContext,
    pub(super) parts: Parts,
}

/// Somebody who may manage keys, and whose keys those are.
#[derive(Debug)]
pub(super) struct Manager {
    pub(super) identity: Arc<Identity>,
    pub(super) subject: KeySubject,
}

impl Call {
    /// Who asks, for the audit log and the list of sessions.
    pub(super) fn caller(&self) -> Caller {
        self.context.caller(&self.parts.headers)
    }

    /// Whether a page of another origin makes the call. These clients are no pages.
    pub(super) fn is_of_foreign_page(&self, auth: &Auth) -> bool {
        match auth.origin(&self.context.head(&self.parts)) {
            RequestOrigin::Cross => true,
            RequestOrigin::Same | RequestOrigin::Untold => false,
        }
    }

    /// Who the credential speaks for.
    pub(super) fn identity(&self, auth: &Auth) -> Result<Arc<Identity>, Fault> {
        let head = self.context.head(&self.parts);
        let shown = auth.credential_also_in(&head, &KEY_HEADER);
        Ok(auth.identify_by(&head, shown)?)
    }

    /// An administrator who is signed in. A key is none, whatever its permissions.
    pub(super) fn administrator(&self, auth: &Auth) -> Result<Arc<Identity>, Fault> {
        let identity = self.identity(auth)?;
        match identity.issuer {
            Issuer::Own if identity.has_role(Role::ADMIN) => Ok(identity),
            Issuer::Own | Issuer::Foreign(_) => Err(Fault::forbidden()),
            Issuer::ApiKey(_) => Err(Fault::no_token()),
        }
    }

    /// An administrator who is signed in, or a key with the permission `admin`. Each manages the keys of
    /// the account that it speaks for.
    pub(super) fn manager(&self, auth: &Auth) -> Result<Manager, Fault> {
        let identity = self.identity(auth)?;
        let may = match identity.issuer {
            Issuer::Own => identity.has_role(Role::ADMIN),
            Issuer::Foreign(_) => false,
            // Its scopes are looked at where the subject is asked for.
            Issuer::ApiKey(_) => true,
        };
        if !may {
            return Err(Fault::forbidden());
        }
        let subject = auth.key_subject(&identity)?;
        Ok(Manager { identity, subject })
    }
}

impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let context = RequestContext::from_request_parts(parts, state).await;
        Ok(Self {
            context: context.map_err(|_no_context| Fault::internal())?,
            parts: parts.clone(),
        })
    }
}
