//! Our own cookies taken out of a request, all others left as they were.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// The names of our own cookies.
#[derive(Debug)]
pub(super) struct OwnCookies(Vec<String>);

impl OwnCookies {
    pub(super) const fn new(names: Vec<String>) -> Self {
        Self(names)
    }

    /// Takes our cookies out.
    pub(super) fn remove_from(&self, headers: &mut HeaderMap) {
        let ours = headers
            .get_all(COOKIE)
            .iter()
            .any(|value| self.any_in(value));
        if ours {
            let others = headers.get_all(COOKIE).iter();
            let others = others.flat_map(pairs).filter(|pair| !self.own(pair));
            set(headers, &joined(others));
        }
    }

    fn any_in(&self, value: &HeaderValue) -> bool {
        pairs(value).any(|pair| self.own(pair))
    }

    fn own(&self, pair: &[u8]) -> bool {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or(pair);
        let name = name.trim_ascii();
        self.0.iter().any(|own| own.as_bytes() == name)
    }
}

/// Makes one field of several, into which HTTP/2 may split its cookies (RFC 9113 §8.2.3): HTTP/1.1
/// servers expect one.
pub(super) fn join(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_some() {
        let all = joined(headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes));
        set(headers, &all);
    }
}

fn pairs(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    let pairs = value.as_bytes().split(|byte| *byte == b';');
    pairs
        .map(<[u8]>::trim_ascii)
        .filter(|pair| !pair.is_empty())
}

fn joined<'a>(pairs: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    pairs.collect::<Vec<_>>().join(&b"; "[..])
}

fn set(headers: &mut HeaderMap, cookies: &[u8]) {
    headers.remove(COOKIE);
    // Parts of header values are a header value.
    if let (false, Ok(value)) = (cookies.is_empty(), HeaderValue::from_bytes(cookies)) {
        headers.insert(COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(fields: &[&str]) -> Vec<String> {
        let own = OwnCookies::new(vec!["__Host-doorward".into(), "__Secure-refresh".into()]);
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(COOKIE, HeaderValue::from_bytes(field.as_bytes()).unwrap());
        }
        own.remove_from(&mut headers);
        join(&mut headers);
        let text = |value: &HeaderValue| String::from_utf8(value.as_bytes().to_vec()).unwrap();
        headers.get_all(COOKIE).iter().map(text).collect()
    }

    #[test]
    fn our_cookies_go_and_others_stay_as_they_were() {
        let check = |fields: &[&str], expected: &[&str]| {
            assert_eq!(after(fields), expected, "{fields:?}");
        };
        check(&[], &[]);
        check(&["a=1;b=\"2 ; \";  c"], &["a=1;b=\"2 ; \";  c"]);
        check(&["__Host-doorward=t"], &[]);
        check(&["a=1; __Host-doorward=t; b=2"], &["a=1; b=2"]);
        check(&["a=1;__Host-doorward =t;b=ü"], &["a=1; b=ü"]);
        check(&["__Host-doorward", "a=1"], &["a=1"]);
        check(
            &["a=1", "__Secure-refresh=r; b=2", "c=3"],
            &["a=1; b=2; c=3"],
        );
        check(&["a=1", "b=2"], &["a=1; b=2"]);
        check(&["x__Host-doorward=t"], &["x__Host-doorward=t"]);
    }
}
