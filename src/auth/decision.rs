//! Whether a request may pass: from its credential and what its route asks for to a yes or a [`Denial`].
//!
//! Whom a credential speaks for, a [`Witness`] says: the running gateway out of its memory, `doorward explain`
//! out of the stores. All else is decided here, for both.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::UPGRADE;

use super::{Denial, Unauthenticated};
use crate::id::SessionId;
use crate::identity::Identity;
use crate::policy::{Facts, Requirement, Unmet};
use crate::request::{Credential, RequestHead, RequestOrigin};
use crate::token::TokenError;

/// Says what a request alone does not tell.
pub trait Witness {
    /// Who a token or an API key behind `Bearer` speaks for.
    fn bearer(&self, text: &str, client: IpAddr) -> Result<Arc<Identity>, Denial>;

    /// Who an API key in the header for them speaks for.
    fn key(&self, text: &str, client: IpAddr) -> Result<Arc<Identity>, Denial>;

    /// Who a token in the session cookie speaks for. Never an API key: a cookie goes wherever a browser
    /// is sent, a key only where it is shown.
    fn cookie(&self, token: &str) -> Result<Arc<Identity>, Denial>;

    /// Where the request was made, beside the public origin of the gateway.
    fn origin(&self, head: &RequestHead<'_>) -> RequestOrigin;

    /// Whether the request shows the CSRF token of this session, once.
    fn shows_csrf_token(&self, head: &RequestHead<'_>, session: Option<SessionId>) -> bool;
}

/// Who calls, if the request may pass; nobody on a public route.
pub fn decide<W: Witness>(
    witness: &W,
    head: &RequestHead<'_>,
    shown: Credential<'_>,
    requirement: &Requirement,
) -> Result<Option<Arc<Identity>>, Denial> {
    let identity = match shown {
        // Not ours to judge: a public service may have its own scheme.
        Credential::Foreign if !requirement.asks_for_identity() => None,
        Credential::Cookie(token) if !requirement.asks_for_identity() => {
            identity_of_visitor(witness, head, token)?
        }
        credential => identity_of(witness, head, credential)?,
    };
    let facts = Facts {
        identity: identity.as_deref(),
        client: head.client,
        method: head.method,
    };
    match requirement.judge(&facts) {
        Ok(()) => Ok(identity),
        Err(Unmet::NotSignedIn) => Err(Denial::Unauthenticated(Unauthenticated::NoCredential)),
        Err(Unmet::Rule(unmet)) => Err(Denial::Forbidden { unmet }),
    }
}

/// A credential that is there counts, good or bad: a bad one is a refusal, never "anonymous".
pub(super) fn identity_of<W: Witness>(
    witness: &W,
    head: &RequestHead<'_>,
    credential: Credential<'_>,
) -> Result<Option<Arc<Identity>>, Denial> {
    match credential {
        Credential::Absent => Ok(None),
        Credential::Bearer(text) => witness.bearer(text, head.client).map(Some),
        Credential::Key(text) => witness.key(text, head.client).map(Some),
        Credential::Cookie(token) => {
            let identity = witness.cookie(token)?;
            refuse_foreign_page(witness, head, &identity)?;
            Ok(Some(identity))
        }
        Credential::Foreign => Err(Denial::Unauthenticated(Unauthenticated::ForeignScheme)),
        Credential::Ambiguous => Err(Denial::Unauthenticated(Unauthenticated::Ambiguous)),
    }
}

/// A cookie that goes when the browser is closed may be older than the token in it. One with an
/// age would be gone by then, and its sender a visitor like any other.
fn identity_of_visitor<W: Witness>(
    witness: &W,
    head: &RequestHead<'_>,
    token: &str,
) -> Result<Option<Arc<Identity>>, Denial> {
    match identity_of(witness, head, Credential::Cookie(token)) {
        Err(Denial::Unauthenticated(Unauthenticated::Token(TokenError::Expired))) => Ok(None),
        other => other,
    }
}

/// A browser sends the cookie along whichever page asks. What changes something must come from a
/// page of this origin; a client that says nothing of the page shows the CSRF token instead.
fn refuse_foreign_page<W: Witness>(
    witness: &W,
    head: &RequestHead<'_>,
    identity: &Identity,
) -> Result<(), Denial> {
    // A WebSocket begins with a GET, but whoever opens it can do all that it allows.
    let harmless = head.is_safe_method() && !head.headers.contains_key(UPGRADE);
    let allowed = match witness.origin(head) {
        RequestOrigin::Same => true,
        RequestOrigin::Cross => harmless,
        RequestOrigin::Untold => harmless || witness.shows_csrf_token(head, identity.session),
    };
    if allowed {
        Ok(())
    } else {
        Err(Denial::CrossOrigin)
    }
}
