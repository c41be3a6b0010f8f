//! One-time codes: what they are for, how they look, and the form in which they are kept.
//!
//! Where they are kept is the business of [`codes`](crate::codes); who gets one, that of
//! [`auth`](crate::auth).

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::id::{UserId, random_bytes};
use crate::secret::SecretText;
use crate::session::{SessionSigner, hex};
use crate::user::Email;

/// What a code is good for, and for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Shows that an address belongs to its account.
    VerifyEmail,
    /// Sets a new password.
    ResetPassword,
    /// Signs in without a password.
    SignIn,
    /// Moves an account to the address that the code was sent to.
    ChangeEmail,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::VerifyEmail,
        Self::ResetPassword,
        Self::SignIn,
        Self::ChangeEmail,
    ];

    /// The word for it in stores and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify-email",
            Self::ResetPassword => "reset-password",
            Self::SignIn => "sign-in",
            Self::ChangeEmail => "change-email",
        }
    }
}

/// What a mail holds: digits to type, a link to follow, or both. They are one code: whichever is used
/// first uses up the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeForm {
    /// Six digits. Short lived, and dead after a few wrong tries.
    Digits,
    /// A token of 256 bits in a link. Nobody guesses it.
    Link,
    /// Both.
    DigitsAndLink,
}

/// How long codes live, and how often somebody may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeRules {
    /// The life of six digits.
    pub digits_lifetime: Duration,
    /// The life of a link.
    pub link_lifetime: Duration,
    /// How many wrong digits kill them.
    pub attempts: u32,
    /// No second code for the same user and purpose is sent sooner than this. The first one goes on.
    pub resend_after: Duration,
}

impl Default for CodeRules {
    /// Five tries at one in a million each, at most one new code a minute.
    fn default() -> Self {
        Self {
            digits_lifetime: Duration::from_mins(15),
            link_lifetime: Duration::from_hours(1),
            attempts: 5,
            resend_after: Duration::from_mins(1),
        }
    }
}

/// Which address a code was sent to, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The address. The code proves this one and no other.
    pub email: Email,
    /// What for.
    pub purpose: Purpose,
}

/// A new code, as its owner gets it by mail. Not kept anywhere.
#[derive(Clone, Debug)]
pub struct NewCode {
    /// Six digits.
    pub digits: Option<SecretText>,
    /// What the link carries: 43 characters of URL-safe base64.
    pub token: Option<SecretText>,
}

impl NewCode {
    /// Another code than any before.
    pub fn new(form: CodeForm) -> Self {
        let (digits, token) = match form {
            CodeForm::Digits => (Some(new_digits()), None),
            CodeForm::Link => (None, Some(new_token())),
            CodeForm::DigitsAndLink => (Some(new_digits()), Some(new_token())),
        };
        Self { digits, token }
    }
}

/// A code as a store keeps it: neither digits nor token can be had from it.
#[derive(Clone, Debug)]
pub struct KeptCode {
    /// Whose account it is about.
    pub user: UserId,
    /// Where it was sent, and what for.
    pub subject: Subject,
    /// The digits, hashed under a key of the gateway.
    pub digits: Option<DigitsHash>,
    /// The token, hashed.
    pub token: Option<TokenHash>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the digits end.
    pub digits_end_at: Timestamp,
    /// When the token ends.
    pub token_ends_at: Timestamp,
    /// How many wrong digits it stands.
    pub attempts: u32,
}

/// Six digits as they are kept. There are only a million of them, so a plain hash would give them
/// away to whoever reads the store: this one takes a key that is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigitsHash(Box<str>);

impl DigitsHash {
    /// The hash under the newest key; `None` where the key ring has none.
    pub fn of(subject: &Subject, digits: &SecretText, signer: &SessionSigner) -> Option<Self> {
        let hash = signer.derive(&message(subject, digits))?;
        Some(Self(hash.into()))
    }

    /// The hashes under the newest key and the one before it, which a rotation may have put between
    /// the making of a code and its use.
    pub fn candidates(
        subject: &Subject,
        digits: &SecretText,
        signer: &SessionSigner,
    ) -> Option<[Self; 2]> {
        let message = message(subject, digits);
        let mut hashes = signer.derivations(&message);
        let newest = Self(hashes.next()?.into());
        let before = hashes.next().map(|hash| Self(hash.into()));
        Some([newest.clone(), before.unwrap_or(newest)])
    }

    /// The text of the hash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The token of a link as it is kept. 256 random bits have no need of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenHash(Box<str>);

impl TokenHash {
    /// The hash of a token.
    pub fn of(token: &SecretText) -> Self {
        let hash = digest(&SHA256, token.expose().as_bytes());
        Self(hex(hash.as_ref()).into())
    }

    /// The text of the hash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Digits as somebody typed them: without the spaces that mail programs and people put between them.
pub fn typed_digits(text: &SecretText) -> SecretText {
    let digits = text.expose().chars().filter(|c| !c.is_whitespace());
    // What is longer than six is wrong, however much longer it is.
    SecretText::new(digits.take(16).collect())
}

/// A token of 256 bits.
pub fn new_token() -> SecretText {
    SecretText::new(URL_SAFE_NO_PAD.encode(random_bytes::<32>()))
}

/// Every number of six digits, equally likely: what is left over of 2³² is drawn again.
fn new_digits() -> SecretText {
    const NUMBERS: u32 = 1_000_000;
    const LIMIT: u32 = u32::MAX - u32::MAX % NUMBERS;
    loop {
        let number = u32::from_be_bytes(random_bytes());
        if number < LIMIT {
            return SecretText::new(format!("{:06}", number % NUMBERS));
        }
    }
}

/// The address comes last: it alone may hold a colon.
fn message(subject: &Subject, digits: &SecretText) -> String {
    let Subject { email, purpose } = subject;
    let (purpose, digits) = (purpose.as_str(), digits.expose());
    format!("doorward:code:v1:{purpose}:{digits}:{email}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretBytes;

    fn signer(keys: &[u8]) -> SessionSigner {
        let key = |byte: &u8| SecretBytes::new(vec![*byte; 32]);
        SessionSigner::new(&keys.iter().map(key).collect::<Vec<_>>())
    }

    fn subject(email: &str, purpose: Purpose) -> Subject {
        Subject {
            email: Email::parse(email).unwrap(),
            purpose,
        }
    }

    #[test]
    fn a_code_has_what_its_form_says() {
        let check = |form, digits, token| {
            let code = NewCode::new(form);
            assert_eq!(code.digits.map(|text| text.expose().len()), digits);
            assert_eq!(code.token.map(|text| text.expose().len()), token);
        };
        check(CodeForm::Digits, Some(6), None);
        check(CodeForm::Link, None, Some(43));
        check(CodeForm::DigitsAndLink, Some(6), Some(43));
    }

    #[test]
    fn digits_are_kept_for_one_address_and_one_purpose() {
        let signer = signer(&[1]);
        let digits = SecretText::from("012345");
        let kept = |email, purpose| {
            let subject = subject(email, purpose);
            DigitsHash::of(&subject, &digits, &signer).unwrap()
        };
        let hash = kept("ann@example.com", Purpose::SignIn);
        assert!(!hash.as_str().contains("012345"));
        assert_ne!(hash, kept("ann@example.com", Purpose::ResetPassword));
        assert_ne!(hash, kept("bob@example.com", Purpose::SignIn));
    }

    #[test]
    fn digits_survive_one_rotation_of_the_keys() {
        let digits = SecretText::from("012345");
        let subject = subject("ann@example.com", Purpose::SignIn);
        let hash = DigitsHash::of(&subject, &digits, &signer(&[1])).unwrap();
        for (keys, found) in [(&[1][..], true), (&[2, 1], true), (&[3, 2, 1], false)] {
            let candidates = DigitsHash::candidates(&subject, &digits, &signer(keys)).unwrap();
            assert_eq!(candidates.contains(&hash), found, "{keys:?}");
        }
        assert!(DigitsHash::of(&subject, &digits, &signer(&[])).is_none());
    }

    #[test]
    fn spaces_between_digits_do_not_count() {
        let typed = typed_digits(&SecretText::from(" 012 345\u{a0}"));
        assert_eq!(typed.expose(), "012345");
    }
}
