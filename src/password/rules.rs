//! What a new password must be, after NIST SP 800-63B: long enough, not the user's own name or that of
//! the service, and not known from a breach.
//!
//! No rules about digits and capitals, which make passwords worse (§3.1.1.2 of its revision 4).

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use aws_lc_rs::digest;

use super::Config;
use crate::secret::SecretText;
use crate::unavailable::Unavailable;
use crate::user::{Email, User, Username};

/// The longest password, in bytes: beyond any passphrase, and short enough that its length does not
/// show in the time that hashing takes.
pub const MAX_BYTES: usize = 1024;

/// A shorter word is part of too many passwords to be held against one.
const LEAST_WORD: usize = 3;

/// Why a new password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Fewer characters than the configuration asks for.
    #[error("a password needs at least {0} characters")]
    TooShort(usize),
    /// More bytes than any password may have.
    #[error("a password has at most {MAX_BYTES} bytes")]
    TooLong,
    /// Little more than the user's address or name, or the name of the service.
    #[error("a password must be more than your own name or that of the service")]
    Names,
    /// Known from a breach.
    #[error("this password is known from a data breach; please choose another")]
    Breached,
}

/// Why a new password was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It is no good.
    #[error(transparent)]
    Weak(#[from] Weak),
    /// The list of breached passwords could not be looked into: nobody knows.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A new password that was found good enough. [`Passwords::accept`] alone makes it.
///
/// [`Passwords::accept`]: super::pool::Passwords::accept
#[derive(Clone, Debug)]
pub struct NewPassword(SecretText);

impl NewPassword {
    pub(super) const fn secret(&self) -> &SecretText {
        &self.0
    }

    /// Any text, for tests that are not about rules.
    #[cfg(test)]
    pub(super) fn unchecked(text: &str) -> Self {
        Self(SecretText::from(text))
    }
}

/// Whose password it is to be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Owner<'a> {
    /// Their address.
    pub email: Option<&'a Email>,
    /// Their name.
    pub username: Option<&'a Username>,
}

impl<'a> Owner<'a> {
    /// The one of this account.
    pub fn of(user: &'a User) -> Self {
        Self {
            email: Some(&user.email),
            username: user.username.as_ref(),
        }
    }
}

/// A SHA-1, which breached passwords are listed by.
pub type Sha1 = [u8; 20];

/// The SHA-1 of a password. It protects nothing: it is the key of a list that anybody may read.
pub fn sha1(password: &[u8]) -> Sha1 {
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password);
    let mut sha1 = [0; 20];
    sha1.iter_mut()
        .zip(digest.as_ref())
        .for_each(|(to, from)| *to = *from);
    sha1
}

/// A list of passwords that others know. May block: it is asked on a thread that may be.
pub trait KnownPasswords: Send + Sync + fmt::Debug {
    /// Whether the password with this digest is among them.
    fn contains(&self, sha1: &Sha1) -> Result<bool, Unavailable>;
}

/// The list that is asked. Two are equal where they come from the same place.
#[derive(Clone, Debug)]
pub struct Breached {
    source: PathBuf,
    list: Arc<dyn KnownPasswords>,
}

impl Breached {
    /// This list, which comes from `source`.
    pub fn new(source: PathBuf, list: Arc<dyn KnownPasswords>) -> Self {
        Self { source, list }
    }

    /// Whether the password with this digest is among them.
    pub fn contains(&self, sha1: &Sha1) -> Result<bool, Unavailable> {
        self.list.contains(sha1)
    }
}

impl PartialEq for Breached {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Breached {}

/// Judges a new password.
pub(super) async fn accept(
    config: &Config,
    password: SecretText,
    owner: Owner<'_>,
) -> Result<NewPassword, Refused> {
    check(config, &password, owner)?;
    if let Some(list) = config.breached.clone() {
        let sha1 = sha1(password.expose().as_bytes());
        let known = tokio::task::spawn_blocking(move || list.contains(&sha1));
        let stopped = |error| Unavailable::new("the list of breached passwords", error);
        if known.await.map_err(stopped)?? {
            return Err(Weak::Breached.into());
        }
    }
    Ok(NewPassword(password))
}

/// All but the list.
fn check(config: &Config, password: &SecretText, owner: Owner<'_>) -> Result<(), Weak> {
    let text = password.expose();
    if text.len() > MAX_BYTES {
        return Err(Weak::TooLong);
    }
    if text.chars().count() < config.min_length {
        return Err(Weak::TooShort(config.min_length));
    }
    let text = text.to_lowercase();
    let local_part = owner
        .email
        .and_then(|email| email.as_str().split('@').next());
    let names = [
        owner.email.map(Email::as_str),
        local_part,
        owner.username.map(Username::as_str),
    ];
    let services = config.service_names.iter().map(String::as_str);
    for name in names.into_iter().flatten().chain(services) {
        if is_little_more_than(&text, name, config.min_length / 2) {
            return Err(Weak::Names);
        }
    }
    Ok(())
}

/// Whether without `name` no more than `rest` characters are left.
fn is_little_more_than(text: &str, name: &str, rest: usize) -> bool {
    let name = name.to_lowercase();
    if name.chars().count() < LEAST_WORD || !text.contains(&name) {
        return false;
    }
    text.replace(&name, "").chars().count() <= rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_password_is_counted_in_characters_and_bounded_in_bytes() {
        let check = |text: &str, expected| {
            let checked = check(&Config::default(), &text.into(), Owner::default());
            assert_eq!(checked, expected, "{text}");
        };
        check("", Err(Weak::TooShort(8)));
        check("seven77", Err(Weak::TooShort(8)));
        check("eight888", Ok(()));
        check("äöüäöüä", Err(Weak::TooShort(8)));
        check("äöüäöüäö", Ok(()));
        check(&"a".repeat(1024), Ok(()));
        check(&"a".repeat(1025), Err(Weak::TooLong));
        check(&"ä".repeat(513), Err(Weak::TooLong));
    }

    #[test]
    fn a_name_is_no_password_nor_is_a_name_with_a_year() {
        let config = Config {
            service_names: vec!["gw.example.com".into(), "example".into()],
            ..Config::default()
        };
        let email = Email::parse("Marianne.Weiss@mail.test").unwrap();
        let username = Username::parse("mweiss").unwrap();
        let owner = Owner {
            email: Some(&email),
            username: Some(&username),
        };
        let check = |text: &str, expected| {
            let checked = check(&config, &text.into(), owner);
            assert_eq!(checked, expected, "{text}");
        };
        check("marianne.weiss@mail.test", Err(Weak::Names));
        check("MARIANNE.WEISS", Err(Weak::Names));
        check("marianne.weiss2026", Err(Weak::Names));
        check("1mweiss!", Err(Weak::Names));
        check("mweissmweiss", Err(Weak::Names));
        check("Example1", Err(Weak::Names));
        check("gw.example.com", Err(Weak::Names));
        check("mweiss rides a horse", Ok(()));
        check("an example of a passphrase", Ok(()));
        let nobody = super::check(&config, &"marianne.weiss".into(), Owner::default());
        assert_eq!(nobody, Ok(()));
    }

    /// Knows `password`, and breaks at `trouble`.
    #[derive(Debug)]
    struct Few;

    impl KnownPasswords for Few {
        fn contains(&self, asked: &Sha1) -> Result<bool, Unavailable> {
            if *asked == sha1(b"trouble trouble") {
                return Err(Unavailable::new("the list", "as a test"));
            }
            Ok(*asked == sha1(b"correct horse"))
        }
    }

    #[tokio::test]
    async fn a_breached_password_is_not_accepted_and_an_unread_list_accepts_none() {
        let config = Config {
            breached: Some(Breached::new("few".into(), Arc::new(Few))),
            ..Config::default()
        };
        let accept = async |text: &str| accept(&config, text.into(), Owner::default()).await;
        assert!(accept("battery staple").await.is_ok());
        let breached = accept("correct horse").await;
        assert!(matches!(breached, Err(Refused::Weak(Weak::Breached))));
        let unread = accept("trouble trouble").await;
        assert!(matches!(unread, Err(Refused::Unavailable(_))));
    }
}
