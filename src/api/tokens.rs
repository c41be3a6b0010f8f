//! Handing out the tokens of a session: cookies for browsers, the body for programs.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::header::SET_COOKIE;
use serde::Serialize;

use super::describe::{SessionView, UserView};
use super::error::ApiError;
use crate::auth::{Auth, SignedIn};
use crate::secret::SecretText;
use crate::session::{ClientKind, Persistence};
use crate::wire::cookie::{Cookie, CookieLife};

#[derive(Serialize)]
struct Body<'a> {
    user: UserView,
    session: SessionView,
    /// Seconds until the access token ends.
    expires_in: u64,
    #[serde(flatten)]
    credentials: Credentials<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Credentials<'a> {
    Web {
        csrf_token: String,
    },
    Native {
        access_token: &'a str,
        token_type: &'static str,
        refresh_token: &'a str,
    },
}

/// The answer to a sign-in or a refresh, by the kind of client that the session belongs to.
pub(super) fn hand_out(auth: &Auth, signed_in: SignedIn) -> Result<Response, ApiError> {
    let SignedIn {
        session,
        user,
        access,
        refresh,
        issued_at,
    } = signed_in;
    let access_life = access.expires_at.since(issued_at);
    let body = |credentials| Body {
        session: SessionView::from(&session),
        user: UserView::of(&session, user),
        expires_in: access_life.as_secs(),
        credentials,
    };
    match session.client {
        ClientKind::Native => Ok(Json(body(Credentials::Native {
            access_token: access.text.expose(),
            token_type: "Bearer",
            refresh_token: refresh.expose(),
        }))
        .into_response()),
        ClientKind::Web => {
            let csrf_token = auth.csrf_token(session.id).ok_or(ApiError::NoToken)?;
            let refresh_life = session.expires_at.since(issued_at);
            let kept = |life| match session.persistence {
                Persistence::Browser => CookieLife::Browser,
                Persistence::Persistent => CookieLife::For(life),
            };
            let mut response = Json(body(Credentials::Web { csrf_token })).into_response();
            for (cookie, value, life) in [
                (Cookie::SESSION, &access.text, access_life),
                (Cookie::REFRESH, &refresh, refresh_life),
            ] {
                response
                    .headers_mut()
                    .append(SET_COOKIE, set(cookie, value, kept(life))?);
            }
            Ok(response)
        }
    }
}

fn set(
    cookie: Cookie,
    value: &SecretText,
    life: CookieLife,
) -> Result<http::HeaderValue, ApiError> {
    cookie.set(value, life).map_err(|error| {
        tracing::error!(%error, cookie = cookie.name(), "a token does not go into its cookie");
        ApiError::NoToken
    })
}
