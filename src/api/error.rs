//! The one place where an error of this API becomes a response.

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use super::clearing::Ended;
use crate::auth::{Denial, IssueError, RefreshError, SignInError};
use crate::limit::Limited;
use crate::unavailable::Unavailable;
use crate::wire::problem::Problem;
use crate::wire::refusal::{Cause, ProblemStyle, Refusal};

mod account;
mod admin;

/// When to come back after a 503: the pool of hashes is worked off, a store is back, within seconds.
const RETRY_SOON: Duration = Duration::from_secs(2);

/// Why a call was not carried out.
#[derive(Debug)]
pub(super) enum ApiError {
    /// 400, with what is wrong.
    Malformed(&'static str),
    /// 413.
    TooLarge,
    /// 415.
    MediaType,
    /// 401: login and password do not go together.
    WrongCredentials,
    /// 401: the session has ended; its cookies go with it.
    SessionEnded,
    /// 403.
    Forbidden(&'static str, &'static str),
    /// 404: there is no such session of this user.
    NoSuchSession,
    /// What an account refuses, with a word for programs.
    Refused(Problem),
    /// 429, and the cookies stay.
    TooSoon(Limited),
    /// 503, and the cookies stay: a store that is away is no reason to sign anybody out.
    Unavailable,
    /// 503: some of it was done, and how much.
    Stopped(String),
    /// 503: it was done, but the audit trail could not be told.
    Untold,
    /// 500: no token could be made.
    NoToken,
    /// The core refused the credential.
    Denied(Denial),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Malformed(what) => Problem::new(StatusCode::BAD_REQUEST, "malformed")
                .detail(what)
                .into_response(),
            Self::TooLarge => {
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large").into_response()
            }
            Self::MediaType => Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json")
                .detail("Send application/json.")
                .into_response(),
            Self::WrongCredentials => challenged(
                Problem::new(StatusCode::UNAUTHORIZED, "invalid_credentials")
                    .detail("Login and password do not go together."),
            ),
            Self::SessionEnded => Ended::SESSION.note(challenged(
                Problem::new(StatusCode::UNAUTHORIZED, "session_ended").detail("Sign in again."),
            )),
            Self::Forbidden(code, detail) => Problem::new(StatusCode::FORBIDDEN, code)
                .detail(detail)
                .into_response(),
            Self::NoSuchSession => {
                Problem::new(StatusCode::NOT_FOUND, "no_such_session").into_response()
            }
            Self::Refused(problem) => problem.into_response(),
            Self::TooSoon(limited) => {
                Refusal::from(Cause::TooManyRequests(limited)).respond(&ProblemStyle)
            }
            Self::Unavailable => unavailable("unavailable", "Try again in a moment."),
            Self::Stopped(detail) => unavailable("import_stopped", detail),
            Self::Untold => unavailable(
                "not_recorded",
                "The change was made, but the audit trail could not be told.",
            ),
            Self::NoToken => {
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no_token").into_response()
            }
            Self::Denied(denial) => denied(&denial),
        }
    }
}

fn denied(denial: &Denial) -> Response {
    let response = Refusal::from(denial).respond(&ProblemStyle);
    match denial {
        Denial::Unauthenticated(_) => Ended::ACCESS.note(response),
        Denial::Forbidden { .. } | Denial::CrossOrigin | Denial::Unavailable { .. } => response,
    }
}

fn challenged(problem: Problem) -> Response {
    let mut response = problem.into_response();
    let challenge = HeaderValue::from_static("Bearer realm=\"doorward\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

fn unavailable(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Response {
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, code);
    let mut response = problem.detail(detail).into_response();
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(RETRY_SOON.as_secs()));
    response
}

impl From<SignInError> for ApiError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::WrongCredentials => Self::WrongCredentials,
            SignInError::Disabled => {
                Self::Forbidden("account_disabled", "This account is disabled.")
            }
            SignInError::EmailUnverified => {
                Self::Forbidden("email_not_verified", "Confirm your email address first.")
            }
            SignInError::NotAdmin => {
                Self::Forbidden("not_an_admin", "This entrance is for administrators.")
            }
            SignInError::NoAccount => {
                Self::Forbidden("no_account", "There is no account for you here.")
            }
            SignInError::Limited(limited) => Self::TooSoon(limited),
            SignInError::Busy => Self::Unavailable,
            SignInError::Unavailable(error) => error.into(),
            SignInError::Issue(error) => error.into(),
        }
    }
}

impl From<RefreshError> for ApiError {
    fn from(error: RefreshError) -> Self {
        match error {
            // Who holds a copy learns nothing of having been found out.
            RefreshError::Gone | RefreshError::Reused | RefreshError::UserGone => {
                Self::SessionEnded
            }
            RefreshError::Limited(limited) => Self::TooSoon(limited),
            RefreshError::Unavailable(error) => error.into(),
            RefreshError::Issue(error) => error.into(),
        }
    }
}

impl From<Unavailable> for ApiError {
    fn from(error: Unavailable) -> Self {
        tracing::warn!(error = ?error, "answered 503");
        Self::Unavailable
    }
}

impl From<IssueError> for ApiError {
    fn from(error: IssueError) -> Self {
        tracing::error!(error = ?error, "no token could be made");
        Self::NoToken
    }
}

impl From<Denial> for ApiError {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}
