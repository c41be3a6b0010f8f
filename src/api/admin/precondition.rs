//! `ETag`, `If-Match` and `If-None-Match` (RFC 9110 §13.1): nobody overwrites what they have not seen.

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::ApiError;
use crate::auth::admin::AdminError;
use crate::user::Revision;
use crate::wire::problem::Problem;

/// What a call says of the state that it has seen.
pub(super) struct Preconditions {
    matches: Header,
    differs: Header,
}

/// What a header holds.
enum Header {
    /// There is none.
    Absent,
    /// `*`: whichever it is.
    Any,
    /// One of these.
    OneOf(Vec<Tag>),
    /// No tags.
    Malformed,
}

/// An entity tag (RFC 9110 §8.8.3).
struct Tag {
    is_weak: bool,
    /// None where it is a tag, but none that was given out here.
    revision: Option<Revision>,
}

/// Which state may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Whichever it is.
    Any,
    /// This one.
    This(Revision),
}

impl Expected {
    /// Whether `present` is the state that the caller has seen.
    pub(super) fn hold(self, present: Revision) -> Result<(), ApiError> {
        match self {
            Self::Any => Ok(()),
            Self::This(seen) if seen == present => Ok(()),
            Self::This(_) => Err(AdminError::Outdated.into()),
        }
    }
}

impl Preconditions {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        Self {
            matches: header(headers, &IF_MATCH),
            differs: header(headers, &IF_NONE_MATCH),
        }
    }

    /// Whether the caller has this state already.
    pub(super) fn has(&self, revision: Revision) -> Result<bool, ApiError> {
        match &self.differs {
            Header::Absent => Ok(false),
            Header::Any => Ok(true),
            // What matters here is whether it is the same, so a weak tag will do.
            Header::OneOf(tags) => Ok(tags.iter().any(|tag| tag.revision == Some(revision))),
            Header::Malformed => Err(NO_TAGS),
        }
    }

    /// Which state the caller wants to change; none where they do not say. Of several tags the first of
    /// ours counts: nobody has seen more than one state last.
    pub(super) fn expected(&self) -> Result<Option<Expected>, ApiError> {
        match &self.matches {
            Header::Absent => Ok(None),
            Header::Any => Ok(Some(Expected::Any)),
            Header::OneOf(tags) => {
                let mut strong = tags.iter().filter(|tag| !tag.is_weak);
                let revision = strong.find_map(|tag| tag.revision);
                let revision = revision.ok_or(AdminError::Outdated)?;
                Ok(Some(Expected::This(revision)))
            }
            Header::Malformed => Err(NO_TAGS),
        }
    }

    /// The same, where they must say.
    pub(super) fn needed(&self) -> Result<Expected, ApiError> {
        self.expected()?.ok_or_else(|| {
            let status = StatusCode::PRECONDITION_REQUIRED;
            let problem = Problem::new(status, "if_match_needed");
            ApiError::Refused(problem.detail("Send the ETag that you have read as If-Match."))
        })
    }
}

/// The tag of a state.
pub(super) fn tag(revision: Revision) -> HeaderValue {
    let text = format!("\"{}\"", revision.number());
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("\"\""))
}

const NO_TAGS: ApiError = ApiError::Malformed("If-Match and If-None-Match hold ETags, or *");

fn header(headers: &HeaderMap, name: &HeaderName) -> Header {
    let mut lines = headers.get_all(name).iter().peekable();
    if lines.peek().is_none() {
        return Header::Absent;
    }
    let Some(lines) = lines
        .map(|line| line.to_str().ok())
        .collect::<Option<Vec<_>>>()
    else {
        return Header::Malformed;
    };
    if let [only] = lines.as_slice()
        && only.trim() == "*"
    {
        return Header::Any;
    }
    // No tag of ours holds a comma; one that does is read as two that are none.
    let tags = lines.iter().flat_map(|line| line.split(','));
    tags.map(tag_in)
        .collect::<Option<_>>()
        .map_or(Header::Malformed, Header::OneOf)
}

fn tag_in(text: &str) -> Option<Tag> {
    let text = text.trim();
    let (is_weak, opaque) = match text.strip_prefix("W/") {
        Some(opaque) => (true, opaque),
        None => (false, text),
    };
    let opaque = opaque.strip_prefix('"')?.strip_suffix('"')?;
    let revision = opaque.parse().ok().map(Revision::new);
    Some(Tag { is_weak, revision })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_named_by_its_strong_tag_or_a_star() {
        let check = |text: &'static str, expected: Option<Expected>| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_MATCH, HeaderValue::from_static(text));
            let read = Preconditions::read(&headers).expected();
            assert_eq!(read.ok().flatten(), expected, "{text}");
        };
        let this = |number| Some(Expected::This(Revision::new(number)));
        check("\"7\"", this(7));
        check("\"x\", \"7\"", this(7));
        check(" * ", Some(Expected::Any));
        check("W/\"7\"", None);
        check("7", None);
        check("", None);
        assert!(matches!(
            Preconditions::read(&HeaderMap::new()).expected(),
            Ok(None)
        ));
    }

    #[test]
    fn a_state_that_is_at_hand_may_be_named_by_a_weak_tag() {
        let check = |text: &'static str, expected: Option<bool>| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(text));
            let has = Preconditions::read(&headers).has(Revision::new(7));
            assert_eq!(has.ok(), expected, "{text}");
        };
        check("W/\"7\"", Some(true));
        check("\"6\",\"7\"", Some(true));
        check("\"6\"", Some(false));
        check("*", Some(true));
        check("seven", None);
    }
}
