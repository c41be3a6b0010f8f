//! Which paths a route is for.

use std::fmt;
use std::str::FromStr;

use super::PatternError;
use crate::path::NormalPath;

/// Which paths a route is for: literal segments, `*` for one segment, `**` at the end for the rest.
///
/// A trailing slash says nothing: `/admin` and `/admin/` are the same pattern and fit the same paths.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathPattern {
    segments: Box<[Segment]>,
}

/// A piece of a path pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Exactly this text, spelt as in a [`NormalPath`].
    Literal(Box<str>),
    /// Any one segment.
    One,
    /// Any number of segments, none included; only at the end.
    Rest,
}

impl PathPattern {
    /// Reads a pattern such as `/admin/**`. It is spelt as request paths are, by the same code, so that
    /// no spelling of a path gets past the pattern that is meant for it.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let path = NormalPath::parse(text)?;
        let segments = path
            .segments()
            .map(parse_segment)
            .collect::<Result<Box<[_]>, _>>()?;
        let before_last = segments.iter().rev().skip(1);
        if before_last.into_iter().any(|s| *s == Segment::Rest) {
            return Err(PatternError::RestNotLast);
        }
        Ok(Self { segments })
    }

    /// Its segments, from the left.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

fn parse_segment(text: &str) -> Result<Segment, PatternError> {
    match text {
        "*" => Ok(Segment::One),
        "**" => Ok(Segment::Rest),
        _ if text.contains('*') => Err(PatternError::StarInText),
        _ => Ok(Segment::Literal(text.into())),
    }
}

impl FromStr for PathPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::parse(text)
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.segments.is_empty() {
            return f.write_str("/");
        }
        self.segments.iter().try_for_each(|s| write!(f, "/{s}"))
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::One => f.write_str("*"),
            Self::Rest => f.write_str("**"),
        }
    }
}
