//! What administrators do with accounts, sessions, keys and the audit trail. One noun a file.
//!
//! [`Auth::administrator`] alone makes an [`Administrator`], who has all the verbs. A change is made
//! first, and the answer waits until the trail has it (`docs/decisions/0012-audit.md`).

use std::sync::Arc;

use super::{Auth, Caller, Denial, LimitError, Unauthenticated};
use crate::api_key::UnverifiedKey;
use crate::clock::Timestamp;
use crate::id::UserId;
use crate::identity::{Identity, Issuer};
use crate::limit::Purpose;
use crate::policy::Requirement;
use crate::request::{Credential, RequestHead};
use crate::unavailable::Unavailable;
use crate::user::{AccountStatus, Role, User};
use crate::users::directory::Current;

mod audit;
mod error;
mod import;
mod keys;
mod record;
mod sessions;
mod signing_keys;
mod turns;
mod users;

pub use self::error::{AdminError, GatewayError};
pub use self::import::{ImportFile, Report};
pub use self::sessions::{SessionPage, SessionPlace, SessionQuery};
pub(super) use self::turns::Turns;
pub use self::users::RoleChange;

/// Somebody who was judged to be an administrator, for one request.
#[derive(Clone, Debug)]
pub struct Administrator {
    auth: Auth,
    identity: Arc<Identity>,
    caller: Caller,
}

impl Auth {
    /// Judges whether a request is an administrator's: as a route that requires `admin` is judged, and
    /// then by the account as it stands now. Only sessions and API keys of this gateway count: what
    /// another issuer says goes for services, not for the accounts here.
    pub async fn administrator(
        &self,
        head: &RequestHead<'_>,
        caller: Caller,
    ) -> Result<Administrator, AdminError> {
        let identity = self.admin_identity(head, &caller).await?;
        if let Issuer::Foreign(_) = identity.issuer {
            return Err(AdminError::ForeignToken);
        }
        let administrator = Administrator {
            auth: self.clone(),
            identity,
            caller,
        };
        administrator.is_still_one().await?;
        Ok(administrator)
    }

    /// Wrong API keys are counted, and too many of them are 429. One that is good is never kept
    /// waiting by those: nobody guesses 178 random bits, so there is nothing to hide before the count.
    async fn admin_identity(
        &self,
        head: &RequestHead<'_>,
        caller: &Caller,
    ) -> Result<Arc<Identity>, AdminError> {
        let permit = self.authenticate(head, &Requirement::Admin);
        let is_unknown = matches!(permit, Err(Denial::Unauthenticated(_)));
        if is_unknown && shows_key(&self.credential(head)) {
            self.limit(Purpose::ApiKey, caller, None).await?;
        }
        let identity = permit.map_err(AdminError::Denied)?.shared_identity();
        identity.ok_or(NOT_SIGNED_IN)
    }
}

fn shows_key(credential: &Credential<'_>) -> bool {
    match credential {
        Credential::Bearer(token) => UnverifiedKey::read(token).is_some(),
        Credential::Key(_) => true,
        Credential::Absent
        | Credential::Cookie(_)
        | Credential::Foreign
        | Credential::Ambiguous => false,
    }
}

const NOT_SIGNED_IN: AdminError =
    AdminError::Denied(Denial::Unauthenticated(Unauthenticated::NoCredential));

impl Administrator {
    /// The role in a token is as old as the token, and ends with its session; here that is not enough.
    async fn is_still_one(&self) -> Result<(), AdminError> {
        let Some(user) = self.own_user() else {
            return Ok(());
        };
        match self.auth.current(user).await? {
            Current::Known(user) if is_open_admin(&user) => Ok(()),
            // A directory tells only those who sign in; what it said then still stands.
            Current::Untold => Ok(()),
            Current::Known(_) => Err(AdminError::Denied(Denial::Forbidden {
                unmet: format!("role `{}`", Role::ADMIN),
            })),
            Current::Gone => Err(AdminError::Denied(Denial::Unauthenticated(
                Unauthenticated::Revoked,
            ))),
        }
    }

    /// The account of the administrator; a service has none.
    fn own_user(&self) -> Option<UserId> {
        self.identity.subject.parse().ok()
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.auth.now()
    }
}

fn is_open_admin(user: &User) -> bool {
    user.roles.has_admin() && user.status == AccountStatus::Enabled
}

impl From<LimitError> for AdminError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Limited(limited) => Self::Limited(limited),
            LimitError::Unavailable(error) => error.into(),
        }
    }
}

impl From<Unavailable> for AdminError {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error)
    }
}
