//! `POST refresh`: by the body for programs, by the cookie for browsers.

use axum::extract::State as FromState;
use axum::response::Response;
use http::request::Parts;
use serde::Deserialize;

use super::State;
use super::body::OptionalJsonBody;
use super::error::ApiError;
use super::tokens::hand_out;
use crate::auth::tokens::form::Form;
use crate::request::RequestOrigin;
use crate::request::cookie::ShownCookie;
use crate::secret::SecretText;
use crate::session::ClientKind;
use crate::wire::context::RequestContext;
use crate::wire::cookie::Cookie;

#[derive(Default, Deserialize)]
pub(super) struct Body {
    refresh_token: Option<SecretText>,
}

/// Moves a session on to new tokens.
pub(super) async fn refresh(
    FromState(auth): FromState<State>,
    context: RequestContext,
    parts: Parts,
    OptionalJsonBody(body): OptionalJsonBody<Body>,
) -> Result<Response, ApiError> {
    let (client, text) = match (&body.refresh_token, Cookie::REFRESH.find(&parts.headers)) {
        (Some(text), _) => (ClientKind::Native, text.expose()),
        (None, ShownCookie::Once(text)) => (ClientKind::Web, text),
        (None, ShownCookie::Absent | ShownCookie::Ambiguous) => {
            return Err(ApiError::SessionEnded);
        }
    };
    let found = auth.session_of(text).await?;
    // A token that was stolen out of a cookie is not good in a body, nor the other way round.
    let Some(shown) = found.filter(|shown| shown.session().client == client) else {
        return Err(ApiError::SessionEnded);
    };
    if client == ClientKind::Web {
        let head = context.head(&parts);
        let allowed = match auth.origin(&head) {
            RequestOrigin::Same => true,
            RequestOrigin::Untold => auth.shows_csrf_token(&head, Some(shown.session().id)),
            RequestOrigin::Cross => false,
        };
        if !allowed {
            return Err(ApiError::Forbidden(
                "cross_origin",
                "Refresh from a page of this site.",
            ));
        }
    }
    let caller = context.caller(&parts.headers);
    let refreshed = auth.refresh(&shown, &Form::OWN, &caller).await?;
    hand_out(&auth, refreshed)
}
