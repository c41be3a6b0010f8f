//! Patterns: what a host, a path and a method must look like.

/// Which hosts a route is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// Every host.
    Any,
    /// This host, in lower case, without a port.
    Exact(Box<str>),
    /// Every host below this domain (`*.example.com` is kept as `example.com`), at any depth.
    Below(Box<str>),
}

/// Which paths a route is for: literal segments, `*` for one segment, `**` at the end for the rest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathPattern {
    segments: Box<[Segment]>,
}

/// A piece of a path pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Exactly this text.
    Literal(Box<str>),
    /// Any one segment.
    One,
    /// Any number of segments, none included; only at the end.
    Rest,
}

/// Which methods a route is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// Every method.
    Any,
    /// These; `GET` brings `HEAD` along.
    Only(Vec<http::Method>),
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no pattern")]
pub struct PatternError;

impl HostPattern {
    /// Reads a host, or `*.` and a domain.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let host = text.to_ascii_lowercase();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let (below, name) = match host.strip_prefix("*.") {
            Some(domain) => (true, domain),
            None => (false, host.as_str()),
        };
        match name {
            "" => Err(PatternError),
            name if !name.chars().all(allowed) => Err(PatternError),
            name if below => Ok(Self::Below(name.into())),
            name => Ok(Self::Exact(name.into())),
        }
    }
}

impl PathPattern {
    /// Reads a path pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let segments = text.strip_prefix('/').ok_or(PatternError)?.split('/');
        let segments = segments.map(|segment| match segment {
            "**" => Segment::Rest,
            "*" => Segment::One,
            literal => Segment::Literal(literal.into()),
        });
        Ok(Self {
            segments: segments.collect(),
        })
    }
}
