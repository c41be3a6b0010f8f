//! What a new password must be.

use super::Config;
use crate::secret::SecretText;

/// The longest password, in bytes: beyond any passphrase, and short enough that its length does not
/// show in the time that hashing takes.
pub const MAX_BYTES: usize = 1024;

/// Why a new password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Fewer characters than the configuration asks for.
    #[error("a password needs at least {0} characters")]
    TooShort(usize),
    /// More bytes than any password may have.
    #[error("a password has at most {MAX_BYTES} bytes")]
    TooLong,
}

/// Checks a new password. Length alone counts; rules about digits and capitals make passwords worse
/// (NIST SP 800-63B §5.1.1.2).
pub fn check_new(config: &Config, password: &SecretText) -> Result<(), Weak> {
    let text = password.expose();
    if text.len() > MAX_BYTES {
        return Err(Weak::TooLong);
    }
    if text.chars().count() < config.min_length {
        return Err(Weak::TooShort(config.min_length));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_password_is_counted_in_characters_and_bounded_in_bytes() {
        let check = |text: &str, expected| {
            let checked = check_new(&Config::default(), &SecretText::from(text));
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
}
