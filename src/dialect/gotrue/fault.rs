//! What goes wrong, by the codes of GoTrue, and how it gets its words.
//!
//! An endpoint answers with a [`Fault`]; the layer around all endpoints of a dialect lets that dialect
//! word it, as two of them look at the request for it.

use std::borrow::Cow;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::auth::{
    AccountError, Denial, IssueError, LimitError, RefreshError, SignInError, Unauthenticated,
};
use crate::limit::{Limited, Purpose};
use crate::token::TokenError;
use crate::unavailable::Unavailable;
use crate::wire::rate_limit::{self, Form};

/// Words for programs, from the list that the clients know.
pub(in crate::dialect) mod code {
    pub(crate) const ANONYMOUS_PROVIDER_DISABLED: &str = "anonymous_provider_disabled";
    pub(crate) const BAD_JSON: &str = "bad_json";
    pub(crate) const BAD_JWT: &str = "bad_jwt";
    pub(crate) const CONFLICT: &str = "conflict";
    pub(crate) const EMAIL_ADDRESS_NOT_AUTHORIZED: &str = "email_address_not_authorized";
    pub(crate) const EMAIL_EXISTS: &str = "email_exists";
    pub(crate) const EMAIL_NOT_CONFIRMED: &str = "email_not_confirmed";
    pub(crate) const EMAIL_PROVIDER_DISABLED: &str = "email_provider_disabled";
    pub(crate) const FLOW_STATE_NOT_FOUND: &str = "flow_state_not_found";
    pub(crate) const INVALID_CREDENTIALS: &str = "invalid_credentials";
    pub(crate) const MAIL_RATE_LIMIT: &str = "over_email_send_rate_limit";
    pub(crate) const MANUAL_LINKING_DISABLED: &str = "manual_linking_disabled";
    pub(crate) const MFA_ENROLL_DISABLED: &str = "mfa_totp_enroll_not_enabled";
    pub(crate) const NOT_ADMIN: &str = "not_admin";
    pub(crate) const NOT_FOUND: &str = "not_found";
    pub(crate) const NO_AUTHORIZATION: &str = "no_authorization";
    pub(crate) const OTP_EXPIRED: &str = "otp_expired";
    pub(crate) const PHONE_PROVIDER_DISABLED: &str = "phone_provider_disabled";
    pub(crate) const PROVIDER_DISABLED: &str = "provider_disabled";
    pub(crate) const RATE_LIMIT: &str = "over_request_rate_limit";
    pub(crate) const REAUTHENTICATION_NEEDED: &str = "reauthentication_needed";
    pub(crate) const REAUTHENTICATION_NOT_VALID: &str = "reauthentication_not_valid";
    pub(crate) const REFRESH_TOKEN_ALREADY_USED: &str = "refresh_token_already_used";
    pub(crate) const REFRESH_TOKEN_NOT_FOUND: &str = "refresh_token_not_found";
    pub(crate) const SAML_PROVIDER_DISABLED: &str = "saml_provider_disabled";
    pub(crate) const SESSION_NOT_FOUND: &str = "session_not_found";
    pub(crate) const SIGNUP_DISABLED: &str = "signup_disabled";
    pub(crate) const UNEXPECTED_FAILURE: &str = "unexpected_failure";
    pub(crate) const USER_ALREADY_EXISTS: &str = "user_already_exists";
    pub(crate) const USER_BANNED: &str = "user_banned";
    pub(crate) const USER_NOT_FOUND: &str = "user_not_found";
    pub(crate) const VALIDATION_FAILED: &str = "validation_failed";
    pub(crate) const WEAK_PASSWORD: &str = "weak_password";
    pub(crate) const WEB3_PROVIDER_DISABLED: &str = "web3_provider_disabled";
}

/// How a dialect words a fault, to a client with these headers.
pub(in crate::dialect) type Render = fn(&Fault, &HeaderMap) -> Response;

/// A request that did not succeed, on its way to the client.
#[derive(Clone, Debug)]
pub(in crate::dialect) struct Fault {
    pub(in crate::dialect) status: StatusCode,
    pub(in crate::dialect) code: &'static str,
    pub(in crate::dialect) message: Cow<'static, str>,
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

impl Fault {
    /// When to come back after a 503.
    const RETRY_AFTER: Duration = Duration::from_secs(2);

    pub(in crate::dialect) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry: None,
        }
    }

    pub(in crate::dialect) fn bad_request(
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(in crate::dialect) fn unprocessable(
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    pub(in crate::dialect) fn invalid_credentials() -> Self {
        Self::bad_request(code::INVALID_CREDENTIALS, "Invalid login credentials")
    }

    /// Something about the body, or the query.
    pub(in crate::dialect) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::bad_request(code::VALIDATION_FAILED, message)
    }

    /// Nobody has a telephone here.
    pub(in crate::dialect) fn no_phone(message: &'static str) -> Self {
        Self::bad_request(code::PHONE_PROVIDER_DISABLED, message)
    }

    pub(in crate::dialect) fn no_authorization() -> Self {
        let message = "This endpoint requires a valid Bearer token";
        Self::new(StatusCode::UNAUTHORIZED, code::NO_AUTHORIZATION, message)
    }

    pub(in crate::dialect) fn bad_jwt() -> Self {
        let message = "invalid JWT: unable to parse or verify signature, token is unverifiable";
        Self::new(StatusCode::FORBIDDEN, code::BAD_JWT, message)
    }

    pub(in crate::dialect) fn session_not_found() -> Self {
        let message = "Session from session_id claim in JWT does not exist";
        Self::new(StatusCode::FORBIDDEN, code::SESSION_NOT_FOUND, message)
    }

    pub(in crate::dialect) fn user_not_found() -> Self {
        let message = "User from sub claim in JWT does not exist";
        Self::new(StatusCode::FORBIDDEN, code::USER_NOT_FOUND, message)
    }

    pub(in crate::dialect) fn user_banned() -> Self {
        Self::new(StatusCode::FORBIDDEN, code::USER_BANNED, "User is banned")
    }

    pub(in crate::dialect) fn not_admin() -> Self {
        Self::new(StatusCode::FORBIDDEN, code::NOT_ADMIN, "User not allowed")
    }

    pub(in crate::dialect) fn refresh_token_not_found() -> Self {
        let message = "Invalid Refresh Token: Refresh Token Not Found";
        Self::bad_request(code::REFRESH_TOKEN_NOT_FOUND, message)
    }

    pub(in crate::dialect) fn conflict() -> Self {
        let message = "Too many concurrent changes, please retry";
        Self::new(StatusCode::CONFLICT, code::CONFLICT, message)
    }

    /// Mails are limited under a code of their own.
    pub(in crate::dialect) fn too_many_requests(limited: Limited) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let fault = if limited.purpose == Purpose::Reset {
            let seconds = rate_limit::whole_seconds(limited.retry_after);
            let message = format!(
                "For security purposes, you can only request this after {seconds} seconds."
            );
            Self::new(status, code::MAIL_RATE_LIMIT, message)
        } else {
            Self::new(status, code::RATE_LIMIT, "Request rate limit reached")
        };
        Self {
            retry: Some(Retry::Limited(Box::new(limited))),
            ..fault
        }
    }

    pub(in crate::dialect) fn internal() -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(status, code::UNEXPECTED_FAILURE, "Unexpected failure")
    }

    pub(in crate::dialect) fn unavailable(retry_after: Duration) -> Self {
        let message = "Service temporarily unavailable, please retry";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self {
            retry: Some(Retry::After(retry_after)),
            ..Self::new(status, code::UNEXPECTED_FAILURE, message)
        }
    }

    /// Too many passwords are being hashed already.
    pub(in crate::dialect) fn busy() -> Self {
        Self::unavailable(Self::RETRY_AFTER)
    }

    /// Whether the same call may succeed later.
    pub(in crate::dialect) fn may_pass(&self) -> bool {
        self.retry.is_some() || self.status.is_server_error()
    }

    /// The headers that go with it whatever its words: no cache keeps it, and when to come back.
    pub(in crate::dialect) fn add_headers(&self, headers: &mut HeaderMap, form: Form) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match &self.retry {
            Some(Retry::After(time)) => {
                let seconds = rate_limit::whole_seconds(*time);
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
            Some(Retry::Limited(limited)) => rate_limit::add(headers, limited, form),
            None => {}
        }
    }
}

/// Without words as yet: the layer has the dialect find them.
impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The layer that words faults.
pub(in crate::dialect) async fn layer(
    State(render): State<Render>,
    request: Request,
    next: Next,
) -> Response {
    let asked = request.headers().clone();
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<Fault>() {
        Some(fault) => render(&fault, &asked),
        None => response,
    }
}

pub(in crate::dialect) async fn unknown_path() -> Fault {
    let message = "invalid path specified in request URL";
    Fault::new(StatusCode::NOT_FOUND, code::NOT_FOUND, message)
}

pub(in crate::dialect) async fn wrong_method() -> Fault {
    let message = "method not allowed";
    Fault::new(StatusCode::METHOD_NOT_ALLOWED, code::NOT_FOUND, message)
}

impl From<Unavailable> for Fault {
    fn from(error: Unavailable) -> Self {
        tracing::warn!(%error, reason = %error.source, "a request could not be answered");
        Self::unavailable(Self::RETRY_AFTER)
    }
}

impl From<LimitError> for Fault {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Limited(limited) => Self::too_many_requests(limited),
            LimitError::Unavailable(error) => error.into(),
        }
    }
}

impl From<IssueError> for Fault {
    fn from(error: IssueError) -> Self {
        tracing::error!(%error, "no token could be made");
        Self::internal()
    }
}

impl From<SignInError> for Fault {
    fn from(error: SignInError) -> Self {
        let refused = |code, message: &'static str| Self::bad_request(code, message);
        match error {
            SignInError::WrongCredentials => Self::invalid_credentials(),
            SignInError::Disabled => refused(code::USER_BANNED, "User is banned"),
            SignInError::EmailUnverified => {
                refused(code::EMAIL_NOT_CONFIRMED, "Email not confirmed")
            }
            SignInError::NotAdmin => Self::not_admin(),
            SignInError::NoAccount => Self::user_not_found(),
            SignInError::Limited(limited) => Self::too_many_requests(limited),
            SignInError::Busy => Self::busy(),
            SignInError::Unavailable(error) => error.into(),
            SignInError::Issue(error) => error.into(),
        }
    }
}

impl From<RefreshError> for Fault {
    fn from(error: RefreshError) -> Self {
        match error {
            // Removed with the user or the session in the original, too.
            RefreshError::Gone | RefreshError::UserGone => Self::refresh_token_not_found(),
            RefreshError::Reused => {
                let message = "Invalid Refresh Token: Already Used";
                Self::bad_request(code::REFRESH_TOKEN_ALREADY_USED, message)
            }
            RefreshError::Limited(limited) => Self::too_many_requests(limited),
            RefreshError::Unavailable(error) => error.into(),
            RefreshError::Issue(error) => error.into(),
        }
    }
}

impl From<AccountError> for Fault {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::SignUpClosed => {
                let message = "Signups not allowed for this instance";
                Self::unprocessable(code::SIGNUP_DISABLED, message)
            }
            AccountError::NoMail => {
                let message = "Email logins are disabled";
                Self::bad_request(code::EMAIL_PROVIDER_DISABLED, message)
            }
            AccountError::DomainNotAllowed => {
                let message = "Email address cannot be used as it is not authorized";
                Self::bad_request(code::EMAIL_ADDRESS_NOT_AUTHORIZED, message)
            }
            AccountError::EmailTaken | AccountError::UsernameTaken => {
                let message = "A user with this email address has already been registered";
                Self::unprocessable(code::EMAIL_EXISTS, message)
            }
            AccountError::Weak(weak) => Self::unprocessable(code::WEAK_PASSWORD, weak.to_string()),
            AccountError::Unverifiable(hash) => {
                Self::unprocessable(code::VALIDATION_FAILED, hash.to_string())
            }
            AccountError::InvalidCode => {
                let message = "Token has expired or is invalid";
                Self::new(StatusCode::FORBIDDEN, code::OTP_EXPIRED, message)
            }
            AccountError::Disabled => Self::user_banned(),
            AccountError::WrongPassword => Self::invalid_credentials(),
            AccountError::NotFresh => {
                let message = "Password update requires reauthentication.";
                Self::bad_request(code::REAUTHENTICATION_NEEDED, message)
            }
            AccountError::Gone => {
                let message = "User not found";
                Self::new(StatusCode::NOT_FOUND, code::USER_NOT_FOUND, message)
            }
            AccountError::Outdated => Self::conflict(),
            AccountError::Limited(limited) => Self::too_many_requests(limited),
            AccountError::Busy => Self::busy(),
            AccountError::Unavailable(error) => error.into(),
            AccountError::Issue(error) => error.into(),
        }
    }
}

/// Of a Bearer token. That it has run out, its holder can read in it; clients tell it apart.
impl From<Denial> for Fault {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Unauthenticated(Unauthenticated::Revoked) => Self::session_not_found(),
            Denial::Unauthenticated(Unauthenticated::Token(TokenError::Expired)) => Self {
                message: "invalid JWT: unable to parse or verify signature, token has invalid \
                          claims: token is expired"
                    .into(),
                ..Self::bad_jwt()
            },
            Denial::Unauthenticated(Unauthenticated::NoCredential) => Self::no_authorization(),
            Denial::Unauthenticated(
                Unauthenticated::Ambiguous
                | Unauthenticated::ForeignScheme
                | Unauthenticated::Token(_)
                | Unauthenticated::ApiKey(_),
            ) => Self::bad_jwt(),
            Denial::Forbidden { unmet: _ } | Denial::CrossOrigin => Self::not_admin(),
            Denial::Unavailable {
                what: _,
                retry_after,
            } => Self::unavailable(retry_after),
        }
    }
}
