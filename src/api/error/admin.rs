//! How the errors of administrators look.

use http::StatusCode;

use super::ApiError;
use crate::api_keys::{CreateError, RotateError};
use crate::auth::AccountError;
use crate::auth::admin::{AdminError, GatewayError};
use crate::auth::api_keys::KeyError;
use crate::keys;
use crate::unavailable::Unavailable;
use crate::users::import;
use crate::wire::problem::{Mistake, Place, Problem};

impl From<AdminError> for ApiError {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Denied(denial) => Self::Denied(denial),
            AdminError::ForeignToken => Self::Forbidden(
                "foreign_token",
                "This token was not given out here: sign in as an administrator.",
            ),
            AdminError::Limited(limited) => Self::TooSoon(limited),
            AdminError::KeptElsewhere(_) => Self::Forbidden(
                "users_kept_elsewhere",
                "Users are kept in a directory elsewhere, and managed there.",
            ),
            AdminError::NoSuchUser => not_found("no_such_user"),
            AdminError::NoSuchSession => Self::NoSuchSession,
            AdminError::Outdated => Self::Refused(
                Problem::new(StatusCode::PRECONDITION_FAILED, "outdated")
                    .detail("The user has changed since. Read it again."),
            ),
            AdminError::OwnAccount => conflict(
                "own_account",
                "Nobody closes, removes or demotes themselves: another administrator can.",
            ),
            AdminError::LastAdmin => conflict("last_admin", "Nobody would be left to administer."),
            AdminError::Account(AccountError::Weak(weak)) => Self::Refused(
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "weak_password").mistakes(vec![
                    Mistake {
                        place: Place::Pointer("/password".to_owned()),
                        detail: weak.to_string().into(),
                    },
                ]),
            ),
            AdminError::Account(AccountError::Unverifiable(unverifiable)) => {
                let mistake = Mistake {
                    place: Place::Pointer("/password_hash".to_owned()),
                    detail: unverifiable.to_string().into(),
                };
                Self::Refused(
                    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields")
                        .mistakes(vec![mistake]),
                )
            }
            AdminError::Account(error) => error.into(),
            AdminError::Key(error) => error.into(),
            AdminError::Gateway(error) => error.into(),
            AdminError::Untold(error) => {
                tracing::error!(error = ?error, "a change was made that the audit trail may lack");
                Self::Untold
            }
            AdminError::Unavailable(error) => error.into(),
        }
    }
}

impl From<GatewayError> for ApiError {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::KeysGiven => conflict(
                "keys_given",
                "The signing keys are given by the configuration, and changed there.",
            ),
            GatewayError::TooManyKeys => conflict(
                "too_many_signing_keys",
                "Rotate again when the last token of an old key has ended.",
            ),
            GatewayError::NotText => Self::Malformed("the body is not in UTF-8"),
            GatewayError::NoRows(error) => Self::Refused(
                Problem::new(StatusCode::BAD_REQUEST, "malformed").detail(error.to_string()),
            ),
            GatewayError::TooManyRows(most) => Self::Refused(
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large")
                    .detail(format!("Send at most {most} rows at a time.")),
            ),
            GatewayError::ImportStopped {
                place,
                taken,
                stopped,
            } => Self::Stopped(midway((place, taken), &stopped)),
            GatewayError::UnderWay => conflict(
                "under_way",
                "Another one is under way here: try again when it has ended.",
            ),
            GatewayError::KeyRing(error) => ring_broken(&error),
        }
    }
}

fn ring_broken(error: &keys::KeyError) -> ApiError {
    tracing::error!(error = ?error, "the key ring could not be read or rewritten");
    ApiError::Unavailable
}

/// How far an import came, and what is to be done.
fn midway((place, taken): (import::Place, usize), stopped: &Unavailable) -> String {
    tracing::warn!(error = ?stopped, "an import stopped");
    format!(
        "{taken} rows were taken, then {place} was not: a store is away. Send the file again: what was \
         taken is refused then."
    )
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::NotAllowed => Self::Forbidden(
                "not_allowed",
                "An API key manages keys and administrators only with the scope admin, and gives no role that \
                 it has not.",
            ),
            KeyError::Exceeds => Self::Forbidden(
                "exceeds",
                "A key cannot have roles, scopes or a life that its maker has not.",
            ),
            KeyError::NoSuchKey | KeyError::Rotate(RotateError::NoSuchKey) => {
                not_found("no_such_api_key")
            }
            KeyError::Create(CreateError::NoSuchUser) => {
                conflict("no_such_user", "There is no such user to make a key for.")
            }
            KeyError::Create(CreateError::TooMany) => conflict(
                "too_many_keys",
                "Revoke another key of the same owner first.",
            ),
            KeyError::Rotate(RotateError::NotLive) => conflict(
                "not_live",
                "The key holds no longer, or was rotated already.",
            ),
            KeyError::Untold(error) => AdminError::Untold(error).into(),
            KeyError::Create(CreateError::Unavailable(error))
            | KeyError::Rotate(RotateError::Unavailable(error))
            | KeyError::Unavailable(error) => error.into(),
        }
    }
}

const fn not_found(code: &'static str) -> ApiError {
    ApiError::Refused(Problem::new(StatusCode::NOT_FOUND, code))
}

fn conflict(code: &'static str, detail: &'static str) -> ApiError {
    ApiError::Refused(Problem::new(StatusCode::CONFLICT, code).detail(detail))
}
