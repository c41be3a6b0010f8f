//! Header names that are not the client's to choose, in every spelling.
//!
//! Many application servers turn `X_Auth_Subject` and `X-Auth-Subject` into the same variable
//! (`HTTP_X_AUTH_SUBJECT`, RFC 3875 §4.1.18), some do so for every byte that is no letter or digit. So
//! names are compared folded: without regard to case, and all such bytes taken for one.

use http::HeaderName;

use super::IdentityHeaders;

/// Belongs to one connection, not to the message (RFC 9110 §7.6.1). `Trailer` stays: it announces
/// trailers, which are passed on.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// What a client says of itself, its route or its request that some upstream might believe.
const CLAIMS_OF_CLIENTS: &[&str] = &[
    "forwarded",
    "x-real-ip",
    "x-client-ip",
    "client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
    "x-cluster-client-ip",
    "x-request-id",
    "x-host",
    "x-http-host-override",
    "x-rewrite-url",
    "x-scheme",
    "x-url-scheme",
    "front-end-https",
    // The method that was judged is the method that counts.
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    // Becomes `HTTP_PROXY` in CGI (CVE-2016-5385).
    "proxy",
    // hyper answers `100-continue` itself as soon as the body is asked for.
    "expect",
];

/// The same, by how they start.
const FAMILIES_OF_CLAIMS: &[&str] = &["x-forwarded-", "x-original-", "x-envoy-", "proxy-"];

/// A set of unwanted names.
#[derive(Debug)]
pub(super) struct Unwanted {
    names: Vec<Box<str>>,
    families: &'static [&'static str],
    /// By the folded first byte, which lengths an unwanted name can have: bit `n` stands for length `n`.
    /// Sorts nearly all names out before any text is compared.
    lengths: Vec<u64>,
}

impl Unwanted {
    /// What a client may not say to an upstream.
    pub(super) fn in_requests(identity: &IdentityHeaders) -> Self {
        let names = HOP_BY_HOP.iter().chain(CLAIMS_OF_CLIENTS).copied();
        Self::new(names.chain(names_of(identity)), FAMILIES_OF_CLAIMS)
    }

    /// What an upstream may not say to a client.
    pub(super) fn in_answers(identity: &IdentityHeaders) -> Self {
        let proxy = ["proxy-connection", "proxy-authenticate"].into_iter();
        let names = HOP_BY_HOP.iter().copied().chain(proxy);
        Self::new(names.chain(names_of(identity)), &[])
    }

    fn new<'a>(names: impl Iterator<Item = &'a str>, families: &'static [&'static str]) -> Self {
        let names: Vec<Box<str>> = names
            .map(|name| name.bytes().map(|byte| char::from(fold(byte))).collect())
            .collect();
        let mut unwanted = Self {
            lengths: vec![0; 1 << 7],
            names: Vec::new(),
            families,
        };
        for name in &names {
            unwanted.expect(name, length_bit(name));
        }
        for family in families {
            let and_longer = length_bit(family).wrapping_neg();
            unwanted.expect(family, and_longer);
        }
        Self { names, ..unwanted }
    }

    /// Notes that names which start like `name` may have these lengths.
    fn expect(&mut self, name: &str, lengths: u64) {
        let known = first_byte(name).and_then(|first| self.lengths.get_mut(first));
        if let Some(known) = known {
            *known |= lengths;
        }
    }

    /// Whether `name` is one of them, however it is spelt.
    pub(super) fn holds(&self, name: &str) -> bool {
        let lengths = first_byte(name).and_then(|first| self.lengths.get(first));
        if lengths.is_some_and(|lengths| lengths & length_bit(name) == 0) {
            return false;
        }
        let same = |known: &str| known.len() == name.len() && starts_folded(name, known);
        self.names.iter().any(|known| same(known))
            || self
                .families
                .iter()
                .any(|family| starts_folded(name, family))
    }
}

fn names_of(identity: &IdentityHeaders) -> impl Iterator<Item = &str> {
    let IdentityHeaders {
        subject,
        email,
        roles,
        session,
    } = identity;
    [subject, email, roles, session]
        .map(HeaderName::as_str)
        .into_iter()
}

/// Whether two names are the same to an upstream that folds them.
pub(super) fn same_folded(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().map(fold).eq(other.bytes().map(fold))
}

/// The first byte, folded; header names are ASCII.
fn first_byte(name: &str) -> Option<usize> {
    name.bytes().next().map(|first| usize::from(fold(first)))
}

/// The bit that stands for the length of a name; the last one, for all that is longer.
fn length_bit(name: &str) -> u64 {
    1 << name.len().min(63)
}

fn starts_folded(name: &str, folded: &str) -> bool {
    name.len() >= folded.len()
        && name
            .bytes()
            .zip(folded.bytes())
            .all(|(byte, known)| fold(byte) == known)
}

const fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() {
        byte.to_ascii_lowercase()
    } else {
        b'-'
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> IdentityHeaders {
        IdentityHeaders {
            subject: HeaderName::from_static("x-auth-subject"),
            email: HeaderName::from_static("x-auth-email"),
            roles: HeaderName::from_static("remote_roles"),
            session: HeaderName::from_static("x-auth-session"),
        }
    }

    #[test]
    fn a_name_is_unwanted_in_every_spelling() {
        let unwanted = Unwanted::in_requests(&identity());
        let check = |name: &str, expected: bool| {
            assert_eq!(unwanted.holds(name), expected, "{name}");
        };
        for name in [
            "x-auth-subject",
            "X-Auth-Subject",
            "x_auth_subject",
            "x-auth_subject",
            "x.auth.subject",
            "x~auth!subject",
            "remote-roles",
            "remote_roles",
            "x-forwarded-for",
            "x_forwarded_anything",
            "x-original-url",
            "x-rewrite-url",
            "forwarded",
            "connection",
            "proxy-authorization",
            "proxy",
            "upgrade",
        ] {
            check(name, true);
        }
        for name in [
            "x-auth-subject2",
            "x-auth",
            "xauthsubject",
            "x-api-key",
            "accept",
            "cookie",
            "content-type",
            "forwarded-not",
            "trailer",
            "_",
        ] {
            check(name, false);
        }
    }

    #[test]
    fn an_answer_keeps_its_own_headers() {
        let unwanted = Unwanted::in_answers(&identity());
        for name in ["server", "x-request-id", "proxy-status", "x-original-host"] {
            assert!(!unwanted.holds(name), "{name}");
        }
        for name in ["x-auth-email", "x_auth_email", "keep-alive", "upgrade"] {
            assert!(unwanted.holds(name), "{name}");
        }
    }
}
