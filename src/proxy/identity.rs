//! Who is calling, as headers: what a claim does not say is no header at all.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::IdentityHeaders;
use crate::identity::Identity;

/// What is percent-encoded: all that is no visible ASCII character (a name may be `Zoë`, and no claim
/// ends a line), and the percent sign, so that the encoding can be undone.
const TEXT: &AsciiSet = &CONTROLS.add(b' ').add(b'%');
/// In a list also the comma: a role `user,admin` of some other issuer is one role.
const ITEM: &AsciiSet = &TEXT.add(b',');

/// Sets the identity headers; the client's own copies are gone by now.
pub(super) fn set(headers: &mut HeaderMap, names: &IdentityHeaders, identity: &Identity) {
    let IdentityHeaders {
        subject,
        email,
        roles,
        session,
    } = names;
    put(headers, subject, &encoded(&identity.subject));
    if let Some(address) = &identity.email {
        put(headers, email, &encoded(address));
    }
    put(headers, roles, &list(&identity.roles));
    if let Some(id) = identity.session {
        put(headers, session, &id.to_string());
    }
}

/// Borrowed where there is nothing to encode, as in most texts.
fn encoded(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, TEXT).into()
}

fn list(items: &[Box<str>]) -> Cow<'_, str> {
    let mut items = items.iter().map(|item| utf8_percent_encode(item, ITEM));
    let first = items.next().map(Cow::from).unwrap_or_default();
    items.fold(first, |mut list, item| {
        let text = list.to_mut();
        text.push(',');
        text.extend(item);
        list
    })
}

fn put(headers: &mut HeaderMap, name: &HeaderName, text: &str) {
    // What was encoded is always a header value.
    if let (false, Ok(value)) = (text.is_empty(), HeaderValue::from_str(text)) {
        headers.insert(name.clone(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_claim_can_end_a_line_or_a_role() {
        let check = |text: &str, expected: &str| assert_eq!(encoded(text), expected, "{text:?}");
        check("john@example.com", "john@example.com");
        check("a\r\nx-admin: 1", "a%0D%0Ax-admin:%201");
        check("Zoë 100%", "Zo%C3%AB%20100%25");
        check("\0\u{7f}", "%00%7F");
        assert_eq!(
            list(&["user,admin".into(), "a b".into()]),
            "user%2Cadmin,a%20b"
        );
        assert_eq!(list(&[]), "");
    }
}
