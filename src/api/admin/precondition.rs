//! `ETag`, `If-Match` and `If-None-Match` (RFC 9110 §13.1): nobody overwrites what they have not seen.

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::ApiError;
use crate::auth::admin::AdminError;
use crate::user::Revision;
use crate::wire::problem::Problem;

/// What a call says of the state that it has seen.
pub(super) struct Preconditions {
    matches: Option<Tags>,
    differs: Option<Tags>,
}

/// The tags of a header.
enum Tags {
    /// `*`: whichever it is.
    Any,
    /// One of these, as they were written.
    OneOf(Vec<String>),
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
            matches: tags(headers, &IF_MATCH),
            differs: tags(headers, &IF_NONE_MATCH),
        }
    }

    /// Whether the caller has this state already.
    pub(super) fn has(&self, revision: Revision) -> bool {
        match &self.differs {
            None => false,
            Some(Tags::Any) => true,
            // What matters here is whether it is the same, so a weak tag will do.
            Some(Tags::OneOf(tags)) => tags
                .iter()
                .any(|tag| read(tag.strip_prefix("W/").unwrap_or(tag)) == Some(revision)),
        }
    }

    /// Which state the caller wants to change; none where they do not say. Of several tags the account
    /// must be the first that is ours: more than one state nobody has seen last.
    pub(super) fn expected(&self) -> Result<Option<Expected>, ApiError> {
        match &self.matches {
            None => Ok(None),
            Some(Tags::Any) => Ok(Some(Expected::Any)),
            Some(Tags::OneOf(tags)) => {
                let revision = tags.iter().find_map(|tag| read(tag));
                let revision = revision.ok_or_else(no_such_state)?;
                Ok(Some(Expected::This(revision)))
            }
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

fn read(tag: &str) -> Option<Revision> {
    let number = tag.strip_prefix('"')?.strip_suffix('"')?;
    number.parse().ok().map(Revision::new)
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Tags> {
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    if lines.is_empty() {
        return None;
    }
    // Bytes that are no text are no tag of ours.
    let lines = lines.iter().filter_map(|line| line.to_str().ok());
    let tags: Vec<String> = lines
        .flat_map(|line| line.split(','))
        .map(|tag| tag.trim().to_owned())
        .collect();
    Some(match tags.as_slice() {
        [only] if only == "*" => Tags::Any,
        _others => Tags::OneOf(tags),
    })
}

fn no_such_state() -> ApiError {
    let problem = Problem::new(StatusCode::PRECONDITION_FAILED, "outdated");
    ApiError::Refused(problem.detail("No state has this ETag. Read it again."))
}
