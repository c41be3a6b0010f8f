//! What this dialect asks of a password beside the rules of the gateway, byte for byte as its client
//! checks it beforehand: without the white space around it, twelve bytes, an upper and a lower case
//! letter, a digit, a punctuation character, and not the name of the account. All of it is what is hashed.

use super::ADMIN;
use super::fault::Fault;

const LEAST_BYTES: usize = 12;

pub(super) fn check(password: &str) -> Result<(), Fault> {
    // The white space of C: Rust's leaves out the vertical tab.
    let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let bytes = password.as_bytes();
    let start = bytes.iter().position(|byte| !is_space(byte)).unwrap_or(0);
    let end = bytes.iter().rposition(|byte| !is_space(byte));
    let trimmed = bytes.get(start..end.map_or(0, |end| end + 1));
    let trimmed = trimmed.unwrap_or_default();
    let has = |kind: fn(&u8) -> bool| trimmed.iter().any(kind);
    let complaint = if trimmed.len() < LEAST_BYTES {
        "Password must be at least 12 characters long"
    } else if trimmed.eq_ignore_ascii_case(ADMIN.as_bytes()) {
        "Password must not match the username"
    } else if !(has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_punctuation))
    {
        "Password must include uppercase, lowercase, digit, and special characters"
    } else {
        return Ok(());
    };
    Err(Fault::bad_request(complaint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_every_kind_of_character_between_its_white_space() {
        let accepts = |password, accepted| {
            assert_eq!(check(password).is_ok(), accepted, "{password:?}");
        };
        accepts("MyNewSecurePwd!2", true);
        accepts("  MyNewSecurePwd!2\t", true);
        accepts("Aa1!aaaaaaaa", true);
        accepts("Aa1!aaaaaaa", false);
        accepts("   Aa1!aaaaaaa   ", false);
        accepts("\u{b}\u{b}Aa1!aaaaaaa", false);
        accepts("mynewsecurepwd!2", false);
        accepts("MYNEWSECUREPWD!2", false);
        accepts("MyNewSecurePwd!!", false);
        accepts("MyNewSecurePwd22", false);
        accepts("Aa1§§§§§§§§§§", false);
        accepts("", false);
        accepts(" ", false);
    }
}
