//! What the audit log tells of accounts.

use super::super::{Auth, Caller};
use super::AccountError;
use crate::audit::{Action, Event, Outcome};
use crate::id::UserId;

/// Whom an audit event is about.
pub(super) struct About<'a> {
    /// Who tried: an address as typed, in its one spelling, or a user id.
    pub(super) actor: Option<&'a str>,
    /// The account.
    pub(super) user: Option<UserId>,
    /// Who asked.
    pub(super) caller: &'a Caller,
}

impl Auth {
    /// Records what came of it; `done` is the reason of a success.
    pub(super) fn record_account<T>(
        &self,
        deed: (Action, &'static str),
        result: &Result<T, AccountError>,
        about: &About<'_>,
    ) {
        self.parts.audit.record(&event(deed, result, about));
    }

    /// Tells what an agent has tried. Of a change, `Ok` says that the trail has it.
    pub(super) async fn told<T>(
        &self,
        deed: (Action, &'static str),
        result: Result<T, AccountError>,
        about: &About<'_>,
    ) -> Result<T, AccountError> {
        let event = event(deed, &result, about);
        match &result {
            Ok(_) => self.parts.audit.record_durably(&event).await?,
            Err(_) => self.parts.audit.record(&event),
        }
        result
    }
}

fn event<'a, T>(
    (action, done): (Action, &'static str),
    result: &Result<T, AccountError>,
    about: &About<'a>,
) -> Event<'a> {
    let (outcome, reason) = match result {
        Ok(_) => (Outcome::Success, done),
        Err(error) => verdict(error),
    };
    Event {
        action,
        outcome,
        reason,
        actor: about.actor,
        user: about.user.map(|user| user.to_string()),
        session: None,
        address: Some(about.caller.address),
        request_id: Some(about.caller.request_id.to_string()),
        api_key: None,
    }
}

/// The words for a refusal.
pub(in crate::auth) const fn verdict(error: &AccountError) -> (Outcome, &'static str) {
    match error {
        AccountError::SignUpClosed => (Outcome::Refused, "sign-up-closed"),
        AccountError::NoMail => (Outcome::Refused, "no-mail"),
        AccountError::DomainNotAllowed => (Outcome::Refused, "domain-not-allowed"),
        AccountError::EmailTaken => (Outcome::Refused, "email-taken"),
        AccountError::UsernameTaken => (Outcome::Refused, "username-taken"),
        AccountError::Weak(_) => (Outcome::Refused, "weak-password"),
        AccountError::Unverifiable(_) => (Outcome::Refused, "unverifiable-hash"),
        AccountError::InvalidCode => (Outcome::Refused, "invalid-code"),
        AccountError::Disabled => (Outcome::Refused, "account-disabled"),
        AccountError::WrongPassword => (Outcome::Refused, "wrong-password"),
        AccountError::NotFresh => (Outcome::Refused, "session-not-fresh"),
        AccountError::Gone => (Outcome::Refused, "account-gone"),
        AccountError::Outdated => (Outcome::Refused, "account-changed"),
        AccountError::Limited(_) => (Outcome::Refused, "too-many-attempts"),
        AccountError::Busy => (Outcome::Failed, "too-much-at-once"),
        AccountError::Unavailable(_) => (Outcome::Failed, "store-unavailable"),
        AccountError::Issue(_) => (Outcome::Failed, "no-token-made"),
    }
}
