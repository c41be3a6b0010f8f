//! The host of a request or of a route in its one spelling.

use std::net::Ipv6Addr;

/// Why a text is not a host, or not a host and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Nothing, or a label of nothing (`a..b`).
    #[error("is empty, or has an empty label")]
    Empty,
    /// More than 253 bytes, or a label of more than 63 (RFC 1035 §2.3.4).
    #[error("is longer than a host name can be")]
    TooLong,
    /// `user@host`.
    #[error("names a user")]
    UserInfo,
    /// A character that host names do not have; of another script, it must come in punycode.
    #[error("holds {0:?}, which no host name has")]
    Character(char),
    /// What follows the colon is not a port.
    #[error("has a malformed port")]
    Port,
    /// Brackets around something else than an IPv6 address.
    #[error("has brackets around something else than an IPv6 address")]
    Brackets,
}

/// A host in its one spelling, and the port beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Lower case, without trailing dot; an IPv6 address in brackets.
    pub host: Box<str>,
    /// The port, where one is given.
    pub port: Option<u16>,
}

impl Authority {
    /// Reads `host` or `host:port`, as in `Host` (RFC 9110 §7.2) and `:authority`.
    ///
    /// A port of no digits, which RFC 3986 §3.2.3 has, is refused: nobody sends it by accident.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if text.contains('@') {
            return Err(HostError::UserInfo);
        }
        let (host, port) = split_port(text)?;
        Ok(Self {
            host: parse_host(host)?,
            port: port.map(parse_port).transpose()?,
        })
    }
}

/// Reads a host without a port: lower case, trailing dot dropped, an IPv6 address in brackets.
pub fn parse_host(text: &str) -> Result<Box<str>, HostError> {
    const MAX_BYTES: usize = 253;
    const MAX_LABEL_BYTES: usize = 63;
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or(HostError::Brackets)?;
        let address: Ipv6Addr = inner.parse().or(Err(HostError::Brackets))?;
        return Ok(format!("[{address}]").into());
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if let Some(bad) = name.chars().find(|c| !is_host_character(*c)) {
        return Err(HostError::Character(bad));
    }
    if name.split('.').any(str::is_empty) {
        return Err(HostError::Empty);
    }
    if name.len() > MAX_BYTES || name.split('.').any(|label| label.len() > MAX_LABEL_BYTES) {
        return Err(HostError::TooLong);
    }
    Ok(name.to_ascii_lowercase().into())
}

/// Letters, digits and hyphens; the underscore because names of containers have it.
fn is_host_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

/// Cuts at the colon before the port; the colons of an IPv6 address are inside its brackets.
fn split_port(text: &str) -> Result<(&str, Option<&str>), HostError> {
    if !text.starts_with('[') {
        return Ok(match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        });
    }
    match text.rsplit_once(']') {
        Some((_, "")) => Ok((text, None)),
        Some((_, after)) => {
            let port = after.strip_prefix(':').ok_or(HostError::Brackets)?;
            let host = text.strip_suffix(after).ok_or(HostError::Brackets)?;
            Ok((host, Some(port)))
        }
        None => Err(HostError::Brackets),
    }
}

/// Digits alone: `u16::from_str` would take `+80` too.
fn parse_port(digits: &str) -> Result<u16, HostError> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(HostError::Port);
    }
    digits.parse().or(Err(HostError::Port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_spelling() {
        let check = |text: &str, expected: Result<(&str, Option<u16>), HostError>| {
            let parsed = Authority::parse(text);
            let parsed = parsed.as_ref().map(|a| (&*a.host, a.port));
            assert_eq!(parsed.map_err(|e| *e), expected, "{text:?}");
        };
        check("Example.COM", Ok(("example.com", None)));
        check("example.com.:8443", Ok(("example.com", Some(8443))));
        check("my_service:80", Ok(("my_service", Some(80))));
        check("127.0.0.1:80", Ok(("127.0.0.1", Some(80))));
        check("[::1]", Ok(("[::1]", None)));
        check("[0:0::0:1]:443", Ok(("[::1]", Some(443))));
        check("[FE80::A]:443", Ok(("[fe80::a]", Some(443))));
        check("", Err(HostError::Empty));
        check(".", Err(HostError::Empty));
        check(":80", Err(HostError::Empty));
        check("a..b", Err(HostError::Empty));
        check("a..", Err(HostError::Empty));
        check("a:", Err(HostError::Port));
        check("a:+80", Err(HostError::Port));
        check("a:65536", Err(HostError::Port));
        check("a:80:80", Err(HostError::Port));
        check("::1", Err(HostError::Empty));
        check("[::1", Err(HostError::Brackets));
        check("[::1]80", Err(HostError::Brackets));
        check("[1.2.3.4]", Err(HostError::Brackets));
        check("[fe80::1%25eth0]", Err(HostError::Brackets));
        check("good@evil", Err(HostError::UserInfo));
        check("good, evil", Err(HostError::Character(',')));
        check("evil%2ecom", Err(HostError::Character('%')));
        check("evil/x", Err(HostError::Character('/')));
        check("bücher.example", Err(HostError::Character('ü')));
        check(&"a".repeat(64), Err(HostError::TooLong));
        let longest = ["a"; 127].join(".");
        check(&longest, Ok((&longest, None)));
        check(&"a.".repeat(128), Err(HostError::TooLong));
    }
}
