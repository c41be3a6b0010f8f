//! Finds a cookie in the `Cookie` headers (RFC 6265 §5.4). What it means is for others to say.

use http::{HeaderMap, header};

/// A cookie as a request shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShownCookie<'a> {
    /// It is not there.
    Absent,
    /// It is there once, and this is its value; not empty, printable ASCII.
    Once(&'a str),
    /// It is there twice, or empty, or holds bytes that no cookie of ours has.
    Ambiguous,
}

/// Looks for the cookie `name`; HTTP/2 may spread the cookies over several headers (RFC 9113 §8.2.3).
///
/// Bytes that are no text in the cookies of others are no concern of ours. A cookie of ours that is
/// there but empty is not "absent": something or somebody has tampered with it.
pub fn find<'a>(headers: &'a HeaderMap, name: &str) -> ShownCookie<'a> {
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let mut values = pairs.filter_map(|pair| value_of(pair, name));
    match (values.next(), values.next()) {
        (None, _) => ShownCookie::Absent,
        (Some(value), None) => readable(value).map_or(ShownCookie::Ambiguous, ShownCookie::Once),
        (Some(_), Some(_)) => ShownCookie::Ambiguous,
    }
}

/// The value of a pair that is of this name; a name without `=` counts as one with nothing after it.
fn value_of<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut halves = pair.splitn(2, |byte| *byte == b'=');
    let found = halves.next()?.trim_ascii();
    (found == name.as_bytes()).then(|| halves.next().unwrap_or_default().trim_ascii())
}

fn readable(value: &[u8]) -> Option<&str> {
    let is_printable = !value.is_empty() && value.iter().all(u8::is_ascii_graphic);
    is_printable.then(|| std::str::from_utf8(value).ok())?
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_cookie_is_found_once_or_not_at_all() {
        use ShownCookie::*;
        let check = |lines: &[&[u8]], expected: ShownCookie<'_>| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
            }
            assert_eq!(find(&headers, "__Host-s"), expected, "{lines:?}");
        };
        check(&[], Absent);
        check(&[b""], Absent);
        check(&[b"a=1; b=2"], Absent);
        check(&[b"a=__Host-s=1; x__Host-s=1; __host-s=1"], Absent);
        check(&[b"__Host-s=abc"], Once("abc"));
        check(&[b"a=1;__Host-s=abc;b=2"], Once("abc"));
        check(&[b"a=1", b"__Host-s=a=b=="], Once("a=b=="));
        check(&[b"a=\xff\xfe; __Host-s=abc"], Once("abc"));
        check(&[b"__Host-s=a; __Host-s=a"], Ambiguous);
        check(&[b"__Host-s=a", b"__Host-s=b"], Ambiguous);
        check(&[b"__Host-s=a; __Host-s = b"], Ambiguous);
        check(&[b"__Host-s="], Ambiguous);
        check(&[b"__Host-s"], Ambiguous);
        check(&[b"__Host-s=a b"], Ambiguous);
        check(&[b"__Host-s=\xff"], Ambiguous);
    }
}
