//! What a user is: names in their one spelling, roles, and the account itself.
//!
//! Where users are kept is the business of [`users`](crate::users); passwords that of
//! [`password`](crate::password).

use std::collections::BTreeSet;
use std::fmt;

use crate::clock::Timestamp;
use crate::id::UserId;

/// Why a text is not an email address, user name or role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is left after trimming.
    #[error("is empty")]
    Empty,
    /// Longer than its kind allows.
    #[error("is longer than {0} bytes")]
    TooLong(usize),
    /// Not of the form `local@domain` with exactly one `@`.
    #[error("is not an email address")]
    NotAnEmail,
    /// Holds a character that its kind does not allow.
    #[error("holds {0:?}, which is not allowed here")]
    Character(char),
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text in its one spelling.
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

name! {
    /// An email address: trimmed, in lower case, one `@`, at most 254 bytes (RFC 5321 §4.5.3.1).
    ///
    /// Lower case throughout, so that `JOHN@example.com` is nobody's second account.
    Email
}
name! {
    /// A user name: trimmed, in lower case, letters, digits, `.`, `_` and `-`, at most 64 bytes.
    ///
    /// Never an `@`, so that a user name cannot be taken for somebody's address.
    Username
}
name! {
    /// A role: lower-case letters, digits, `.`, `_`, `:` and `-`, at most 64 bytes.
    Role
}

impl Email {
    const MAX_BYTES: usize = 254;

    /// Reads an address as a person types it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = bounded(text, Self::MAX_BYTES)?.to_lowercase();
        if let Some(bad) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
            return Err(NameError::Character(bad));
        }
        match text.split_once('@') {
            Some((local, domain))
                if !local.is_empty() && !domain.is_empty() && !domain.contains('@') =>
            {
                Ok(Self(text.into()))
            }
            _ => Err(NameError::NotAnEmail),
        }
    }
}

impl Username {
    const MAX_BYTES: usize = 64;

    /// Reads a user name as a person types it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = bounded(text, Self::MAX_BYTES)?.to_lowercase();
        match text
            .chars()
            .find(|c| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-')))
        {
            Some(bad) => Err(NameError::Character(bad)),
            None => Ok(Self(text.into())),
        }
    }
}

impl Role {
    const MAX_BYTES: usize = 64;
    /// The role that `require = "admin"` asks for.
    pub const ADMIN: &'static str = "admin";

    /// Reads a role; its spelling is fixed, nothing is folded.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = bounded(text, Self::MAX_BYTES)?;
        let allowed = |c: char| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | ':' | '-')
        };
        match text.chars().find(|c| !allowed(*c)) {
            Some(bad) => Err(NameError::Character(bad)),
            None => Ok(Self(text.into())),
        }
    }
}

fn bounded(text: &str, max_bytes: usize) -> Result<&str, NameError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > max_bytes {
        return Err(NameError::TooLong(max_bytes));
    }
    Ok(text)
}

/// What somebody types into the first field of a login form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Login {
    /// The address of the account.
    Email(Email),
    /// The name of the account.
    Username(Username),
}

impl Login {
    /// An `@` makes it an address; otherwise it is a user name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.contains('@') {
            Email::parse(text).map(Self::Email)
        } else {
            Username::parse(text).map(Self::Username)
        }
    }

    /// The text in its one spelling: what limits and the audit log count by.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(email) => email.as_str(),
            Self::Username(username) => username.as_str(),
        }
    }
}

/// The roles of a user, each once, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    /// Whether `require = "admin"` lets this user pass.
    pub fn has_admin(&self) -> bool {
        self.contains(Role::ADMIN)
    }

    /// Whether `role` is among them.
    pub fn contains(&self, role: &str) -> bool {
        self.0.iter().any(|held| held.as_str() == role)
    }

    /// The roles in order.
    pub fn iter(&self) -> impl Iterator<Item = &Role> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().collect())
    }
}

/// Whether an address was shown to belong to its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailStatus {
    /// It was confirmed, by mail or by an administrator.
    Verified,
    /// It was only claimed.
    Unverified,
}

/// Whether an account may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStatus {
    /// It may.
    Enabled,
    /// An administrator has closed it.
    Disabled,
}

/// An account, without its password.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// Its name for machines, which never changes.
    pub id: UserId,
    /// Its address, unique.
    pub email: Email,
    /// Its name for people, unique where there is one.
    pub username: Option<Username>,
    /// What it may do.
    pub roles: Roles,
    /// Whether the address is proved.
    pub email_status: EmailStatus,
    /// Whether it may sign in.
    pub status: AccountStatus,
    /// What the user says of themselves: an open JSON object (`name`, `avatar_url`, …).
    pub profile: JsonObject,
    /// What the system keeps about the user: an open JSON object.
    pub metadata: JsonObject,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When anything of it last changed.
    pub updated_at: Timestamp,
    /// Which state of it this is.
    pub revision: Revision,
}

/// Counts the changes of an account. Who changes what they have read names the revision that they
/// read, so that nobody overwrites what they have not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(i64);

impl Revision {
    /// That of a new account.
    pub const FIRST: Self = Self(1);

    /// The one with this number.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// An open JSON object.
pub type JsonObject = serde_json::Map<String, serde_json::Value>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_has_one_spelling() {
        let check = |input: &str, expected: Result<&str, NameError>| {
            let parsed = Email::parse(input);
            assert_eq!(
                parsed.as_ref().map(Email::as_str).map_err(|e| *e),
                expected,
                "{input:?}"
            );
        };
        check(" John@Example.COM ", Ok("john@example.com"));
        check("a@evil.com@company.com", Err(NameError::NotAnEmail));
        check("john", Err(NameError::NotAnEmail));
        check("@example.com", Err(NameError::NotAnEmail));
        check("john@", Err(NameError::NotAnEmail));
        check("jo hn@example.com", Err(NameError::Character(' ')));
        check("john@example.com\r\nx: y", Err(NameError::Character('\r')));
        check("", Err(NameError::Empty));
        check(
            &format!("{}@example.com", "a".repeat(254)),
            Err(NameError::TooLong(254)),
        );
    }

    #[test]
    fn a_login_is_an_address_or_a_name_and_folds_both() {
        assert_eq!(
            Login::parse(" JOHN ").map(|l| l.as_str().to_owned()),
            Ok("john".into())
        );
        assert!(matches!(Login::parse("a@b.c"), Ok(Login::Email(_))));
        assert_eq!(Login::parse("a b"), Err(NameError::Character(' ')));
    }

    #[test]
    fn a_role_is_spelt_exactly() {
        assert!(Role::parse("admin").is_ok());
        assert_eq!(Role::parse("Admin"), Err(NameError::Character('A')));
        assert_eq!(Role::parse("a,b"), Err(NameError::Character(',')));
    }
}
