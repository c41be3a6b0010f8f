//! What goes wrong, in the words of this dialect: `{status: "error", message}`.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::api_keys::{CreateError, RotateError};
use crate::auth::api_keys::KeyError;
use crate::auth::{AccountError, Denial, IssueError};
use crate::limit::Limited;
use crate::unavailable::Unavailable;
use crate::wire::rate_limit::{self, Form};

/// A 503 is worth another try after so long.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Why an endpoint does not do what it was asked for.
#[derive(Debug)]
pub(super) struct Fault {
    status: StatusCode,
    message: Cow<'static, str>,
    retry: Option<Retry>,
}

#[derive(Debug)]
enum Retry {
    After(Duration),
    Limited(Box<Limited>),
}

impl Fault {
    pub(super) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            message: message.into(),
            retry: None,
        }
    }

    pub(super) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn no_token() -> Self {
        let message = "Invalid or missing authorization token";
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    pub(super) fn wrong_password() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Invalid username or password")
    }

    pub(super) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "Insufficient permissions")
    }

    pub(super) fn not_local() -> Self {
        let message = "This endpoint is only accessible from localhost";
        Self::new(StatusCode::FORBIDDEN, message)
    }

    pub(super) fn stays_on() -> Self {
        let message = "Authentication cannot be turned off here";
        Self::new(StatusCode::FORBIDDEN, message)
    }

    pub(super) fn too_large() -> Self {
        let message = "Request body is too large";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    pub(super) fn user_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "User not found")
    }

    pub(super) fn user_exists() -> Self {
        Self::new(StatusCode::CONFLICT, "Username already exists")
    }

    pub(super) fn limited(limited: Limited) -> Self {
        Self {
            retry: Some(Retry::Limited(Box::new(limited))),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many attempts; try again later",
            )
        }
    }

    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
    }

    pub(super) fn unavailable(after: Duration) -> Self {
        Self {
            retry: Some(Retry::After(after)),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Service temporarily unavailable",
            )
        }
    }

    /// Too many passwords are being hashed already.
    pub(super) fn busy() -> Self {
        Self::unavailable(RETRY_AFTER)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = json!({ "status": "error", "message": self.message });
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static(r#"Bearer realm="doorward""#);
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        match &self.retry {
            Some(Retry::After(time)) => {
                let seconds = rate_limit::whole_seconds(*time);
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
            Some(Retry::Limited(limited)) => rate_limit::add(headers, limited, Form::Standard),
            None => {}
        }
        response
    }
}

pub(super) async fn unknown_path() -> Fault {
    Fault::new(StatusCode::NOT_FOUND, "Not found")
}

pub(super) async fn wrong_method() -> Fault {
    Fault::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
}

impl From<Unavailable> for Fault {
    fn from(error: Unavailable) -> Self {
        tracing::warn!(%error, reason = %error.source, "a request could not be answered");
        Self::unavailable(RETRY_AFTER)
    }
}

impl From<IssueError> for Fault {
    fn from(error: IssueError) -> Self {
        tracing::error!(%error, "no token could be made");
        Self::internal()
    }
}

impl From<AccountError> for Fault {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::EmailTaken | AccountError::UsernameTaken => Self::user_exists(),
            AccountError::Weak(weak) => Self::bad_request(weak.to_string()),
            AccountError::Unverifiable(hash) => Self::bad_request(hash.to_string()),
            AccountError::WrongPassword | AccountError::Disabled => Self::wrong_password(),
            AccountError::Gone => Self::user_not_found(),
            AccountError::Outdated => {
                Self::new(StatusCode::CONFLICT, "The account was changed meanwhile")
            }
            AccountError::Limited(limited) => Self::limited(limited),
            AccountError::Busy => Self::busy(),
            AccountError::Unavailable(error) => error.into(),
            AccountError::Issue(error) => error.into(),
            // Of sign-ups, codes and sessions, which are not asked for here.
            AccountError::SignUpClosed
            | AccountError::NoMail
            | AccountError::DomainNotAllowed
            | AccountError::InvalidCode
            | AccountError::NotFresh => Self::internal(),
        }
    }
}

impl From<KeyError> for Fault {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::NotAllowed => Self::forbidden(),
            KeyError::Exceeds => {
                let message = "A key cannot have permissions or a life that its maker has not";
                Self::new(StatusCode::FORBIDDEN, message)
            }
            KeyError::NoSuchKey
            | KeyError::Create(CreateError::NoSuchUser)
            | KeyError::Rotate(RotateError::NoSuchKey) => {
                Self::new(StatusCode::NOT_FOUND, "Not found")
            }
            KeyError::Create(CreateError::TooMany) => {
                let message = "Too many keys; delete one first";
                Self::new(StatusCode::CONFLICT, message)
            }
            KeyError::Rotate(RotateError::NotLive) => {
                let message = "Cannot rotate an expired key";
                Self::new(StatusCode::CONFLICT, message)
            }
            KeyError::Create(CreateError::Unavailable(error))
            | KeyError::Rotate(RotateError::Unavailable(error))
            | KeyError::Untold(error)
            | KeyError::Unavailable(error) => error.into(),
        }
    }
}

/// Why a credential does not hold is not told.
impl From<Denial> for Fault {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Unauthenticated(_) => Self::no_token(),
            Denial::Forbidden { unmet: _ } | Denial::CrossOrigin => Self::forbidden(),
            Denial::Unavailable {
                what: _,
                retry_after,
            } => Self::unavailable(retry_after),
        }
    }
}
