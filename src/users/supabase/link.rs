//! The way to the project: what is asked and with which key, so many questions at once, for so long, and
//! none while it fails.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, InvalidHeaderValue, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::json;
use tokio::sync::Semaphore;
use url::Url;

use super::breaker::Breaker;
use super::{Config, NAME, Table};
use crate::clock::{SharedClock, Timestamp};
use crate::id::UserId;
use crate::outbound::{Answer, Limits, Outbound, is_secure};
use crate::secret::SecretText;
use crate::trust::{Trust, TrustError};
use crate::unavailable::Unavailable;
use crate::user::Email;
use crate::users::directory::DirectoryError;

/// The longest answer. A user with their identities has a few KiB.
const MAX_BYTES: usize = 256 * 1024;

/// The version of GoTrue's API whose errors have codes in `code`.
const API_VERSION: &str = "2024-01-01";

/// A question.
#[derive(Clone, Copy)]
pub(super) enum Ask<'a> {
    /// Is this the password of that user?
    Password {
        email: &'a Email,
        password: &'a SecretText,
    },
    /// Which row has this user?
    Row {
        user: UserId,
        table: &'a Table,
        key: Key<'a>,
    },
    /// What is known of this user?
    User(UserId),
    /// End the session of this token.
    SignOut(&'a SecretText),
    /// Are you there?
    Health,
}

/// Whose rights count.
#[derive(Clone, Copy)]
pub(super) enum Key<'a> {
    Anon,
    Service,
    Token(&'a SecretText),
}

/// An answer that is neither a failure of the project nor a request to come later.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

/// Asks the project.
#[derive(Clone, Debug)]
pub(super) struct Link(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    outbound: Outbound,
    base: String,
    anon_key: SecretText,
    service_key: Option<SecretText>,
    breaker: Breaker,
    desks: Semaphore,
    /// The longest wait for one of the desks.
    patience: Duration,
    clock: SharedClock,
}

impl Link {
    pub(super) fn new(config: &Config, clock: SharedClock) -> Result<Self, TrustError> {
        let tls = match is_secure(&config.url) {
            Some(true) => config.trust.client_config()?,
            Some(false) | None => Trust::nobody().client_config()?,
        };
        let limits = Limits {
            time: config.timeout,
            bytes: MAX_BYTES,
            idle_connections: config.max_concurrent,
        };
        Ok(Self(Arc::new(Shared {
            outbound: Outbound::new(tls, limits),
            base: base(&config.url),
            anon_key: config.anon_key.clone(),
            service_key: config.service_key.clone(),
            breaker: Breaker::new(clock.clone()),
            desks: Semaphore::new(config.max_concurrent.clamp(1, Semaphore::MAX_PERMITS)),
            patience: config.timeout,
            clock,
        })))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(super) fn has_service_key(&self) -> bool {
        self.0.service_key.is_some()
    }

    /// Asks, and tells the breaker what came of it: an answer that blames us or our user is one.
    pub(super) async fn ask(&self, ask: Ask<'_>) -> Result<Reply, DirectoryError> {
        let shared = &*self.0;
        let desk = tokio::time::timeout(shared.patience, shared.desks.acquire()).await;
        let _desk = desk
            .or(Err(DirectoryError::Busy))?
            .or(Err(DirectoryError::Busy))?;
        let question = shared.question(ask).map_err(away)?;
        let leave = shared.breaker.leave().map_err(away)?;
        let answer = match shared.outbound.ask(question).await {
            Ok(answer) if answer.status.is_server_error() => {
                leave.failed();
                return Err(away(format!("status {}", answer.status)));
            }
            Ok(answer) => answer,
            Err(error) => {
                leave.failed();
                return Err(away(error));
            }
        };
        leave.succeeded();
        judge(answer)
    }

    /// Ends a session of the project, beside what goes on. It would end by itself; that this one cannot
    /// be ended now is worth a line and no more.
    pub(super) fn end_session(&self, token: SecretText) {
        let link = self.clone();
        tokio::spawn(async move {
            if let Err(error) = link.ask(Ask::SignOut(&token)).await {
                tracing::warn!(%error, "a session of the Supabase project was left open");
            }
        });
    }
}

fn judge(answer: Answer) -> Result<Reply, DirectoryError> {
    if answer.status == StatusCode::TOO_MANY_REQUESTS {
        tracing::warn!("the Supabase project limits how often it is asked");
        return Err(DirectoryError::Limited);
    }
    Ok(Reply {
        status: answer.status,
        body: answer.body,
    })
}

fn away(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> DirectoryError {
    Unavailable::new(NAME, reason).into()
}

/// The URL without the `/` at its end.
fn base(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// A question that cannot be put: an address or key that no header or URL may hold.
#[derive(Debug, thiserror::Error)]
enum BadQuestion {
    #[error(transparent)]
    Http(#[from] http::Error),
    #[error("a key or name that no header may hold")]
    Header(#[from] InvalidHeaderValue),
    #[error("no service key")]
    NoServiceKey,
}

impl Shared {
    fn question(&self, ask: Ask<'_>) -> Result<Request<Full<Bytes>>, BadQuestion> {
        let base = &self.base;
        let (method, url, key) = match ask {
            Ask::Password { .. } => (
                Method::POST,
                format!("{base}/auth/v1/token?grant_type=password"),
                Key::Anon,
            ),
            Ask::Row { user, table, key } => (
                Method::GET,
                // More than one is as wrong as none, and shows so.
                format!("{base}/rest/v1/{}?id=eq.{user}&limit=2", table.name),
                key,
            ),
            Ask::User(user) => (
                Method::GET,
                format!("{base}/auth/v1/admin/users/{user}"),
                Key::Service,
            ),
            Ask::SignOut(token) => (
                Method::POST,
                format!("{base}/auth/v1/logout?scope=local"),
                Key::Token(token),
            ),
            Ask::Health => (Method::GET, format!("{base}/auth/v1/health"), Key::Anon),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .body(Full::new(body(ask)))?;
        *request.headers_mut() = self.headers(ask, key)?;
        Ok(request)
    }

    fn headers(&self, ask: Ask<'_>, key: Key<'_>) -> Result<HeaderMap, BadQuestion> {
        let service_key = || self.service_key.as_ref().ok_or(BadQuestion::NoServiceKey);
        let (api_key, bearer) = match key {
            Key::Anon => (&self.anon_key, &self.anon_key),
            Key::Service => (service_key()?, service_key()?),
            Key::Token(token) => (&self.anon_key, token),
        };
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("apikey"), secret(api_key.expose())?);
        let bearer = zeroize::Zeroizing::new(format!("Bearer {}", bearer.expose()));
        headers.insert(AUTHORIZATION, secret(&bearer)?);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static("doorward"));
        let version = HeaderName::from_static("x-supabase-api-version");
        headers.insert(version, HeaderValue::from_static(API_VERSION));
        match ask {
            Ask::Row { table, .. } => {
                let profile = HeaderName::from_static("accept-profile");
                headers.insert(profile, HeaderValue::from_str(&table.schema)?);
            }
            Ask::Password { .. } => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            Ask::User(_) | Ask::SignOut(_) | Ask::Health => {}
        }
        Ok(headers)
    }
}

fn secret(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    Ok(value)
}

fn body(ask: Ask<'_>) -> Bytes {
    match ask {
        Ask::Password { email, password } => {
            let body = json!({ "email": email.as_str(), "password": password.expose() });
            body.to_string().into()
        }
        Ask::Row { .. } | Ask::User(_) | Ask::SignOut(_) | Ask::Health => Bytes::new(),
    }
}
