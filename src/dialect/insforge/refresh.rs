//! `POST /refresh` and `POST /admin/refresh`: moving a session on to new tokens.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::answer::opened;
use super::call::Call;
use super::csrf;
use super::entrance::Entrance;
use super::fault::Fault;
use super::fields::Fields;
use crate::auth::{Auth, RefreshError, ShownToken, SignedIn};
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

/// A 401 clears the cookie that was shown: it will not become good again.
async fn by_cookie(auth: &Auth, call: &Call, entrance: &Entrance) -> Result<Response, Fault> {
    let refreshed = refresh_cookie(auth, call, entrance).await;
    let shown = entrance.shown_cookie(call);
    let signed_in = refreshed.map_err(|fault| fault.clearing(shown))?;
    opened(auth, &signed_in, (entrance, ClientKind::Web))
}

async fn refresh_cookie(auth: &Auth, call: &Call, entrance: &Entrance) -> Result<SignedIn, Fault> {
    let headers = &call.parts.headers;
    let text = match entrance.cookie.find(headers) {
        ShownCookie::Absent => return Err(entrance.no_refresh_token()),
        ShownCookie::Ambiguous => return Err(Fault::invalid_refresh_token()),
        ShownCookie::Once(text) => text,
    };
    let shown = find(auth, text, entrance).await?;
    csrf::check(auth, headers, shown.session()).await?;
    move_on(auth, call, &shown).await
}

/// Both spellings of the field are in use, by different versions of the same client.
async fn by_body(auth: &Auth, call: &Call, mut fields: Fields) -> Result<Response, Fault> {
    let entrance = &Entrance::USER;
    let camel = fields.optional("refreshToken");
    let snake = fields.optional("refresh_token");
    if !fields.is_sound() {
        return Err(fields.fault());
    }
    let text = camel.or(snake).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| entrance.no_refresh_token())?;
    let shown = find(auth, &text, entrance).await?;
    let signed_in = move_on(auth, call, &shown).await?;
    opened(auth, &signed_in, (entrance, ClientKind::Native))
}

/// The session of a refresh token, if it was opened at this entrance.
async fn find(auth: &Auth, text: &str, entrance: &Entrance) -> Result<ShownToken, Fault> {
    let found = auth.session_of(text).await?;
    let shown = found.ok_or_else(Fault::invalid_refresh_token)?;
    if shown.session().kind == entrance.kind {
        Ok(shown)
    } else {
        Err(entrance.wrong_kind())
    }
}

async fn move_on(auth: &Auth, call: &Call, shown: &ShownToken) -> Result<SignedIn, Fault> {
    let refreshed = auth.refresh(shown, &call.form, &call.caller()).await;
    refreshed.map_err(|error| match error {
        RefreshError::Gone | RefreshError::Reused => Fault::invalid_refresh_token(),
        RefreshError::UserGone => Fault::user_not_found(),
        RefreshError::Limited(limited) => Fault::too_many_requests(limited),
        RefreshError::Unavailable(error) => error.into(),
        RefreshError::Issue(error) => error.into(),
    })
}
