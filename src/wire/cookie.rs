//! Cookies that we set: built so that a browser keeps them, and clears them, as meant.
//!
//! Every one is `Secure` and `HttpOnly`, and none has a `Domain`, so no other host sees it. How a
//! cookie is found in a request, [`request::cookie`](crate::request::cookie) knows.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use crate::request::cookie::{self, ShownCookie};
use crate::secret::SecretText;

/// When a browser sends a cookie along with a request that a page of another site made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Never.
    Strict,
    /// With a page load by a link.
    Lax,
    /// Always.
    None,
}

impl SameSite {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

/// How long a browser keeps a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieLife {
    /// This long, in whole seconds.
    For(Duration),
    /// Until it is closed.
    Browser,
}

/// A cookie of ours: all of it but the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie {
    name: &'static str,
    path: &'static str,
    same_site: SameSite,
}

/// Why a value does not go into a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CookieError {
    /// A byte that is no `cookie-octet` (RFC 6265 §4.1.1).
    #[error("holds a character that cookies cannot have")]
    Character,
    /// Browsers drop such a cookie without a word.
    #[error("name and value are longer than {} bytes together", Cookie::MAX_BYTES)]
    TooLong,
}

impl Cookie {
    /// The session cookie: an access token. `Lax`, so that a link from elsewhere finds its reader
    /// signed in.
    pub const SESSION: Self = Self::new("__Host-doorward", "/", SameSite::Lax);

    /// The refresh cookie, seen by the login API alone; no link leads there, hence `Strict`.
    pub const REFRESH: Self = Self::new(
        "__Secure-doorward-refresh",
        "/.doorward/api",
        SameSite::Strict,
    );

    /// The longest name and value together that all browsers keep, in bytes (RFC 6265 §6.1).
    pub const MAX_BYTES: usize = 4096;

    /// A cookie of this name, for this path and what is below it.
    ///
    /// # Panics
    ///
    /// Where a browser would drop the cookie: `__Host-` with another path than `/`, or a name or path
    /// with characters that have no place there. In a constant it does not compile.
    pub const fn new(name: &'static str, path: &'static str, same_site: SameSite) -> Self {
        assert!(!name.is_empty() && is_plain(name.as_bytes()));
        assert!(is_plain(path.as_bytes()) && matches!(path.as_bytes(), [b'/', ..]));
        let is_root = matches!(path.as_bytes(), [b'/']);
        assert!(is_root || !is_host_prefixed(name.as_bytes()));
        Self {
            name,
            path,
            same_site,
        }
    }

    /// Its name, prefix and all.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The `Set-Cookie` value that sets it.
    pub fn set(&self, value: &SecretText, life: CookieLife) -> Result<HeaderValue, CookieError> {
        let value = value.expose();
        if !value.bytes().all(is_cookie_octet) {
            return Err(CookieError::Character);
        }
        if self.name.len().saturating_add(value.len()) > Self::MAX_BYTES {
            return Err(CookieError::TooLong);
        }
        self.header(value, life)
    }

    /// The `Set-Cookie` value that clears it. All attributes are those with which it was set: without
    /// `Secure` and `Path=/` a browser would ignore it for a `__Host-` name and keep the cookie.
    pub fn clear(&self) -> HeaderValue {
        let cleared = self.header("", CookieLife::For(Duration::ZERO));
        // `new` has looked at everything that is in it.
        cleared.unwrap_or_else(|_: CookieError| HeaderValue::from_static(""))
    }

    /// The cookie as a request shows it.
    pub fn find<'a>(&self, headers: &'a HeaderMap) -> ShownCookie<'a> {
        cookie::find(headers, self.name)
    }

    /// Those of `cookies` that a request with these headers shows, in whatever state: the ones that an
    /// answer to it may clear. A request that shows none may come from anywhere.
    pub fn shown(cookies: &[Self], headers: &HeaderMap) -> Vec<Self> {
        let is_shown = |cookie: &&Self| match cookie.find(headers) {
            ShownCookie::Once(_) | ShownCookie::Ambiguous => true,
            ShownCookie::Absent => false,
        };
        cookies.iter().filter(is_shown).copied().collect()
    }

    fn header(&self, value: &str, life: CookieLife) -> Result<HeaderValue, CookieError> {
        let Self { name, path, .. } = self;
        let age = match life {
            CookieLife::For(span) => format!("; Max-Age={}", whole_seconds(span)),
            CookieLife::Browser => String::new(),
        };
        let same_site = self.same_site.as_str();
        let text =
            format!("{name}={value}; Path={path}{age}; HttpOnly; Secure; SameSite={same_site}");
        let mut header = HeaderValue::try_from(text).or(Err(CookieError::Character))?;
        header.set_sensitive(true);
        Ok(header)
    }
}

/// Rounded up, as a part of the span has passed already when its cookie is written.
fn whole_seconds(span: Duration) -> u64 {
    span.as_secs()
        .saturating_add(u64::from(span.subsec_nanos() > 0))
}

/// `cookie-octet` of RFC 6265 §4.1.1.
fn is_cookie_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}

/// Whether it is printable and free of what separates the parts of a `Set-Cookie`.
const fn is_plain(mut bytes: &[u8]) -> bool {
    while let [byte, rest @ ..] = bytes {
        if !byte.is_ascii_graphic() || matches!(*byte, b';' | b',' | b'=' | b'"' | b'\\') {
            return false;
        }
        bytes = rest;
    }
    true
}

/// Browsers heed the prefix in any letter case.
const fn is_host_prefixed(name: &[u8]) -> bool {
    match name {
        [b'_', b'_', h, o, s, t, b'-', ..] => [*h, *o, *s, *t].eq_ignore_ascii_case(b"host"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_cleared_with_the_attributes_it_was_set_with() {
        let check = |cookie: Cookie, attributes: &str| {
            let name = cookie.name();
            let set = cookie
                .set(
                    &"a.b-c".into(),
                    CookieLife::For(Duration::from_millis(899_001)),
                )
                .unwrap();
            let expected = format!("{name}=a.b-c; {}", attributes.replace('N', "900"));
            assert_eq!(set, expected);
            let expected = format!("{name}=; {}", attributes.replace('N', "0"));
            assert_eq!(cookie.clear(), expected);
            assert!(set.is_sensitive());
            let set = cookie.set(&"a.b-c".into(), CookieLife::Browser).unwrap();
            let expected = format!("{name}=a.b-c; {}", attributes.replace("Max-Age=N; ", ""));
            assert_eq!(set, expected);
        };
        check(
            Cookie::SESSION,
            "Path=/; Max-Age=N; HttpOnly; Secure; SameSite=Lax",
        );
        check(
            Cookie::REFRESH,
            "Path=/.doorward/api; Max-Age=N; HttpOnly; Secure; SameSite=Strict",
        );
    }

    #[test]
    fn no_value_adds_an_attribute_or_is_dropped_unnoticed() {
        let set = |value: &str| {
            Cookie::SESSION
                .set(&value.into(), CookieLife::Browser)
                .err()
        };
        for bad in ["a; Domain=evil", "a b", "a\r\nx", "é", "a\"", "a,b", "a\\"] {
            assert_eq!(set(bad), Some(CookieError::Character), "{bad:?}");
        }
        let longest = Cookie::MAX_BYTES - Cookie::SESSION.name().len();
        assert_eq!(set(&"a".repeat(longest)), None);
        assert_eq!(set(&"a".repeat(longest + 1)), Some(CookieError::TooLong));
    }

    #[test]
    fn a_host_cookie_belongs_to_the_whole_host() {
        let refused = |name: &'static str, path: &'static str| {
            std::panic::catch_unwind(|| Cookie::new(name, path, SameSite::Lax)).is_err()
        };
        assert!(!refused("__Host-a", "/"));
        assert!(!refused("a", "/api"));
        assert!(refused("__Host-a", "/api"));
        assert!(refused("__hOST-a", "/api"));
        assert!(refused("a", "api"));
        assert!(refused("a", "/; Domain=evil"));
        assert!(refused("a b", "/"));
        assert!(refused("", "/"));
    }

    #[test]
    fn a_cookie_finds_itself_in_a_request() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "cookie",
            HeaderValue::from_static("a=1; __Host-doorward=abc"),
        );
        assert_eq!(Cookie::SESSION.find(&headers), ShownCookie::Once("abc"));
        assert_eq!(Cookie::REFRESH.find(&headers), ShownCookie::Absent);
    }
}
