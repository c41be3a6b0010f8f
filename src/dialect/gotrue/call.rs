//! A call to an endpoint: what its head says that matters here.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use http::request::Parts;
use url::form_urlencoded;

use super::fault::Fault;
use crate::auth::{Auth, Caller};
use crate::request::Credential;
use crate::wire::context::RequestContext;

/// The head of a call.
#[derive(Debug)]
pub(in crate::dialect) struct Call {
    context: RequestContext,
    parts: Parts,
}

/// The Bearer token of a call; these clients show none in another place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dialect) enum Shown<'a> {
    Nothing,
    Token(&'a str),
}

impl Call {
    /// Who asks, for the audit log and the list of sessions.
    pub(in crate::dialect) fn caller(&self) -> Caller {
        self.context.caller(&self.parts.headers)
    }

    /// The first value of a parameter in the query.
    pub(in crate::dialect) fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        let query = self.parts.uri.query().unwrap_or_default();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub(in crate::dialect) fn shown(&self) -> Shown<'_> {
        let head = self.context.head(&self.parts);
        match head.credential(Auth::SESSION_COOKIE) {
            Credential::Bearer(token) => Shown::Token(token),
            Credential::Absent
            | Credential::Key(_)
            | Credential::Cookie(_)
            | Credential::Foreign
            | Credential::Ambiguous => Shown::Nothing,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let context = RequestContext::from_request_parts(parts, state).await;
        Ok(Self {
            context: context.map_err(|_no_context| Fault::internal())?,
            parts: parts.clone(),
        })
    }
}
