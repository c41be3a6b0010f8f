//! The life of an account: sign-up, proof of the address, passwords, the end. One verb a file.
//!
//! What comes by mail proves an address; what was set for an account before its address was proved is
//! nobody's. Whether an address has an account shows neither in an answer nor in its time: what depends
//! on it happens after the answer ([`errand`]).

use std::sync::Arc;

use super::{Auth, Caller, EmailRule};
use crate::codes::CodeStore;
use crate::id::{SessionId, UserId};
use crate::mail::outbox::Outbox;
use crate::session::Session;
use crate::unavailable::Unavailable;
use crate::user::User;
use crate::users::directory::{Current, Kept};

pub mod change_email;
pub mod change_password;
pub mod close;
pub mod directory;
mod errand;
mod error;
mod guard;
mod letter;
pub mod named;
pub mod profile;
mod prove;
pub(super) mod record;
pub mod redeem;
pub mod reset;
pub mod rules;
pub mod sign_in_code;
pub mod sign_up;
pub mod terms;
pub mod verify;

pub use self::error::AccountError;
pub use self::rules::AccountRules;

/// What the life of an account takes, beside the stores of users and sessions.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// Keeps one-time codes.
    pub codes: Arc<dyn CodeStore>,
    /// Sends mails; without it, all that needs mail is off.
    pub outbox: Option<Outbox>,
    /// What is allowed.
    pub rules: AccountRules,
}

/// Somebody whom a face has judged, and who changes accounts that need not be theirs.
#[derive(Clone, Copy, Debug)]
pub struct Agent<'a> {
    /// What the audit trail calls them: the subject of their credential, or by what right they act, such
    /// as `supabase:service-key`.
    pub name: &'a str,
    /// Who asks.
    pub caller: &'a Caller,
}

/// A user who is signed in, and asks for something of their own account.
#[derive(Clone, Debug)]
pub struct Member {
    /// The account.
    pub user: UserId,
    /// The session that asks.
    pub session: SessionId,
    /// Who asks.
    pub caller: Caller,
}

impl Auth {
    /// The account of a user; none too where a directory keeps it and tells only those who sign in.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, Unavailable> {
        Ok(match self.current(id).await? {
            Current::Known(user) => Some(*user),
            Current::Gone | Current::Untold => None,
        })
    }

    /// What is known of a user now, wherever users are kept.
    pub(super) async fn current(&self, id: UserId) -> Result<Current, Unavailable> {
        match self.parts.users.kept() {
            Kept::Elsewhere(directory) => directory.current(id).await,
            Kept::Here => {
                let user = self.parts.users.by_id(id).await?;
                Ok(user.map_or(Current::Gone, |user| Current::Known(Box::new(user))))
            }
        }
    }

    /// The sessions of a user, newest first.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, Unavailable> {
        self.parts.sessions.of_user(user, self.now()).await
    }

    /// Whether anybody may make an account.
    pub fn takes_sign_ups(&self) -> bool {
        self.rules().sign_up == rules::SignUpRule::Open
    }

    /// Whether an address must be proved before its user signs in.
    pub fn email_rule(&self) -> EmailRule {
        self.parts.email_rule
    }

    fn rules(&self) -> &AccountRules {
        &self.parts.accounts.rules
    }

    fn codes(&self) -> &dyn CodeStore {
        &*self.parts.accounts.codes
    }
}
