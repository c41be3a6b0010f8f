//! What an API key is: a long-lived credential of a program, with a name, an end and bounds of its own.
//!
//! How its text is made and read stands in [`text`]; where keys are kept is the business of
//! [`api_keys`](crate::api_keys), and whether one may pass that of [`auth`](crate::auth).

use std::collections::BTreeSet;
use std::fmt;

use crate::clock::Timestamp;
use crate::id::{ApiKeyId, UserId};
use crate::user::{AccountStatus, Email, NameError, Roles};

pub mod text;

pub use self::text::{KeyHash, KeyText, Kind, UnverifiedKey};

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $max_bytes:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Reads it; white space around it is dropped.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                let text = text.trim();
                if text.is_empty() {
                    return Err(NameError::Empty);
                }
                if text.len() > $max_bytes {
                    return Err(NameError::TooLong($max_bytes));
                }
                let allowed: fn(char) -> bool = $allowed;
                match text.chars().find(|c| !allowed(*c)) {
                    Some(bad) => Err(NameError::Character(bad)),
                    None => Ok(Self(text.into())),
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }
    };
}

text! {
    /// What people call a key: at most 100 bytes, no control characters. Several keys may have the same
    /// name; two of them do while one is rotated.
    KeyName, 100, |c| !c.is_control()
}
text! {
    /// The name of a service that is nobody's account: lower-case letters, digits, `.`, `_` and `-`, at
    /// most 64 bytes.
    ServiceName, 64,
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-')
}
/// What people say of a key: at most 1000 bytes, which may be none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description(Box<str>);

impl Description {
    const MAX_BYTES: usize = 1000;

    /// Reads it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.len() > Self::MAX_BYTES {
            return Err(NameError::TooLong(Self::MAX_BYTES));
        }
        // PostgreSQL keeps no NUL in a text.
        match text.chars().find(|c| *c == '\0') {
            Some(bad) => Err(NameError::Character(bad)),
            None => Ok(Self(text.into())),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text! {
    /// A scope (RFC 6749 §3.3), at most 64 bytes.
    Scope, 64,
    |c| c.is_ascii_graphic() && !matches!(c, '"' | '\\')
}

impl Scope {
    /// Permits what asks for no change.
    pub const READ: &'static str = "read";
    /// Permits what changes something.
    pub const WRITE: &'static str = "write";
    /// Permits the management of keys. It implies neither of the others.
    pub const ADMIN: &'static str = "admin";
    /// The three that are permissions: a key that has one of them may do no more than they say.
    pub const PERMISSIONS: [&'static str; 3] = [Self::READ, Self::WRITE, Self::ADMIN];
}

/// The scopes of a key, each once, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// The scopes in order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Whether `scope` is among them.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|held| held.as_str() == scope)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

/// For whom a key speaks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeySubject {
    /// A user, whose account bounds it: it can do nothing that they cannot.
    User(UserId),
    /// A service that has no account.
    Service(ServiceName),
}

/// The `sub` of a key: no user id begins as that of a service does.
impl fmt::Display for KeySubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => user.fmt(f),
            Self::Service(name) => write!(f, "service:{name}"),
        }
    }
}

/// An API key, without its text, which nobody keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Names it in lists, logs and the log of ended sessions.
    pub id: ApiKeyId,
    /// Whose form its text has.
    pub kind: Kind,
    /// Its number, which the store gives it, for clients that know keys by one. It stays where another key
    /// takes its place.
    pub number: i64,
    /// Its name for people.
    pub name: KeyName,
    /// What else people say of it; empty where they say nothing.
    pub description: Description,
    /// The first characters of its text, so that people can tell which one they hold.
    pub hint: Box<str>,
    /// For whom it speaks.
    pub subject: KeySubject,
    /// Its roles; of a user's key those count that the user has, too.
    pub roles: Roles,
    /// Its scopes, permissions among them.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it holds; none: for ever.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Of a key that another has replaced: until when it still holds.
    pub retires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The key that it replaced.
    pub rotated_from: Option<ApiKeyId>,
}

/// How a key stands by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStanding {
    /// It holds.
    Live,
    /// It was revoked.
    Revoked,
    /// Another has replaced it, and its grace is over.
    Retired,
    /// Its time has passed.
    Expired,
}

impl ApiKey {
    /// How it stands at `now`.
    pub fn standing(&self, now: Timestamp) -> KeyStanding {
        let is_over = |end: Option<Timestamp>| end.is_some_and(|end| end <= now);
        if self.revoked_at.is_some() {
            KeyStanding::Revoked
        } else if is_over(self.retires_at) {
            KeyStanding::Retired
        } else if is_over(self.expires_at) {
            KeyStanding::Expired
        } else {
            KeyStanding::Live
        }
    }

    /// Until when it holds unless it is revoked; none: for ever.
    pub fn ends_at(&self) -> Option<Timestamp> {
        self.retires_at.into_iter().chain(self.expires_at).min()
    }
}

/// The account that bounds a user's key, as it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Their address.
    pub email: Email,
    /// Their roles.
    pub roles: Roles,
    /// Whether the account is open.
    pub status: AccountStatus,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn key() -> ApiKey {
        ApiKey {
            id: ApiKeyId::new(NOW),
            kind: Kind::Doorward,
            number: 0,
            description: Description::default(),
            name: KeyName::parse("deploy").unwrap(),
            hint: "dwk_abcd".into(),
            subject: KeySubject::Service(ServiceName::parse("ci").unwrap()),
            roles: Roles::default(),
            scopes: Scopes::default(),
            created_at: NOW,
            expires_at: None,
            last_used_at: None,
            retires_at: None,
            revoked_at: None,
            rotated_from: None,
        }
    }

    #[test]
    fn a_key_ends_by_whatever_comes_first() {
        let at = |seconds| Some(Timestamp::from_seconds(seconds));
        let check = |ends: [Option<Timestamp>; 3], expected| {
            let [revoked_at, retires_at, expires_at] = ends;
            let key = ApiKey {
                expires_at,
                retires_at,
                revoked_at,
                ..key()
            };
            assert_eq!(key.standing(NOW), expected, "{ends:?}");
        };
        check([None, None, None], KeyStanding::Live);
        check([None, at(1_001), at(1_001)], KeyStanding::Live);
        check([None, None, at(1_000)], KeyStanding::Expired);
        check([None, at(1_000), at(2_000)], KeyStanding::Retired);
        check([at(900), at(2_000), at(2_000)], KeyStanding::Revoked);
        let both = ApiKey {
            retires_at: at(7),
            expires_at: at(9),
            ..key()
        };
        assert_eq!(both.ends_at(), at(7));
        assert_eq!(key().ends_at(), None);
    }

    #[test]
    fn names_scopes_and_services_have_their_letters() {
        assert_eq!(
            KeyName::parse("  my key ").map(|n| n.to_string()),
            Ok("my key".into())
        );
        assert_eq!(KeyName::parse("a\r\nb"), Err(NameError::Character('\r')));
        assert_eq!(KeyName::parse(" "), Err(NameError::Empty));
        assert_eq!(
            KeyName::parse(&"x".repeat(101)),
            Err(NameError::TooLong(100))
        );
        assert!(Scope::parse("orders:read").is_ok());
        assert_eq!(Scope::parse("a b"), Err(NameError::Character(' ')));
        assert_eq!(ServiceName::parse("CI"), Err(NameError::Character('C')));
        assert_eq!(ServiceName::parse("a:b"), Err(NameError::Character(':')));
    }

    #[test]
    fn no_service_is_taken_for_a_user() {
        let subject = key().subject.to_string();
        assert_eq!(subject, "service:ci");
        assert!(subject.parse::<UserId>().is_err());
    }
}
