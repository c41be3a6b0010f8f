//! Why an administrator's call was not carried out.

use crate::auth::api_keys::KeyError;
use crate::auth::{AccountError, Denial};
use crate::keys;
use crate::limit::Limited;
use crate::unavailable::Unavailable;
use crate::users::import::{FormError, Place};

/// Why an administrator's call was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Whoever calls is none.
    #[error("not an administrator")]
    Denied(Denial),
    /// An administrator, but by the word of another issuer.
    #[error("a token of another issuer")]
    ForeignToken,
    /// Too many wrong API keys were shown.
    #[error(transparent)]
    Limited(Limited),
    /// Accounts are managed where they are kept.
    #[error("users are kept by {0}")]
    KeptElsewhere(&'static str),
    /// There is no such account.
    #[error("there is no such user")]
    NoSuchUser,
    /// There is no such session.
    #[error("there is no such session")]
    NoSuchSession,
    /// The account is not any more as the caller has seen it.
    #[error("the user has changed meanwhile")]
    Outdated,
    /// The caller would lock themselves out.
    #[error("an administrator's own account")]
    OwnAccount,
    /// Nobody would be left.
    #[error("the last administrator")]
    LastAdmin,
    /// The account refuses it.
    #[error(transparent)]
    Account(AccountError),
    /// The API key refuses it.
    #[error(transparent)]
    Key(KeyError),
    /// What is of no single account refuses it.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// It was done, but the audit trail could not be told.
    #[error("the audit trail could not be told")]
    Untold(#[source] Unavailable),
    /// A store could not be asked.
    #[error(transparent)]
    Unavailable(Unavailable),
}

/// Why something about the gateway as a whole was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The operator gave the signing keys, and changes them.
    #[error("the signing keys are given by the configuration")]
    KeysGiven,
    /// There are as many signing keys as there may be.
    #[error("too many signing keys verify still")]
    TooManyKeys,
    /// The ring of the signing keys could not be read or written.
    #[error("the key ring could not be read or written")]
    KeyRing(#[source] keys::KeyError),
    /// The file to import is no text.
    #[error("the file is not in UTF-8")]
    NotText,
    /// The file to import has no rows.
    #[error(transparent)]
    NoRows(FormError),
    /// The file to import has too many.
    #[error("the file has more than {0} rows")]
    TooManyRows(usize),
    /// The store was away in the middle of an import.
    #[error("the import stopped at {place}, after {taken} accounts: {stopped}")]
    ImportStopped {
        /// At which row.
        place: Place,
        /// How many were made before.
        taken: usize,
        /// Why.
        stopped: Unavailable,
    },
    /// What one at a time may do is being done.
    #[error("another one is under way")]
    UnderWay,
}

impl From<AccountError> for AdminError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Gone => Self::NoSuchUser,
            AccountError::Outdated => Self::Outdated,
            AccountError::Unavailable(error) => Self::Unavailable(error),
            other => Self::Account(other),
        }
    }
}

impl From<KeyError> for AdminError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Untold(error) => Self::Untold(error),
            KeyError::Unavailable(error) => Self::Unavailable(error),
            other => Self::Key(other),
        }
    }
}

impl From<keys::KeyError> for AdminError {
    fn from(error: keys::KeyError) -> Self {
        Self::Gateway(match error {
            keys::KeyError::GivenByOperator => GatewayError::KeysGiven,
            keys::KeyError::TooMany(_) => GatewayError::TooManyKeys,
            other => GatewayError::KeyRing(other),
        })
    }
}
