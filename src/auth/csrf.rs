//! CSRF tokens: values that follow from a session, so that nothing has to be stored for them.

use super::Auth;
use super::tokens::Tokens;
use crate::id::SessionId;
use crate::request::RequestHead;

/// The header in which a page shows the CSRF token.
pub(super) const CSRF_HEADER: &str = "x-csrf-token";

impl Auth {
    /// The CSRF token of a session: lower-case hex, 64 characters.
    pub fn csrf_token(&self, session: SessionId) -> Option<String> {
        self.csrf_value(&message(session))
    }

    /// A value for `message`, lower-case hex, that only this gateway can derive.
    pub fn csrf_value(&self, message: &str) -> Option<String> {
        self.parts.tokens.session_signer().derive(message)
    }

    /// Whether `value` is the one for `message`.
    pub fn csrf_matches(&self, message: &str, value: &str) -> bool {
        self.parts.tokens.session_signer().derived(message, value)
    }

    /// Whether the request shows the CSRF token of this session, once.
    pub fn shows_csrf_token(&self, head: &RequestHead<'_>, session: Option<SessionId>) -> bool {
        is_shown(&self.parts.tokens, head, session)
    }
}

/// Whether the request shows the CSRF token that the key ring behind `tokens` makes for this session, once.
pub fn is_shown(tokens: &Tokens, head: &RequestHead<'_>, session: Option<SessionId>) -> bool {
    let mut shown = head.headers.get_all(CSRF_HEADER).iter();
    match (shown.next(), shown.next(), session) {
        (Some(value), None, Some(session)) => value.to_str().is_ok_and(|value| {
            let signer = tokens.session_signer();
            signer.derived(&message(session), value)
        }),
        _absent_repeated_or_no_session => false,
    }
}

fn message(session: SessionId) -> String {
    format!("doorward:csrf:v1:{session}")
}
