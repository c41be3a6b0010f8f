//! Who is calling, as headers: what a claim does not say is no header at all.

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::IdentityHeaders;
use super::values::Values;
use crate::id::TEXT_LENGTH;
use crate::identity::Identity;

/// What is percent-encoded: all that is no visible ASCII character (a name may be `Zoë`, and no claim
/// ends a line), and the percent sign, so that the encoding can be undone.
const TEXT: &AsciiSet = &CONTROLS.add(b' ').add(b'%');
/// In a list also the comma: a role `user,admin` of some other issuer is one role.
const ITEM: &AsciiSet = &TEXT.add(b',');

/// Sets the identity headers; the client's own copies are gone by now.
pub(super) fn set(
    headers: &mut HeaderMap,
    names: &IdentityHeaders,
    identity: &Identity,
    values: &mut Values,
) {
    let IdentityHeaders {
        subject,
        email,
        roles,
        session,
    } = names;
    put(headers, subject, values.join(encoded(&identity.subject)));
    if let Some(address) = &identity.email {
        put(headers, email, values.join(encoded(address)));
    }
    put(headers, roles, values.join(list(&identity.roles)));
    if let Some(id) = identity.session {
        let mut text = [0; TEXT_LENGTH];
        put(headers, session, values.join([id.encode(&mut text)]));
    }
}

fn encoded(text: &str) -> impl Iterator<Item = &str> {
    utf8_percent_encode(text, TEXT)
}

fn list(items: &[Box<str>]) -> impl Iterator<Item = &str> {
    let items = items.iter().enumerate();
    items.flat_map(|(place, item)| {
        let comma = (place > 0).then_some(",");
        comma.into_iter().chain(utf8_percent_encode(item, ITEM))
    })
}

fn put(headers: &mut HeaderMap, name: &HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        headers.insert(name.clone(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_claim_can_end_a_line_or_a_role() {
        let check = |text: &str, expected: &str| {
            assert_eq!(encoded(text).collect::<String>(), expected, "{text:?}");
        };
        check("john@example.com", "john@example.com");
        check("a\r\nx-admin: 1", "a%0D%0Ax-admin:%201");
        check("Zoë 100%", "Zo%C3%AB%20100%25");
        check("\0\u{7f}", "%00%7F");
        assert_eq!(
            list(&["user,admin".into(), "a b".into()]).collect::<String>(),
            "user%2Cadmin,a%20b"
        );
        assert_eq!(list(&[]).count(), 0);
    }
}
