//! The text of an API key: how it is made, and what can be told of one by looking at it alone.
//!
//! `dwk_` + 30 random characters of base 62 (178 bits) + 6 characters of checksum. The prefix lets
//! scanners of leaked secrets find it; the checksum (CRC-32 of all before it) lets them, and us, tell a
//! key from what only looks like one, and a slip of the hand from a key that was revoked, without asking
//! anybody. It is no protection: the random characters are.
//!
//! Dialects have kinds of their own, which their clients know by prefix and form.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

use crate::id::random_bytes;
use crate::secret::SecretText;

/// Whose form the text of a key has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `dwk_…`: of this gateway.
    Doorward,
    /// `ik_` and 64 hexadecimal digits: an admin key, as clients of `InsForge` know it.
    InsForgeAdmin,
    /// `anon_` and 64 hexadecimal digits: an anonymous key of `InsForge`.
    InsForgeAnon,
    /// `vdai_…`: as clients of Actian know it.
    Actian,
}

/// What stands behind the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Base 62, with a checksum.
    Checked,
    /// Lower-case hexadecimal, without one.
    Hexadecimal,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Doorward,
        Self::InsForgeAdmin,
        Self::InsForgeAnon,
        Self::Actian,
    ];

    /// What its texts begin with, before the `_`; also its name in stores and lists.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Doorward => "dwk",
            Self::InsForgeAdmin => "ik",
            Self::InsForgeAnon => "anon",
            Self::Actian => "vdai",
        }
    }

    /// The kind with this prefix.
    pub fn with_prefix(prefix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.prefix() == prefix)
    }

    const fn form(self) -> Form {
        match self {
            Self::Doorward | Self::Actian => Form::Checked,
            Self::InsForgeAdmin | Self::InsForgeAnon => Form::Hexadecimal,
        }
    }
}

/// SHA-256 of the text of a key: what is stored, and what a key is found by.
///
/// A plain hash without salt or work, unlike that of a password: nobody can guess 178 random bits, so
/// there is nothing to slow down, and it is computed for every request. For the same reason it may be
/// compared as it comes: what a timing tells of a hash leads nobody to a text with that hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of a text.
    pub fn of(text: &str) -> Self {
        let hash = digest(&SHA256, text.as_bytes());
        let mut bytes = [0; 32];
        // SHA-256 has 32 bytes, so all of it is taken.
        bytes
            .iter_mut()
            .zip(hash.as_ref())
            .for_each(|(to, from)| *to = *from);
        Self(bytes)
    }

    /// The one with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

/// The text of a new key, with what is kept of it.
#[derive(Debug)]
pub struct KeyText {
    /// The text: shown once, and kept by nobody here.
    pub text: SecretText,
    /// Whose form it has.
    pub kind: Kind,
    /// What it is found by.
    pub hash: KeyHash,
    /// Its first characters.
    pub hint: Box<str>,
}

/// Random characters behind the prefix.
const RANDOM: usize = 30;
/// 62⁶ is more than 2³².
const CHECKSUM: usize = 6;
/// Behind the prefix of a hexadecimal key.
const HEXADECIMAL: usize = 64;
/// Random characters that a list shows: 24 bits of 178.
const SHOWN: usize = 4;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl KeyText {
    /// A new text.
    pub fn random(kind: Kind) -> Self {
        let mut text = format!("{}_", kind.prefix());
        match kind.form() {
            Form::Checked => {
                text.extend(random_digits().take(RANDOM));
                let checksum = checksum(&text);
                text.extend(checksum);
            }
            Form::Hexadecimal => {
                let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
                let bytes: [u8; HEXADECIMAL / 2] = random_bytes();
                let digits = bytes
                    .iter()
                    .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
                text.extend(digits);
            }
        }
        Self {
            hash: KeyHash::of(&text),
            hint: text.chars().take(kind.prefix().len() + 1 + SHOWN).collect(),
            kind,
            text: SecretText::new(text),
        }
    }
}

/// A text that has the form of a key. Whether there is such a key, the store knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnverifiedKey {
    /// Whose form it has.
    pub kind: Kind,
    /// What it is found by.
    pub hash: KeyHash,
}

/// The text begins as a key does and is none: mistyped, cut off, or never one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an API key: mistyped or cut off")]
pub struct Malformed;

impl UnverifiedKey {
    /// Reads what may be a key; `None` where the text is something else, such as a token.
    pub fn read(text: &str) -> Option<Result<Self, Malformed>> {
        let (prefix, rest) = text.split_once('_')?;
        let kind = Kind::with_prefix(prefix)?;
        let is_sound = match kind.form() {
            Form::Checked => has_checksum(text, rest),
            Form::Hexadecimal => rest.len() == HEXADECIMAL && rest.bytes().all(is_hexadecimal),
        };
        Some(if is_sound {
            Ok(Self {
                kind,
                hash: KeyHash::of(text),
            })
        } else {
            Err(Malformed)
        })
    }
}

fn has_checksum(text: &str, rest: &str) -> bool {
    if rest.len() != RANDOM + CHECKSUM || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return false;
    }
    text.split_at_checked(text.len() - CHECKSUM)
        .is_some_and(|(before, shown)| shown.chars().eq(checksum(before)))
}

const fn is_hexadecimal(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Digits of base 62, each as likely as the next: of six random bits, 62 and 63 are drawn again.
fn random_digits() -> impl Iterator<Item = char> {
    std::iter::repeat_with(random_bytes::<RANDOM>)
        .flatten()
        .filter_map(|byte| DIGITS.get(usize::from(byte & 63)))
        .map(|digit| char::from(*digit))
}

/// CRC-32 in base 62, the highest digit first.
fn checksum(text: &str) -> [char; CHECKSUM] {
    let mut rest = crc32(text.as_bytes());
    let mut digits = ['0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        let value = usize::try_from(rest % 62).unwrap_or(0);
        *digit = DIGITS.get(value).map_or('0', |digit| char::from(*digit));
        rest /= 62;
    }
    digits
}

/// CRC-32 as in IEEE 802.3, bit by bit: some forty bytes a key are not worth a table or a crate.
fn crc32(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xEDB8_8320;
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let mask = 0_u32.wrapping_sub(crc & 1);
            (crc >> 1) ^ (POLYNOMIAL & mask)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_crc_32() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
        // 0xCBF43926 in base 62.
        assert_eq!(checksum("123456789").iter().collect::<String>(), "3jZRME");
    }

    #[test]
    fn a_new_key_of_every_kind_reads_back() {
        for kind in Kind::ALL {
            let new = KeyText::random(kind);
            let text = new.text.expose();
            let read = UnverifiedKey::read(text).unwrap().unwrap();
            assert_eq!((read.kind, read.hash), (kind, new.hash));
            assert!(text.starts_with(&*new.hint), "{}", new.hint);
            assert_eq!(new.hint.len(), kind.prefix().len() + 5);
            assert!(text.len() <= kind.prefix().len() + 1 + 64);
            assert_ne!(new.hash, KeyText::random(kind).hash);
        }
        assert_eq!(KeyText::random(Kind::Doorward).text.expose().len(), 40);
    }

    #[test]
    fn every_single_slip_of_the_hand_is_told_from_a_key() {
        let new = KeyText::random(Kind::Doorward);
        let text = new.text.expose();
        for at in 4..text.len() {
            for other in ['0', 'A', 'z', '-', 'é'] {
                let mut typed: Vec<char> = text.chars().collect();
                if typed[at] == other {
                    continue;
                }
                typed[at] = other;
                let typed: String = typed.into_iter().collect();
                assert_eq!(UnverifiedKey::read(&typed), Some(Err(Malformed)), "{typed}");
            }
            let cut: String = text.chars().take(at).collect();
            assert_eq!(UnverifiedKey::read(&cut), Some(Err(Malformed)), "{cut}");
        }
        for typed in [format!("{text}0"), format!("{text} "), text.to_lowercase()] {
            assert_eq!(UnverifiedKey::read(&typed), Some(Err(Malformed)), "{typed}");
        }
        // The prefix counts, too.
        let moved = text.replacen("dwk_", "vdai_", 1);
        assert_eq!(UnverifiedKey::read(&moved), Some(Err(Malformed)));
    }

    #[test]
    fn what_is_no_key_is_left_to_others() {
        for text in [
            "",
            "_",
            "eyJhbGciOiJFUzI1NiJ9.e30.x_y",
            "DWK_x",
            "dwk",
            "dwk-x",
        ] {
            assert_eq!(UnverifiedKey::read(text), None, "{text}");
        }
        let upper = format!("ik_{}", "A".repeat(64));
        assert_eq!(UnverifiedKey::read(&upper), Some(Err(Malformed)));
    }

    #[test]
    fn all_digits_are_drawn() {
        let drawn: std::collections::BTreeSet<char> = random_digits().take(6_000).collect();
        assert_eq!(drawn.len(), 62);
    }
}
