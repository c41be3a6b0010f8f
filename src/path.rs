//! The path of a request in its one spelling: the path that is judged is the path that is sent.
//!
//! A path that two readers could read in two ways is refused, not repaired: what a gateway repairs in
//! one way, a service behind it may have understood in the other. Which path belongs to which route is
//! the business of [`route`](crate::route).

use std::fmt;

use percent_encoding::percent_decode_str;

/// A path in its one spelling: no dot segments, no empty segments, escapes in capitals and only where
/// they are needed, nothing that two readers could read in two ways.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NormalPath(Box<str>);

/// Why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not begin with a slash: `*`, `host:port`, an HTTP/2 `:path` made up by hand.
    #[error("does not begin with a slash")]
    NotAbsolute,
    /// Longer than [`NormalPath::MAX_BYTES`], as it came or in its one spelling.
    #[error("is longer than 8 KiB")]
    TooLong,
    /// `%2F`: a slash to some, a letter to others.
    #[error("holds an encoded slash")]
    EncodedSlash,
    /// `\` or `%5C`: a slash to some.
    #[error("holds a backslash")]
    Backslash,
    /// NUL or another control character, raw or encoded.
    #[error("holds a control character")]
    Control,
    /// `%25`: encoded twice, and so decoded once by some and twice by others.
    #[error("holds an encoded percent sign")]
    DoubleEncoding,
    /// `;` or `%3B`: the start of parameters that some cut off.
    #[error("holds a semicolon")]
    Semicolon,
    /// `?` or `%3F`: the end of the path to some.
    #[error("holds a question mark")]
    QuestionMark,
    /// `#` or `%23`: the end of the path to some.
    #[error("holds a number sign")]
    NumberSign,
    /// A segment `.` or `..`, in any mix of raw and encoded dots.
    #[error("holds a dot segment")]
    DotSegment,
    /// `//`.
    #[error("holds an empty segment")]
    EmptySegment,
    /// A `%` that two hexadecimal digits do not follow.
    #[error("holds a malformed escape")]
    BadEscape,
    /// Escapes that decode to something else than UTF-8.
    #[error("holds escapes that are not UTF-8")]
    NotUtf8,
    /// A raw byte beyond ASCII.
    #[error("holds characters beyond ASCII that are not percent-encoded")]
    NotAscii,
    /// A raw space.
    #[error("holds a raw space")]
    Space,
}

impl NormalPath {
    /// The longest path that is welcome, in bytes. URLs of 8,000 bytes ought to work (RFC 9110 §4.1);
    /// services seldom take more.
    pub const MAX_BYTES: usize = 8 * 1024;

    /// Reads the path of a request target, without its query.
    ///
    /// Escapes of unreserved characters (RFC 3986 §2.3) are decoded; the others are written in
    /// capitals; characters that a path may not hold raw, such as `"` and `{`, are escaped. An escaped
    /// reserved character such as `%21` stays escaped, as that is other data than `!` (§2.2).
    pub fn parse(raw: &str) -> Result<Self, PathError> {
        if raw.len() > Self::MAX_BYTES {
            return Err(PathError::TooLong);
        }
        if !raw.starts_with('/') {
            return Err(PathError::NotAbsolute);
        }
        let normal = respell(raw)?;
        if normal.len() > Self::MAX_BYTES {
            return Err(PathError::TooLong);
        }
        check_segments(&normal)?;
        check_text(&normal)?;
        Ok(Self(normal.into_boxed_str()))
    }

    /// The path, from its leading slash on, without the query.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its segments; `/` has none, and a trailing slash adds none.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }
}

impl fmt::Display for NormalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NormalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Writes every byte in its one spelling.
fn respell(raw: &str) -> Result<String, PathError> {
    // As long as what came: a path that is normal already costs this one allocation and no other.
    let mut normal = String::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let escaped = escaped_byte(&mut bytes)?;
            check_escaped(escaped)?;
            if is_unreserved(escaped) {
                normal.push(char::from(escaped));
            } else {
                push_escape(&mut normal, escaped);
            }
        } else {
            check_raw(byte)?;
            if may_stand_raw(byte) {
                normal.push(char::from(byte));
            } else {
                push_escape(&mut normal, byte);
            }
        }
    }
    Ok(normal)
}

/// The byte that the two digits after a `%` stand for.
fn escaped_byte(bytes: &mut impl Iterator<Item = u8>) -> Result<u8, PathError> {
    let mut digit = || {
        let digit = char::from(bytes.next()?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    match (digit(), digit()) {
        (Some(high), Some(low)) => Ok(high << 4 | low),
        _ => Err(PathError::BadEscape),
    }
}

fn push_escape(normal: &mut String, byte: u8) {
    normal.push_str(percent_encoding::percent_encode_byte(byte));
}

fn check_raw(byte: u8) -> Result<(), PathError> {
    match byte {
        b' ' => Err(PathError::Space),
        0x80.. => Err(PathError::NotAscii),
        _ => check_either_way(byte),
    }
}

fn check_escaped(byte: u8) -> Result<(), PathError> {
    match byte {
        b'/' => Err(PathError::EncodedSlash),
        b'%' => Err(PathError::DoubleEncoding),
        _ => check_either_way(byte),
    }
}

/// What is refused raw and encoded alike.
fn check_either_way(byte: u8) -> Result<(), PathError> {
    match byte {
        b'\\' => Err(PathError::Backslash),
        b';' => Err(PathError::Semicolon),
        b'?' => Err(PathError::QuestionMark),
        b'#' => Err(PathError::NumberSign),
        0..=0x1f | 0x7f => Err(PathError::Control),
        _ => Ok(()),
    }
}

/// `unreserved` of RFC 3986 §2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// `pchar` of RFC 3986 §3.3 and the slash, less the semicolon, which is refused.
fn may_stand_raw(byte: u8) -> bool {
    let is_delimiter = matches!(
        byte,
        b'/' | b':' | b'@' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'='
    );
    is_unreserved(byte) || is_delimiter
}

/// Refuses dot segments and empty ones; the last one may be empty, which is a trailing slash.
fn check_segments(normal: &str) -> Result<(), PathError> {
    let mut segments = normal.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." | ".." => return Err(PathError::DotSegment),
            "" if segments.peek().is_some() => return Err(PathError::EmptySegment),
            _ => {}
        }
    }
    Ok(())
}

/// Refuses escapes that are no text. Control characters beyond ASCII (U+0080 to U+009F) show only here.
fn check_text(normal: &str) -> Result<(), PathError> {
    let text = percent_decode_str(normal).decode_utf8();
    let text = text.or(Err(PathError::NotUtf8))?;
    if text.chars().any(char::is_control) {
        return Err(PathError::Control);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
