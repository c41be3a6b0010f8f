//! Identifiers, and where their randomness comes from.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

use crate::clock::Timestamp;

/// Fills `N` bytes from the system's generator.
///
/// # Panics
///
/// When the operating system has no randomness to give: there is no safe way on.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(
        clippy::expect_used,
        reason = "without randomness no token or key may be made; aws-lc aborts here itself"
    )]
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the system gives random bytes");
    bytes
}

/// A UUID of version 7 (RFC 9562 §5.7): sorts by time of making, and does not tell who made it.
fn time_ordered(now: Timestamp) -> Uuid {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random_bytes()).into_uuid()
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new one, made at `now`.
            pub fn new(now: Timestamp) -> Self {
                Self(time_ordered(now))
            }

            /// The one with these 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// Its 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The same, as a plain UUID.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.as_hyphenated())
            }
        }
    };
}

identifier! {
    /// Names a user for as long as the account exists; the `sub` of the tokens we mint.
    UserId
}
identifier! {
    /// Names a session from sign-in to its end; the `sid` of the tokens we mint.
    SessionId
}
identifier! {
    /// Names one request in the logs and in `X-Request-Id`.
    RequestId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_sort_by_the_time_they_were_made() {
        let earlier = UserId::new(Timestamp::from_seconds(1_000));
        let later = UserId::new(Timestamp::from_seconds(2_000));
        assert!(earlier < later);
        assert_ne!(later, UserId::new(Timestamp::from_seconds(2_000)));
    }

    #[test]
    fn an_identifier_reads_back_what_it_prints() {
        let id = SessionId::new(Timestamp::from_seconds(1_000));
        assert_eq!(id.to_string().parse::<SessionId>().ok(), Some(id));
    }
}
