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
