//! What goes wrong, as this dialect tells it: `{error, message, statusCode, nextActions?}`.

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::auth::admin::AdminError;
use crate::auth::api_keys::KeyError;
use crate::auth::{AccountError, Denial, IssueError, Unauthenticated};
use crate::limit::Limited;
use crate::unavailable::Unavailable;
use crate::wire::cookie::Cookie;
use crate::wire::rate_limit::{self, Form};

/// Words for programs, from the list that the clients know.
pub(super) mod code {
    pub(crate) const ADMIN_OR_TOKEN: &str = "AUTH_UNAUTHORIZED";
    pub(crate) const NO_CREDENTIAL: &str = "AUTH_INVALID_CREDENTIALS";
    pub(crate) const INVALID_API_KEY: &str = "AUTH_INVALID_API_KEY";
    pub(crate) const EMAIL_EXISTS: &str = "AUTH_EMAIL_EXISTS";
    pub(crate) const SIGN_UP_DISABLED: &str = "AUTH_SIGNUP_DISABLED";
    pub(crate) const USER_NOT_FOUND: &str = "AUTH_USER_NOT_FOUND";
    pub(crate) const FORBIDDEN: &str = "FORBIDDEN";
    pub(crate) const INTERNAL: &str = "INTERNAL_ERROR";
    pub(crate) const INVALID_INPUT: &str = "INVALID_INPUT";
    pub(crate) const NOT_FOUND: &str = "NOT_FOUND";
    pub(crate) const TOO_MANY_REQUESTS: &str = "TOO_MANY_REQUESTS";
    pub(crate) const UPSTREAM: &str = "UPSTREAM_FAILURE";
}

/// A request that did not succeed, on its way to the client.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    status: StatusCode,
    error: &'static str,
    message: Cow<'static, str>,
    next_actions: Option<&'static str>,
    clears: Option<Cookie>,
    retry: Option<Retry>,
}

/// When to come back.
#[derive(Clone, Debug)]
enum Retry {
    /// After a 503.
    After(Duration),
    /// After a 429, and what is allowed.
    Limited(Box<Limited>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    error: &'static str,
    message: &'a str,
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_actions: Option<&'static str>,
}

impl Fault {
    /// When to come back after a 503.
    const RETRY_AFTER: Duration = Duration::from_secs(2);

    pub(super) fn new(
        status: StatusCode,
        error: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            error,
            message: message.into(),
            next_actions: None,
            clears: None,
            retry: None,
        }
    }

    /// 401 in the one way upon which the clients try a refresh.
    pub(super) fn unauthorized(message: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code::ADMIN_OR_TOKEN, message)
    }

    pub(super) fn no_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            code::NO_CREDENTIAL,
            "No token provided",
        )
        .next("Check that the request has an Authorization header with a Bearer token.")
    }

    pub(super) fn invalid_token() -> Self {
        Self::unauthorized("Invalid token")
    }

    /// Not by the word that has clients refresh: it would stay so.
    pub(super) fn no_user_session() -> Self {
        let status = StatusCode::UNAUTHORIZED;
        Self::new(status, code::NO_CREDENTIAL, "User not authenticated")
    }

    pub(super) fn no_admin_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            code::NO_CREDENTIAL,
            "No admin token provided",
        )
        .next("Check that the request has the Bearer token of an administrator, or an API key.")
    }

    pub(super) fn invalid_api_key() -> Self {
        let status = StatusCode::UNAUTHORIZED;
        Self::new(status, code::INVALID_API_KEY, "Invalid API key")
    }

    pub(super) fn invalid_anon_key() -> Self {
        let status = StatusCode::UNAUTHORIZED;
        Self::new(status, code::NO_CREDENTIAL, "Invalid anon key")
    }

    /// There is no such endpoint, or not with this method: the original knows no 405.
    pub(super) fn no_endpoint(path: &str) -> Self {
        let message = format!("Endpoint {path} not found");
        Self::new(StatusCode::NOT_FOUND, code::NOT_FOUND, message)
            .next("Check the path and the method of the request.")
    }

    /// 404: not of the caller, but of the account that a call is about.
    pub(super) fn no_such_user() -> Self {
        let status = StatusCode::NOT_FOUND;
        Self::new(status, code::USER_NOT_FOUND, "User not found")
    }

    pub(super) fn email_unverified() -> Self {
        Self::forbidden("Email verification required")
            .next("Verify the email address, then sign in again.")
    }

    pub(super) fn invalid_refresh_token() -> Self {
        Self::unauthorized("Invalid or expired refresh token")
    }

    pub(super) fn user_not_found() -> Self {
        Self::unauthorized("User not found")
    }

    pub(super) fn forbidden(message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code::FORBIDDEN, message)
    }

    pub(super) fn admin_required() -> Self {
        let message = "Admin access required";
        Self::new(StatusCode::FORBIDDEN, code::ADMIN_OR_TOKEN, message)
            .next("Sign in as an administrator.")
    }

    pub(super) fn invalid_csrf_token() -> Self {
        Self::forbidden("Invalid CSRF token")
    }

    pub(super) fn invalid_input(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::INVALID_INPUT, message)
    }

    pub(super) fn too_many_requests(limited: Limited) -> Self {
        let message = "Too many requests, please try again later";
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self {
            retry: Some(Retry::Limited(Box::new(limited))),
            ..Self::new(status, code::TOO_MANY_REQUESTS, message)
        }
    }

    pub(super) fn internal() -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(status, code::INTERNAL, "Internal server error")
    }

    pub(super) fn unavailable() -> Self {
        let message = "Service temporarily unavailable, try again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::INTERNAL, message)
            .retry_after(Self::RETRY_AFTER)
    }

    /// What it says.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Whether the client is at fault, and trying the same again is of no use.
    pub(super) fn is_of_client(&self) -> bool {
        self.status.is_client_error() && self.retry.is_none()
    }

    /// The same, with what to do about it.
    pub(super) const fn next(mut self, actions: &'static str) -> Self {
        self.next_actions = Some(actions);
        self
    }

    /// The same, with when to come back.
    pub(super) fn retry_after(mut self, time: Duration) -> Self {
        self.retry = Some(Retry::After(time));
        self
    }

    /// The same; if it is a 401, it clears the cookie that was shown and is why. A store that is away or a missing
    /// CSRF token is no reason to sign anybody out.
    pub(super) fn clearing(mut self, shown: Option<Cookie>) -> Self {
        if self.status == StatusCode::UNAUTHORIZED {
            self.clears = shown;
        }
        self
    }
}

impl From<Unavailable> for Fault {
    fn from(error: Unavailable) -> Self {
        tracing::warn!(%error, reason = %error.source, "a request could not be answered");
        Self::unavailable()
    }
}

impl From<IssueError> for Fault {
    fn from(error: IssueError) -> Self {
        tracing::error!(%error, "no token could be made");
        Self::internal()
    }
}

impl From<Denial> for Fault {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Unauthenticated(Unauthenticated::ApiKey(_)) => Self::invalid_api_key(),
            Denial::Unauthenticated(_) => Self::invalid_token(),
            Denial::Forbidden { unmet: _ } => Self::admin_required(),
            Denial::CrossOrigin => Self::forbidden("Cross-origin request"),
            Denial::Unavailable {
                what: _,
                retry_after,
            } => Self::unavailable().retry_after(retry_after),
        }
    }
}

impl From<AdminError> for Fault {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Denied(denial) => denial.into(),
            AdminError::ForeignToken | AdminError::Key(KeyError::NotAllowed) => {
                Self::admin_required()
            }
            AdminError::Limited(limited) => Self::too_many_requests(limited),
            AdminError::KeptElsewhere(_) => Self::forbidden("Users are not managed here"),
            AdminError::NoSuchUser => Self::no_such_user(),
            AdminError::OwnAccount => Self::forbidden("You cannot remove your own account"),
            AdminError::LastAdmin => Self::forbidden("The last administrator cannot be removed"),
            AdminError::Outdated => AccountError::Outdated.into(),
            AdminError::Account(error) => error.into(),
            // Nothing about sessions, keys or the gateway is asked for here.
            AdminError::NoSuchSession | AdminError::Key(_) | AdminError::Gateway(_) => {
                Self::unavailable()
            }
            AdminError::Untold(error) | AdminError::Unavailable(error) => error.into(),
        }
    }
}

impl From<AccountError> for Fault {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::SignUpClosed => Self::new(
                StatusCode::FORBIDDEN,
                code::SIGN_UP_DISABLED,
                "User signups are disabled for this project.",
            ),
            AccountError::NoMail => Self::forbidden("No email is sent from here"),
            AccountError::DomainNotAllowed => {
                Self::forbidden("Addresses of this domain may not sign up")
            }
            AccountError::Disabled => Self::forbidden("Account is disabled"),
            // Not 401: the session holds, and the clients would refresh it.
            AccountError::WrongPassword => Self::forbidden("Wrong password"),
            AccountError::NotFresh => Self::forbidden("Sign in again first"),
            AccountError::EmailTaken | AccountError::UsernameTaken => Self::new(
                StatusCode::CONFLICT,
                code::EMAIL_EXISTS,
                "User already exists",
            ),
            AccountError::Outdated => Self::new(
                StatusCode::CONFLICT,
                code::INVALID_INPUT,
                "The account was changed meanwhile, try again",
            ),
            AccountError::Weak(weak) => Self::invalid_input(weak.to_string()),
            AccountError::Unverifiable(hash) => Self::invalid_input(hash.to_string()),
            AccountError::InvalidCode => {
                Self::invalid_input("Invalid or expired verification code")
            }
            AccountError::Gone => Self::user_not_found(),
            AccountError::Limited(limited) => Self::too_many_requests(limited),
            AccountError::Busy => Self::unavailable(),
            AccountError::Unavailable(error) => error.into(),
            AccountError::Issue(error) => error.into(),
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = Body {
            error: self.error,
            message: &self.message,
            status_code: self.status.as_u16(),
            next_actions: self.next_actions,
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(cookie) = self.clears {
            headers.append(header::SET_COOKIE, cookie.clear());
        }
        match &self.retry {
            Some(Retry::After(time)) => {
                headers.insert(header::RETRY_AFTER, time.as_secs().max(1).into());
            }
            Some(Retry::Limited(limited)) => rate_limit::add(headers, limited, Form::Sixth),
            None => {}
        }
        response
    }
}
