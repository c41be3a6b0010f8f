//! Addresses and networks: who the client is, and whether it is one of ours.

use std::net::IpAddr;

use ipnet::IpNet;

/// A list of networks. An IPv4 address in IPv6 clothes (`::ffff:10.0.0.1`) counts as the IPv4 address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// The networks of this list.
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
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
}
