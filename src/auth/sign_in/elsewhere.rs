//! Signing in with a password that somebody else checks: a directory that keeps the users.

use std::time::Duration;

use super::{Auth, Failure, SignIn, SignInError, SignedIn};
use crate::user::Login;
use crate::users::directory::{Account, Directory, DirectoryError, Verdict};

/// No refusal of a password is told before this time has passed: how fast a directory finds out that
/// there is no such user is its own affair, and shall not show here. Above what a check of bcrypt and
/// the way to another continent take together.
const WRONG_ANSWER_AFTER: Duration = Duration::from_millis(500);

impl From<DirectoryError> for SignInError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Busy | DirectoryError::Limited => Self::Busy,
            DirectoryError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

impl Auth {
    /// One question, whoever it is; whatever else it takes, only the right password sets off.
    pub(super) async fn sign_in_elsewhere(
        &self,
        attempt: &SignIn,
        login: Option<&Login>,
        directory: &dyn Directory,
    ) -> Result<SignedIn, Failure> {
        let began = tokio::time::Instant::now();
        let result = self.ask_elsewhere(attempt, login, directory).await;
        match result {
            Err(Failure::UnknownUser | Failure::WrongPassword | Failure::Closed) => {
                tokio::time::sleep_until(began + WRONG_ANSWER_AFTER).await;
            }
            Ok(_) | Err(Failure::Said(_)) => {}
        }
        result
    }

    async fn ask_elsewhere(
        &self,
        attempt: &SignIn,
        login: Option<&Login>,
        directory: &dyn Directory,
    ) -> Result<SignedIn, Failure> {
        // Directories know users by their address; what is none is nobody's.
        let Some(Login::Email(email)) = login else {
            return Err(Failure::UnknownUser);
        };
        let proof = match directory.check(email, &attempt.password).await? {
            Verdict::Right(proof) => proof,
            Verdict::Wrong => return Err(Failure::WrongPassword),
            Verdict::Closed => return Err(Failure::Closed),
            Verdict::EmailUnverified => return Err(SignInError::EmailUnverified.into()),
        };
        // As with users of our own: the account is read after the epoch, so that it is either the one
        // that "end all sessions" came after, or the session is not made.
        let epoch = self.parts.sessions.epoch(proof.user).await?;
        let user = match directory.account(proof).await? {
            Account::Known(user) => *user,
            Account::None => return Err(SignInError::NoAccount.into()),
        };
        self.refuse_by_account(attempt, &user)?;
        let client = (attempt.client, attempt.persistence, &attempt.caller);
        let session = self.session_for(attempt.entrance, client, &user);
        self.store_session(&session, epoch).await?;
        Ok(self
            .issue(session, Some(user), &attempt.form)
            .map_err(SignInError::from)?)
    }
}
