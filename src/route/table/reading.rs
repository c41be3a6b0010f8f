//! How a segment is read for comparison.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Whether letter case counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LetterCase {
    Exact,
    Folded,
}

impl LetterCase {
    /// A segment of a [`NormalPath`](crate::path::NormalPath) as it is compared: decoded, which is
    /// unambiguous as nothing encoded in it has a meaning to paths, and folded if case does not count.
    pub(super) fn read(self, segment: &str) -> Cow<'_, str> {
        let text = percent_decode_str(segment).decode_utf8_lossy();
        match self {
            Self::Exact => text,
            Self::Folded => fold(text),
        }
    }
}

/// Whether a text, or a whole path, surely reads the same with and without regard to letter case.
pub(super) fn is_small(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii() && !b.is_ascii_uppercase() && b != b'%')
}

/// Small letters. By way of the capitals, because `ſ` and `K` (the Kelvin sign) have relatives within
/// ASCII that some services take them for.
fn fold(text: Cow<'_, str>) -> Cow<'_, str> {
    if text
        .bytes()
        .all(|b| b.is_ascii() && !b.is_ascii_uppercase())
    {
        return text;
    }
    let capitals = text.chars().flat_map(char::to_uppercase);
    Cow::Owned(capitals.flat_map(char::to_lowercase).collect())
}
