//! Secrets that an operator has given to a dialect, and guesses at them.
//!
//! Every try counts before anybody compares; one that was right is taken back, one that was wrong is told
//! in the audit trail. The comparison itself is made by the face, which holds the secret.

use super::limit::{LimitError, Pass};
use super::{About, Auth, Caller};
use crate::audit::{Action, Outcome};
use crate::limit::Purpose;

/// What is guessed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guessed {
    /// The key of a project that opens everything, shown in the place of any of its keys.
    ServiceKey,
    /// What makes an administrator of whoever signs up with it.
    AdminSecret,
}

impl Guessed {
    const fn action(self) -> Action {
        match self {
            Self::ServiceKey => Action::UseApiKey,
            Self::AdminSecret => Action::AddUser,
        }
    }

    const fn missed(self) -> &'static str {
        match self {
            Self::ServiceKey => "wrong-project-key",
            Self::AdminSecret => "wrong-admin-secret",
        }
    }
}

/// A try that may be looked at, and is counted.
#[derive(Debug)]
#[must_use = "a right one that is not taken back stays counted, a wrong one untold"]
pub struct Guess {
    pass: Pass,
    guessed: Guessed,
    caller: Caller,
}

impl Auth {
    /// Counts a try, or refuses it.
    pub async fn begin_guess(&self, guessed: Guessed, caller: Caller) -> Result<Guess, LimitError> {
        match self.limit(Purpose::ApiKey, &caller, None).await {
            Ok(pass) => Ok(Guess {
                pass,
                guessed,
                caller,
            }),
            Err(error) => {
                let verdict = match &error {
                    LimitError::Limited(_) => (Outcome::Refused, "limited"),
                    LimitError::Unavailable(_) => (Outcome::Failed, "store-unavailable"),
                };
                self.tell_guess((guessed, verdict), &caller);
                Err(error)
            }
        }
    }

    /// It was right, or nobody could say: no guess.
    pub async fn take_back(&self, guess: Guess) {
        self.forgive(guess.pass).await;
    }

    /// It was wrong, and stays counted.
    pub fn tell_missed(&self, guess: &Guess) {
        let verdict = (Outcome::Refused, guess.guessed.missed());
        self.tell_guess((guess.guessed, verdict), &guess.caller);
    }

    /// No more lines than of what is limited: a program with an old key goes on for ever.
    fn tell_guess(&self, (guessed, verdict): (Guessed, (Outcome, &'static str)), caller: &Caller) {
        if self.is_worth_a_line(caller) {
            let about = About {
                actor: None,
                session: None,
                caller,
            };
            self.record(guessed.action(), verdict, &about);
        }
    }
}
