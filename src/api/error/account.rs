//! How the errors of accounts look.

use http::StatusCode;

use super::ApiError;
use crate::auth::AccountError;
use crate::wire::problem::Problem;

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::SignUpClosed => Self::Forbidden(
                "sign_up_disabled",
                "Accounts are made by administrators here.",
            ),
            AccountError::NoMail => Self::Forbidden("mail_disabled", "No mail is sent from here."),
            AccountError::DomainNotAllowed => Self::Forbidden(
                "email_domain_not_allowed",
                "Addresses of this domain may not sign up.",
            ),
            AccountError::Disabled => {
                Self::Forbidden("account_disabled", "This account is disabled.")
            }
            // Not 401: the session holds, and a client must not take it for ended.
            AccountError::WrongPassword => {
                Self::Forbidden("wrong_password", "The present password is wrong.")
            }
            AccountError::NotFresh => Self::Forbidden(
                "password_needed",
                "Show the present password, or sign in again.",
            ),
            AccountError::EmailTaken => conflict("email_taken", "The address has an account."),
            AccountError::UsernameTaken => conflict("username_taken", "The user name is taken."),
            AccountError::Outdated => conflict("account_changed", "Try again."),
            AccountError::Weak(weak) => {
                let problem = Problem::new(StatusCode::BAD_REQUEST, "weak_password");
                Self::Refused(problem.detail(weak.to_string()))
            }
            AccountError::Unverifiable(unverifiable) => {
                let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields");
                Self::Refused(problem.detail(unverifiable.to_string()))
            }
            AccountError::InvalidCode => {
                let problem = Problem::new(StatusCode::BAD_REQUEST, "invalid_code");
                Self::Refused(problem.detail("The code is wrong, used or too old."))
            }
            AccountError::Gone => Self::SessionEnded,
            AccountError::Limited(limited) => Self::TooSoon(limited),
            AccountError::Busy => Self::Unavailable,
            AccountError::Unavailable(error) => error.into(),
            AccountError::Issue(error) => error.into(),
        }
    }
}

fn conflict(code: &'static str, detail: &'static str) -> ApiError {
    ApiError::Refused(Problem::new(StatusCode::CONFLICT, code).detail(detail))
}
