//! Identifiers, and where their randomness comes from.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::clock::Timestamp;

/// How many bytes an identifier prints as.
pub const TEXT_LENGTH: usize = Hyphenated::LENGTH;

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

/// Bytes of a block that this thread has filled by [`random_bytes`], each given out once. Asking the
/// generator takes half a microsecond, however few bytes are asked for, and every request has an id.
/// Not for secrets: the block lies in memory before it is used.
fn random_bytes_in_stock<const N: usize>() -> [u8; N] {
    const BLOCK: usize = 1024;
    thread_local! {
        static STOCK: RefCell<(usize, [u8; BLOCK])> = const { RefCell::new((BLOCK, [0; BLOCK])) };
    }
    STOCK.with_borrow_mut(|(used, block)| {
        let left = block.get(*used..).and_then(<[u8]>::first_chunk);
        if let Some(bytes) = left {
            *used += N;
            return *bytes;
        }
        *block = random_bytes();
        *used = N;
        block.first_chunk().copied().unwrap_or_else(random_bytes)
    })
}

/// A UUID of version 7 (RFC 9562 §5.7): sorts by time of making, and does not tell who made it.
fn time_ordered(now: Timestamp, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident from $random:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new one, made at `now`.
            pub fn new(now: Timestamp) -> Self {
                Self(time_ordered(now, $random()))
            }

            /// The one with these 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// Its 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// As it prints, written into `buffer`: without the detour by way of a formatter.
            pub fn encode(self, buffer: &mut [u8; TEXT_LENGTH]) -> &str {
                self.0.as_hyphenated().encode_lower(buffer)
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
    UserId from random_bytes
}
identifier! {
    /// Names a session from sign-in to its end; the `sid` of the tokens we mint.
    SessionId from random_bytes
}
identifier! {
    /// Names an API key from its making to its end.
    ApiKeyId from random_bytes
}
identifier! {
    /// Names one request in the logs and in `X-Request-Id`.
    RequestId from random_bytes_in_stock
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn identifiers_sort_by_the_time_they_were_made() {
        let earlier = UserId::new(Timestamp::from_seconds(1_000));
        let later = UserId::new(Timestamp::from_seconds(2_000));
        assert!(earlier < later);
        assert_ne!(later, UserId::new(Timestamp::from_seconds(2_000)));
    }

    #[test]
    fn no_two_requests_share_an_identifier() {
        let now = Timestamp::from_seconds(1_000);
        let ids: BTreeSet<RequestId> = (0..1_000).map(|_| RequestId::new(now)).collect();
        assert_eq!(ids.len(), 1_000);
    }

    #[test]
    fn an_identifier_reads_back_what_it_prints() {
        let id = SessionId::new(Timestamp::from_seconds(1_000));
        assert_eq!(id.to_string().parse::<SessionId>().ok(), Some(id));
    }
}
