//! A call to an endpoint: what its head says that matters here.

use std::borrow::Cow;

use axum::extract::{FromRef, FromRequestParts};
use http::HeaderMap;
use http::request::Parts;
use url::form_urlencoded;

use super::fault::Fault;
use crate::auth::account::sign_in_code::Opening;
use crate::auth::tokens::form::Form;
use crate::auth::{Auth, Caller};
use crate::request::{Credential, RequestHead};
use crate::session::{ClientKind, Persistence};
use crate::wire::context::RequestContext;

/// The head of a call.
#[derive(Debug)]
pub(super) struct Call {
    context: RequestContext,
    pub(super) parts: Parts,
    /// How access tokens are made here.
    pub(super) form: Form,
}

/// The Bearer token of a call. This dialect looks for a token nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bearer<'a> {
    Absent,
    Token(&'a str),
    Unreadable,
}

impl Call {
    /// Who asks, for the audit log and the list of sessions.
    pub(super) fn caller(&self) -> Caller {
        self.context.caller(&self.parts.headers)
    }

    /// How the client keeps its refresh token, by `client_type`. Whatever is not known is a browser:
    /// then the token goes where scripts cannot read it.
    pub(super) fn client(&self) -> ClientKind {
        match self.query("client_type").as_deref() {
            Some("mobile" | "desktop" | "server") => ClientKind::Native,
            Some(_) | None => ClientKind::Web,
        }
    }

    /// The first value of a parameter in the query.
    pub(super) fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        let query = self.parts.uri.query().unwrap_or_default();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// A session that this call asks for; as there is no "remember me", one that stays.
    pub(super) fn opening(&self) -> Opening {
        Opening {
            client: self.client(),
            persistence: Persistence::Persistent,
            form: self.form.clone(),
            caller: self.caller(),
        }
    }

    /// The head of this call, as if it had these headers alone.
    pub(super) fn head_with<'a>(&'a self, headers: &'a HeaderMap) -> RequestHead<'a> {
        RequestHead {
            headers,
            ..self.context.head(&self.parts)
        }
    }

    pub(super) fn bearer(&self) -> Bearer<'_> {
        let head = self.context.head(&self.parts);
        // The borrow of a header outlives the head that it was found through.
        match head.credential(Auth::SESSION_COOKIE) {
            Credential::Bearer(token) => Bearer::Token(token),
            Credential::Absent
            | Credential::Key(_)
            | Credential::Cookie(_)
            | Credential::Foreign => Bearer::Absent,
            Credential::Ambiguous => Bearer::Unreadable,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Call
where
    Form: FromRef<S>,
{
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let context = RequestContext::from_request_parts(parts, state).await;
        Ok(Self {
            context: context.map_err(|_no_context| Fault::internal())?,
            parts: parts.clone(),
            form: Form::from_ref(state),
        })
    }
}
