//! `POST /logout` and `POST /admin/logout`: ending the session, and not only forgetting its tokens.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::header;

use super::answer::logged_out;
use super::call::{Bearer, Call};
use super::csrf;
use super::entrance::Entrance;
use super::fault::Fault;
use super::fields::Fields;
use crate::auth::{Auth, Denial};
use crate::id::SessionId;
use crate::request::cookie::ShownCookie;
use crate::session::ClientKind;

pub(super) async fn user(
    State(auth): State<Arc<Auth>>,
    call: Call,
    fields: Fields,
) -> Result<Response, Fault> {
    match call.client() {
        ClientKind::Web => by_cookie(&auth, &call, &Entrance::USER).await,
        ClientKind::Native => by_body(&auth, &call, fields).await,
    }
}

pub(super) async fn admin(State(auth): State<Arc<Auth>>, call: Call) -> Result<Response, Fault> {
    by_cookie(&auth, &call, &Entrance::ADMIN).await
}

/// A cookie that holds asks for the CSRF token; one that does not is cleared without a question.
async fn by_cookie(auth: &Auth, call: &Call, entrance: &Entrance) -> Result<Response, Fault> {
    let headers = &call.parts.headers;
    let found = match entrance.cookie.find(headers) {
        ShownCookie::Once(text) => auth.session_of(text).await?,
        ShownCookie::Absent | ShownCookie::Ambiguous => None,
    };
    match found.filter(|shown| shown.session().kind == entrance.kind) {
        Some(shown) => {
            csrf::check(auth, headers, shown.session()).await?;
            auth.sign_out(shown.session().id, &call.caller()).await?;
        }
        None => end_bearer(auth, call).await?,
    }
    let mut response = logged_out();
    let cleared = entrance.shown_cookie(call).map(|cookie| cookie.clear());
    let cleared = cleared.map(|cookie| (header::SET_COOKIE, cookie));
    response.headers_mut().extend(cleared);
    Ok(response)
}

/// A program shows its access token, or the refresh token that it holds, or both.
async fn by_body(auth: &Auth, call: &Call, mut fields: Fields) -> Result<Response, Fault> {
    let camel = fields.optional("refreshToken");
    let snake = fields.optional("refresh_token");
    if let Some(text) = camel.or(snake)
        && let Some(shown) = auth.session_of(&text).await?
        && shown.session().kind == Entrance::USER.kind
    {
        auth.sign_out(shown.session().id, &call.caller()).await?;
    }
    end_bearer(auth, call).await?;
    Ok(logged_out())
}

/// No page of another site can add a Bearer token, so it needs no CSRF token beside it.
async fn end_bearer(auth: &Auth, call: &Call) -> Result<(), Fault> {
    if let Some(session) = bearer_session(auth, call)? {
        auth.sign_out(session, &call.caller()).await?;
    }
    Ok(())
}

/// A stale token does no harm: there is nothing left to end.
fn bearer_session(auth: &Auth, call: &Call) -> Result<Option<SessionId>, Fault> {
    let Bearer::Token(token) = call.bearer() else {
        return Ok(None);
    };
    match auth.identify_token(token) {
        Ok(identity) => Ok(identity.session),
        Err(away @ Denial::Unavailable { .. }) => Err(away.into()),
        Err(Denial::Unauthenticated(_) | Denial::Forbidden { .. } | Denial::CrossOrigin) => {
            Ok(None)
        }
    }
}
