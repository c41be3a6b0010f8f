//! What was found out about a request before an endpoint of ours gets it.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderMap, StatusCode};

use crate::auth::Caller;
use crate::id::RequestId;
use crate::path::NormalPath;
use crate::request::RequestHead;

/// A request's head as it was judged, kept in the request's extensions on the way to an endpoint.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// Names the request in all logs.
    pub request_id: RequestId,
    /// The client, by the trusted-proxy rule.
    pub client: IpAddr,
    /// The host in its one spelling.
    pub host: Box<str>,
    /// The path in its one spelling.
    pub path: NormalPath,
}

impl RequestContext {
    /// What is kept of a user agent, in bytes: enough to tell one's own devices apart.
    const USER_AGENT_BYTES: usize = 256;

    /// The context of the request with this head.
    pub fn of(head: &RequestHead<'_>, request_id: RequestId) -> Self {
        Self {
            request_id,
            client: head.client,
            host: head.host.clone(),
            path: head.path.clone(),
        }
    }

    /// The head again, as the core judges it.
    pub fn head<'a>(&self, parts: &'a Parts) -> RequestHead<'a> {
        RequestHead {
            method: &parts.method,
            host: self.host.clone(),
            path: self.path.clone(),
            client: self.client,
            headers: &parts.headers,
        }
    }

    /// Who asks, for the audit log and the list of sessions.
    pub fn caller(&self, headers: &HeaderMap) -> Caller {
        let agent = headers
            .get(USER_AGENT)
            .and_then(|agent| agent.to_str().ok())
            .unwrap_or("");
        Caller {
            address: self.client,
            user_agent: agent.chars().take(Self::USER_AGENT_BYTES).collect(),
            request_id: self.request_id,
        }
    }
}

/// An endpoint that is reached past the gate has no context: a mistake of ours, told as such.
impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
