//! Who the client is, when proxies of ours stand before us.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

use crate::net::Networks;

/// The one header that is read. `Forwarded` (RFC 7239) is not: hardly a proxy writes it, and one that
/// writes the former passes the latter on as the client made it up. Reading both would let strangers
/// choose which of the two counts.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client: `peer`, or what our own proxies say of who came to them.
///
/// Each proxy appends the address of its peer, so the list is read from the right for as long as the
/// writer is one of `trusted`; everything further left may be made up. A malformed entry ends the
/// reading, and the last good address counts. Always in canonical form: never `::ffff:1.2.3.4`.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &Networks) -> IpAddr {
    let mut client = peer.to_canonical();
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    // A line that is no text is an entry that cannot be read, not one that can be passed over.
    let mut entries = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    while trusted.contains(client) {
        let Some(address) = entries.next().and_then(parse_entry) else {
            break;
        };
        client = address;
    }
    client
}

/// An address, perhaps with a port, as some balancers write it; IPv6 perhaps in brackets.
fn parse_entry(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let bare = entry
        .strip_prefix('[')
        .and_then(|entry| entry.strip_suffix(']'))
        .unwrap_or(entry);
    let address = bare.parse::<IpAddr>().ok();
    let address = address.or_else(|| Some(entry.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(peer: &str, lines: &[&[u8]], expected: &str) {
        let trusted = Networks::new(vec![
            "10.0.0.0/8".parse().unwrap(),
            "fd00::/8".parse().unwrap(),
        ]);
        let mut headers = HeaderMap::new();
        headers.insert("forwarded", HeaderValue::from_static("for=6.6.6.6"));
        headers.insert("x-real-ip", HeaderValue::from_static("6.6.6.6"));
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(line).unwrap());
        }
        let client = client_address(peer.parse().unwrap(), &headers, &trusted);
        assert_eq!(client.to_string(), expected, "{peer} {lines:?}");
    }

    #[test]
    fn a_stranger_is_who_the_connection_says() {
        check("1.1.1.1", &[], "1.1.1.1");
        check("1.1.1.1", &[b"10.0.0.1"], "1.1.1.1");
        check("192.168.0.1", &[b"2.2.2.2"], "192.168.0.1");
        check("::ffff:1.1.1.1", &[b"2.2.2.2"], "1.1.1.1");
    }

    #[test]
    fn our_proxies_say_who_came_to_them() {
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &[b"2.2.2.2"], "2.2.2.2");
        check("::ffff:10.0.0.1", &[b"::ffff:2.2.2.2"], "2.2.2.2");
        check("10.0.0.1", &[b"2.2.2.2, 10.0.0.9"], "2.2.2.2");
        check("10.0.0.1", &[b"2.2.2.2", b"10.0.0.9 ,fd00::1"], "2.2.2.2");
        check("10.0.0.1", &[b"10.0.0.7,10.0.0.8"], "10.0.0.7");
        check("10.0.0.1", &[b"2.2.2.2:4711"], "2.2.2.2");
        check("10.0.0.1", &[b"[2001:db8::1]:4711"], "2001:db8::1");
        check("10.0.0.1", &[b"[2001:db8::1]"], "2001:db8::1");
    }

    #[test]
    fn what_strangers_wrote_further_left_does_not_count() {
        check("10.0.0.1", &[b"6.6.6.6, 2.2.2.2"], "2.2.2.2");
        check("10.0.0.1", &[b"10.0.0.5", b"2.2.2.2"], "2.2.2.2");
        check("10.0.0.1", &[b"6.6.6.6, junk, 10.0.0.9"], "10.0.0.9");
        check("10.0.0.1", &[b"6.6.6.6, , 10.0.0.9"], "10.0.0.9");
        check("10.0.0.1", &[b"6.6.6.6", b""], "10.0.0.1");
        check("10.0.0.1", &[b"6.6.6.6", b"\xff"], "10.0.0.1");
        check("10.0.0.1", &[b"6.6.6.6, unknown"], "10.0.0.1");
        check("10.0.0.1", &[b"6.6.6.6, 010.0.0.1"], "10.0.0.1");
    }
}
