//! The credential that a request shows.

use http::{HeaderName, HeaderValue, header};

use super::RequestHead;
use super::cookie::{self, ShownCookie};

/// The credential that a request shows. Credentials are looked for in a fixed order, and the first
/// that is there counts, good or bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential<'a> {
    /// None.
    Absent,
    /// `Authorization: Bearer …` (RFC 6750 §2.1); the unverified token.
    Bearer(&'a str),
    /// The header for API keys; the unverified key.
    Key(&'a str),
    /// The session cookie; the unverified token in it.
    Cookie(&'a str),
    /// An `Authorization` of another scheme: nothing of ours.
    Foreign,
    /// Two `Authorization` headers, one beside a header for API keys, two session cookies, an empty one, bytes that are no text:
    /// nobody's guess.
    Ambiguous,
}

impl<'a> RequestHead<'a> {
    /// The credential of this request: `Authorization` before the session cookie `cookie_name`.
    ///
    /// A token in the query (RFC 6750 §2.3) is never looked at: queries end up in logs.
    pub fn credential(&self, cookie_name: &str) -> Credential<'a> {
        self.credential_with(cookie_name, None)
    }

    /// The same where API keys are also welcome in the header `key_header`. That and `Authorization` in
    /// one request is a guess which of them counts, even where they say the same.
    pub fn credential_with(
        &self,
        cookie_name: &str,
        key_header: Option<&HeaderName>,
    ) -> Credential<'a> {
        let mut keys = key_header.map(|name| self.headers.get_all(name).iter());
        let mut next_key = || keys.as_mut().and_then(Iterator::next);
        match (next_key(), next_key()) {
            (None, _) => self.usual_credential(cookie_name),
            (Some(line), None) if !self.headers.contains_key(header::AUTHORIZATION) => key(line),
            (Some(_), _) => Credential::Ambiguous,
        }
    }

    /// The same where clients may show a token or a key in the header `also`, and once more behind
    /// `Bearer`. Two that differ, or one beside `key_header`, are a guess.
    pub fn credential_also_in(
        &self,
        cookie_name: &str,
        key_header: Option<&HeaderName>,
        also: &HeaderName,
    ) -> Credential<'a> {
        if !self.headers.contains_key(also) {
            return self.credential_with(cookie_name, key_header);
        }
        if key_header.is_some_and(|usual| usual != also && self.headers.contains_key(usual)) {
            return Credential::Ambiguous;
        }
        self.credential_twice(also)
    }

    /// The token or key in the header `name`; `Authorization`, where it is there as well, says the same.
    fn credential_twice(&self, name: &HeaderName) -> Credential<'a> {
        let mut lines = self.headers.get_all(name).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else {
            return Credential::Ambiguous;
        };
        let Credential::Key(text) = key(line) else {
            return Credential::Ambiguous;
        };
        let mut others = self.headers.get_all(header::AUTHORIZATION).iter();
        match (others.next().map(authorization), others.next()) {
            (None, None) => Credential::Bearer(text),
            (Some(Credential::Bearer(same)), None) if same == text => Credential::Bearer(text),
            (Some(_), _) | (None, Some(_)) => Credential::Ambiguous,
        }
    }

    fn usual_credential(&self, cookie_name: &str) -> Credential<'a> {
        let mut lines = self.headers.get_all(header::AUTHORIZATION).iter();
        match (lines.next(), lines.next()) {
            (Some(line), None) => authorization(line),
            (Some(_), Some(_)) => Credential::Ambiguous,
            (None, _) => match cookie::find(self.headers, cookie_name) {
                ShownCookie::Absent => Credential::Absent,
                ShownCookie::Once(value) => Credential::Cookie(value),
                ShownCookie::Ambiguous => Credential::Ambiguous,
            },
        }
    }
}

/// Reads the value of a header for API keys, which has no scheme.
fn key(line: &HeaderValue) -> Credential<'_> {
    match line.to_str() {
        Ok(text) if !text.is_empty() && text.bytes().all(is_token_byte) => Credential::Key(text),
        Ok(_) | Err(_) => Credential::Ambiguous,
    }
}

/// Reads `scheme SP token`; the scheme in any letter case (RFC 9110 §11.1).
fn authorization(line: &HeaderValue) -> Credential<'_> {
    let Some(text) = text(line) else {
        return Credential::Ambiguous;
    };
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if scheme.is_empty() || scheme.contains(['\t', ',']) {
        return Credential::Ambiguous;
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Credential::Foreign;
    }
    let token = token.trim_matches(' ');
    if token.is_empty() || !is_token(token) {
        return Credential::Ambiguous;
    }
    Credential::Bearer(token)
}

/// The same as [`HeaderValue::to_str`], which takes byte by byte: a token is long, and this line is
/// read for every request.
fn text(line: &HeaderValue) -> Option<&str> {
    let text = std::str::from_utf8(line.as_bytes()).ok()?;
    text.is_ascii().then_some(text)
}

/// Looks at all of it, bad or good, so that many bytes are taken at once.
fn is_token(text: &str) -> bool {
    text.bytes()
        .fold(true, |so_far, byte| so_far & is_token_byte(byte))
}

/// `b64token` of RFC 6750 §2.1; white space or a comma would make it two.
///
/// Comparisons and nothing else: a `matches!` becomes a table of bits, which no vector unit takes.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a branch for each byte would be the opposite"
)]
const fn is_token_byte(byte: u8) -> bool {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    // From `-` to `9`: that is `-`, `.`, `/` and the digits.
    let is_digit_or_so = byte.wrapping_sub(b'-') <= b'9' - b'-';
    let is_other = (byte == b'_') | (byte == b'~') | (byte == b'+') | (byte == b'=');
    is_letter | is_digit_or_so | is_other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_token_are_those_of_the_standard() {
        for byte in 0..=u8::MAX {
            let is_one = byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
            assert_eq!(is_token_byte(byte), is_one, "{byte}");
        }
    }
}
