//! What the audit trail is told of administrators.

use super::{AdminError, Administrator, GatewayError};
use crate::audit::{Action, Event, Outcome};
use crate::auth::account::record;
use crate::id::{SessionId, UserId};

/// What was tried.
pub(super) struct Deed {
    pub(super) action: Action,
    /// The reason that stands with a success.
    pub(super) done: &'static str,
    pub(super) user: Option<UserId>,
    pub(super) session: Option<SessionId>,
}

impl Deed {
    pub(super) const fn on(user: UserId, (action, done): (Action, &'static str)) -> Self {
        Self {
            action,
            done,
            user: Some(user),
            session: None,
        }
    }

    pub(super) const fn on_gateway((action, done): (Action, &'static str)) -> Self {
        Self {
            action,
            done,
            user: None,
            session: None,
        }
    }
}

impl Administrator {
    /// Tells what came of it. Of a change, `Ok` says that the trail has it.
    pub(super) async fn told<T>(
        &self,
        deed: Deed,
        result: Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        let (outcome, reason) = match &result {
            Ok(_) => (Outcome::Success, deed.done),
            Err(error) => verdict(error),
        };
        let event = Event {
            action: deed.action,
            outcome,
            reason,
            actor: Some(&self.identity.subject),
            user: deed.user.map(|user| user.to_string()),
            session: deed.session.map(|session| session.to_string()),
            address: Some(self.caller.address),
            request_id: Some(self.caller.request_id.to_string()),
            api_key: None,
        };
        let audit = &self.auth.parts.audit;
        match result {
            Ok(done) => {
                let told = audit.record_durably(&event).await;
                told.map_err(AdminError::Untold)?;
                Ok(done)
            }
            Err(error) => {
                audit.record(&event);
                Err(error)
            }
        }
    }
}

const fn verdict(error: &AdminError) -> (Outcome, &'static str) {
    match error {
        AdminError::Denied(_) | AdminError::ForeignToken => (Outcome::Refused, "not-an-admin"),
        AdminError::Limited(_) => (Outcome::Refused, "too-many-attempts"),
        AdminError::KeptElsewhere(_) => (Outcome::Refused, "kept-elsewhere"),
        AdminError::NoSuchUser => (Outcome::Refused, "unknown-user"),
        AdminError::NoSuchSession => (Outcome::Refused, "unknown-session"),
        AdminError::Outdated => (Outcome::Refused, "account-changed"),
        AdminError::OwnAccount => (Outcome::Refused, "own-account"),
        AdminError::LastAdmin => (Outcome::Refused, "last-admin"),
        AdminError::Account(error) => record::verdict(error),
        AdminError::Key(_) => (Outcome::Refused, "api-key"),
        AdminError::Gateway(error) => gateway(error),
        AdminError::Untold(_) | AdminError::Unavailable(_) => {
            (Outcome::Failed, "store-unavailable")
        }
    }
}

const fn gateway(error: &GatewayError) -> (Outcome, &'static str) {
    match error {
        GatewayError::KeysGiven => (Outcome::Refused, "keys-given"),
        GatewayError::TooManyKeys => (Outcome::Refused, "too-many-keys"),
        GatewayError::NotText | GatewayError::NoRows(_) | GatewayError::TooManyRows(_) => {
            (Outcome::Refused, "unreadable-file")
        }
        GatewayError::ImportStopped { .. } => (Outcome::Failed, "store-unavailable"),
        GatewayError::UnderWay => (Outcome::Refused, "under-way"),
        GatewayError::KeyRing(_) => (Outcome::Failed, "key-ring"),
    }
}
