//! Addresses, networks and hosts: who the client is, and whether it is one of ours.
//!
//! Which headers may say who the client is, [`request`](crate::request) knows.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

pub mod host;
pub mod one_buffer;

/// An address as it is written in logs and headers; an IPv4 address in IPv6 clothes as the IPv4 address.
///
/// As the standard library writes it, which for IPv4 goes by way of a formatter for every number: a
/// tenth of the time that the whole head of a request takes.
pub fn address_text(address: IpAddr) -> String {
    let IpAddr::V4(address) = address.to_canonical() else {
        return address.to_string();
    };
    let mut text = String::with_capacity("255.255.255.255".len());
    for (place, octet) in address.octets().into_iter().enumerate() {
        if place > 0 {
            text.push('.');
        }
        for (least, unit) in [(100, 100), (10, 10), (0, 1)] {
            if octet >= least {
                text.push(char::from(b'0' + octet / unit % 10));
            }
        }
    }
    text
}

/// A list of networks. An IPv4 address in IPv6 clothes (`::ffff:10.0.0.1`) counts as the IPv4 address,
/// in the list as well as in a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// The networks of this list.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks.into_iter().map(canonical).collect())
    }

    /// Whether one of them holds `address`.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The networks, in their canonical form.
    pub fn iter(&self) -> impl Iterator<Item = &IpNet> {
        self.0.iter()
    }
}

/// `::ffff:10.0.0.0/104` as `10.0.0.0/8`: left in IPv6 clothes it would hold no address at all, as
/// every address is undressed before it is looked for.
fn canonical(network: IpNet) -> IpNet {
    const MAPPED_BITS: u8 = 96;
    let (IpAddr::V4(address), IpNet::V6(clothed)) = (network.addr().to_canonical(), network) else {
        return network;
    };
    let bits = clothed.prefix_len().checked_sub(MAPPED_BITS);
    match bits.map(|bits| Ipv4Net::new(address, bits)) {
        Some(Ok(plain)) => IpNet::V4(plain),
        _ => network,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_the_standard_library_writes_it() {
        for octet in 0..=255 {
            let address = IpAddr::from([octet, 255 - octet, octet / 2, 7]);
            assert_eq!(address_text(address), address.to_string());
        }
        let clothed: IpAddr = "::ffff:10.0.0.1".parse().unwrap();
        assert_eq!(address_text(clothed), "10.0.0.1");
        let v6: IpAddr = "2001:db8::1".parse().unwrap();
        assert_eq!(address_text(v6), "2001:db8::1");
    }

    #[test]
    fn an_ipv4_address_in_ipv6_clothes_is_the_ipv4_address() {
        let check = |network: &str, address: &str, expected: bool| {
            let networks = Networks::new(vec![network.parse().unwrap()]);
            let held = networks.contains(address.parse().unwrap());
            assert_eq!(held, expected, "{address} in {network}");
        };
        check("10.0.0.0/8", "10.1.2.3", true);
        check("10.0.0.0/8", "::ffff:10.1.2.3", true);
        check("10.0.0.0/8", "::ffff:11.1.2.3", false);
        check("::ffff:10.0.0.0/104", "10.1.2.3", true);
        check("::ffff:10.0.0.0/104", "11.1.2.3", false);
        check("::ffff:10.0.0.1/128", "::ffff:10.0.0.1", true);
        check("::/0", "10.1.2.3", false);
        check("fd00::/8", "fd12::1", true);
        check("0.0.0.0/0", "fd12::1", false);
    }
}
