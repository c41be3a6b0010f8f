//! `POST sign-in` and `POST admin/sign-in`.

use axum::extract::State as FromState;
use axum::response::Response;
use http::request::Parts;
use serde::Deserialize;

use super::State;
use super::body::JsonBody;
use super::error::ApiError;
use super::tokens::hand_out;
use crate::auth::account::sign_in_code::Opening;
use crate::auth::tokens::form::Form;
use crate::auth::{Auth, SignIn};
use crate::request::RequestOrigin;
use crate::secret::SecretText;
use crate::session::{ClientKind, Persistence, SessionKind};
use crate::wire::context::RequestContext;

/// Whether the client is a browser, which keeps its tokens in cookies.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Client {
    /// It is.
    #[default]
    Web,
    /// It is a program.
    Native,
}

#[derive(Deserialize)]
pub(super) struct Body {
    #[serde(alias = "email", alias = "username")]
    login: String,
    password: SecretText,
    #[serde(flatten)]
    client: ClientFields,
}

/// For whom a session is opened: a part of several bodies.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct ClientFields {
    #[serde(default)]
    client: Client,
    /// "Remember me": whether a browser keeps the session when it is closed.
    #[serde(default)]
    remember: bool,
}

/// A program keeps its tokens itself, whatever it is told.
const fn persistence(client: ClientKind, remember: bool) -> Persistence {
    match client {
        ClientKind::Web if !remember => Persistence::Browser,
        ClientKind::Web | ClientKind::Native => Persistence::Persistent,
    }
}

/// Signs a user in.
pub(super) async fn user(
    state: FromState<State>,
    context: RequestContext,
    parts: Parts,
    body: JsonBody<Body>,
) -> Result<Response, ApiError> {
    sign_in(SessionKind::User, state, (context, parts), body).await
}

/// Signs an administrator in, and nobody else.
pub(super) async fn admin(
    state: FromState<State>,
    context: RequestContext,
    parts: Parts,
    body: JsonBody<Body>,
) -> Result<Response, ApiError> {
    sign_in(SessionKind::Admin, state, (context, parts), body).await
}

async fn sign_in(
    entrance: SessionKind,
    FromState(auth): FromState<State>,
    (context, parts): (RequestContext, Parts),
    JsonBody(body): JsonBody<Body>,
) -> Result<Response, ApiError> {
    let opening = opening(&auth, (&context, &parts), body.client)?;
    let attempt = SignIn {
        login: body.login,
        password: body.password,
        entrance,
        client: opening.client,
        persistence: opening.persistence,
        form: opening.form,
        caller: opening.caller,
    };
    let signed_in = auth.sign_in(attempt).await?;
    hand_out(&auth, signed_in)
}

/// The session that is asked for. A page of somebody else gets none: it could sign its visitor in to
/// the account of its author.
pub(super) fn opening(
    auth: &Auth,
    (context, parts): (&RequestContext, &Parts),
    fields: ClientFields,
) -> Result<Opening, ApiError> {
    let client = match fields.client {
        Client::Web => ClientKind::Web,
        Client::Native => ClientKind::Native,
    };
    if client == ClientKind::Web && auth.origin(&context.head(parts)) == RequestOrigin::Cross {
        return Err(ApiError::Forbidden(
            "cross_origin",
            "Sign in from a page of this site.",
        ));
    }
    Ok(Opening {
        client,
        persistence: persistence(client, fields.remember),
        form: Form::OWN,
        caller: context.caller(&parts.headers),
    })
}
