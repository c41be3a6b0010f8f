//! What follows when a code has shown that an address belongs to its account.

use super::super::Auth;
use super::AccountError;
use crate::codes::Redeemed;
use crate::id::{SessionId, UserId};
use crate::sessions::Ended;
use crate::unavailable::Unavailable;
use crate::user::{AccountStatus, EmailStatus, Login, User};
use crate::users::{PasswordHash, StoredUser, UpdateError, UserUpdate};

/// What becomes of the password when an address is proved.
#[derive(Clone, Debug)]
pub(super) enum Password {
    /// It stays: the code came with the sign-up that set it.
    Stays,
    /// It goes where the address was not proved before: whoever set it had not shown the address to be
    /// theirs. The code proves the mailbox, and nothing of that sign-up.
    GoesIfUnproved,
    /// This one takes its place.
    Becomes(PasswordHash),
}

/// An account whose address is proved.
pub(super) struct Proved {
    pub(super) user: User,
    pub(super) has_password: bool,
}

impl Auth {
    /// How often a change is tried anew when others change the same account.
    const CHANGE_ATTEMPTS: u32 = 5;

    /// Writes down that the address is proved, with what follows from it: sessions that were opened
    /// before that end, and so do all when the password changes.
    pub(super) async fn prove(
        &self,
        redeemed: &Redeemed,
        password: &Password,
    ) -> Result<Proved, AccountError> {
        self.can_end_sessions_of(redeemed.user).await?;
        for _ in 0..Self::CHANGE_ATTEMPTS {
            let stored = self.whose(redeemed).await?;
            let Some(update) = update_for(&stored, password) else {
                return Ok(Proved {
                    has_password: stored.password.is_some(),
                    user: stored.user,
                });
            };
            let has_password = match &update.password {
                Some(new) => new.is_some(),
                None => stored.password.is_some(),
            };
            match self.parts.users.update(redeemed.user, update).await {
                Ok(user) => {
                    self.end_sessions_of(user.id, None).await?;
                    return Ok(Proved { user, has_password });
                }
                Err(UpdateError::Outdated) => {}
                Err(UpdateError::Unavailable(error)) => return Err(error.into()),
                Err(
                    UpdateError::NoSuchUser | UpdateError::EmailTaken | UpdateError::UsernameTaken,
                ) => return Err(AccountError::InvalidCode),
            }
        }
        Err(AccountError::Outdated)
    }

    /// The account that has the address of the code still.
    async fn whose(&self, redeemed: &Redeemed) -> Result<StoredUser, AccountError> {
        let login = Login::Email(redeemed.email.clone());
        let stored = self.parts.users.by_login(&login).await?;
        let stored = stored.filter(|stored| stored.user.id == redeemed.user);
        let stored = stored.ok_or(AccountError::InvalidCode)?;
        match stored.user.status {
            AccountStatus::Enabled => Ok(stored),
            AccountStatus::Disabled => Err(AccountError::Disabled),
        }
    }

    /// Asks the session store for a sign of life, before an account is changed whose sessions must end then:
    /// while it is away nothing is changed, and whoever asked tries again. A store that goes away between
    /// the two leaves an account that is changed and sessions that live; the second try ends them.
    pub(in crate::auth) async fn can_end_sessions_of(
        &self,
        user: UserId,
    ) -> Result<(), Unavailable> {
        self.parts.sessions.epoch(user).await.map(drop)
    }

    /// Ends the sessions of a user, but for `keep`; returns how many. Always called *after* the account
    /// was written: a sign-in that read the old account has read the old epoch too, and its session is
    /// not made.
    pub(in crate::auth) async fn end_sessions_of(
        &self,
        user: UserId,
        keep: Option<SessionId>,
    ) -> Result<usize, Unavailable> {
        let now = self.now();
        let ended = match keep {
            Some(keep) => self.parts.sessions.end_others(user, keep, now).await?,
            None => self.parts.sessions.end_all(user, now).await?,
        };
        for session in &ended {
            self.parts.revocations.note(Ended {
                session: *session,
                at: now,
            });
        }
        Ok(ended.len())
    }
}

/// What changes; nothing where the address was proved before and the password stays.
fn update_for(stored: &StoredUser, password: &Password) -> Option<UserUpdate> {
    let proved = UserUpdate {
        expected: Some(stored.user.revision),
        email_status: Some(EmailStatus::Verified),
        ..UserUpdate::default()
    };
    match (password, stored.user.email_status) {
        (Password::Becomes(hash), EmailStatus::Verified | EmailStatus::Unverified) => {
            Some(UserUpdate {
                password: Some(Some(hash.clone())),
                ..proved
            })
        }
        (Password::Stays | Password::GoesIfUnproved, EmailStatus::Verified) => None,
        (Password::Stays, EmailStatus::Unverified) => Some(proved),
        (Password::GoesIfUnproved, EmailStatus::Unverified) => Some(UserUpdate {
            password: Some(None),
            ..proved
        }),
    }
}
