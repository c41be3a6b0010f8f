//! What is counted by: client networks, accounts, and both together.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use aws_lc_rs::digest::{Context, SHA256};

use crate::id::UserId;

/// Whose address it is: an IPv4 address, or the /64 of an IPv6 one, which is what one customer gets at
/// least; by single addresses he would have 2⁶⁴ buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// The network of a client address.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
            }
        })
    }
}

/// Which account an attempt aims at: by its id where it is known to be one, and else by the name that
/// was typed, so that names that nobody has are counted like those that somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    subject: Fingerprint,
    /// The name up to its `@`, if that is another one: see [`Account::names`].
    stem: Fingerprint,
}

impl Account {
    /// The account that is meant by `name`, in the one spelling of a login where it has one; `user` is
    /// whose it is.
    pub fn new(name: &str, user: Option<UserId>) -> Self {
        let name = name.trim().to_lowercase();
        let stem = name.split('@').next().unwrap_or_default();
        Self {
            subject: match user {
                Some(user) => Fingerprint::of("user", user.as_bytes()),
                None => Fingerprint::of("name", name.as_bytes()),
            },
            stem: Fingerprint::of("stem", stem.as_bytes()),
        }
    }

    /// Something else that is known by its own id: a session, a challenge.
    pub fn of_id(id: &[u8; 16]) -> Self {
        let fingerprint = Fingerprint::of("id", id);
        Self {
            subject: fingerprint,
            stem: fingerprint,
        }
    }

    /// Names it, for counts of one's own.
    pub fn key(&self) -> Key {
        Key::new("account", None, Some(self.subject))
    }

    /// What it is counted by as a whole.
    pub(super) const fn subject(&self) -> Fingerprint {
        self.subject
    }

    /// What it is counted by at one address: as the account, and as `john` for `john` as well as for
    /// `john@example.com`. By the account alone, whoever has used `john` up would learn from a refused
    /// `john@example.com` that there is such an account; two Johns at one address can share.
    pub(super) fn names(&self) -> impl Iterator<Item = Fingerprint> {
        let stem = (self.stem != self.subject).then_some(self.stem);
        [self.subject].into_iter().chain(stem)
    }
}

/// A name under which something is counted, of one length, and no plain login in anybody's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 16]);

impl Fingerprint {
    fn of(kind: &str, bytes: &[u8]) -> Self {
        Self(hash([kind.as_bytes(), bytes]))
    }
}

/// Names a bucket, wherever it is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 16]);

impl Key {
    pub(super) fn new(kind: &str, network: Option<Network>, account: Option<Fingerprint>) -> Self {
        let network = match network.map(|Network(address)| address) {
            Some(IpAddr::V4(address)) => address.octets().to_vec(),
            Some(IpAddr::V6(address)) => address.octets().to_vec(),
            None => Vec::new(),
        };
        let account = account.map_or([0; 16], |Fingerprint(bytes)| bytes);
        Self(hash([kind.as_bytes(), &network, &account]))
    }

    /// The key with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

/// In lower-case hex.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// The half of a SHA-256 over parts that cannot run into each other. What is hashed is known to whoever
/// wants to collide, so it has to be a hash that nobody collides.
fn hash<const N: usize>(parts: [&[u8]; N]) -> [u8; 16] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> Network {
        Network::of(address.parse().unwrap())
    }

    #[test]
    fn an_ipv6_client_is_its_64_and_a_clothed_ipv4_client_is_itself() {
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }

    #[test]
    fn a_name_has_one_spelling_and_an_account_one_bucket() {
        let id = UserId::from_bytes([7; 16]);
        assert_eq!(Account::new(" John ", None), Account::new("JOHN", None));
        let by_name = Account::new("jd77", Some(id));
        let by_address = Account::new("john@example.com", Some(id));
        assert_eq!(by_name.subject(), by_address.subject());
        let shared =
            |a: &Account, b: &Account| a.names().any(|name| b.names().any(|other| name == other));
        assert!(shared(&by_name, &by_address));
        // Known or not: nobody learns which.
        let unknown = Account::new("john", None);
        assert!(shared(&unknown, &by_address));
        assert!(shared(&unknown, &Account::new("john@example.com", None)));
        assert!(!shared(&unknown, &Account::new("joan", None)));
    }

    #[test]
    fn parts_of_a_key_do_not_run_into_each_other() {
        let (four, six) = (network("1.2.3.4"), network("102:304::"));
        let all = [
            Key::new("a", Some(four), None),
            Key::new("a", Some(six), None),
            Key::new("b", Some(four), None),
            Key::new("a", None, None),
        ];
        for (index, key) in all.iter().enumerate() {
            assert_eq!(all.iter().position(|other| other == key), Some(index));
        }
        assert_eq!(all[0].to_string().len(), 32);
    }
}
