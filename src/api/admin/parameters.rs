//! The query of a call: what an endpoint knows it takes, and what is left then is a mistake.

use std::borrow::Cow;

use http::StatusCode;
use url::form_urlencoded;

use super::{ApiError, LARGEST_PAGE, USUAL_PAGE};
use crate::wire::problem::{Mistake, Place, Problem};

/// The longest value, in characters: more than any name or address has.
const LONGEST: usize = 320;

/// The parameters of a query.
pub(super) struct Parameters {
    pairs: Vec<(String, String)>,
    mistakes: Vec<Mistake>,
}

impl Parameters {
    pub(super) fn read(query: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self {
            pairs: pairs.into_owned().collect(),
            mistakes: Vec::new(),
        }
    }

    /// A parameter as `read` understands it; a mistake is kept until [`finish`](Self::finish).
    pub(super) fn take<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, Cow<'static, str>>,
    ) -> Option<T> {
        let at = self.pairs.iter().position(|(found, _)| found == name)?;
        let (_, text) = self.pairs.remove(at);
        // A database takes no NUL, and nothing that is looked for holds any other.
        let value = if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
            Err("is too long, or holds control characters".into())
        } else {
            read(&text)
        };
        value
            .map_err(|detail| self.mistaken(name.to_owned(), detail))
            .ok()
    }

    /// A parameter that may be said several times.
    pub(super) fn all<T>(
        &mut self,
        name: &str,
        read: impl Fn(&str) -> Result<T, Cow<'static, str>>,
    ) -> Vec<T> {
        let is_named = |(found, _): &(String, String)| found == name;
        let count = self.pairs.iter().filter(|pair| is_named(pair)).count();
        (0..count).filter_map(|_| self.take(name, &read)).collect()
    }

    /// A text, as it stands.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name, |text| Ok(text.to_owned()))
    }

    /// How many a page has.
    pub(super) fn limit(&mut self) -> u32 {
        let limit = self.take("limit", |text| match text.parse() {
            Ok(limit @ 1..=LARGEST_PAGE) => Ok(limit),
            Ok(_) | Err(_) => Err(format!("is no number from 1 to {LARGEST_PAGE}").into()),
        });
        limit.unwrap_or(USUAL_PAGE)
    }

    /// How many are passed over.
    pub(super) fn offset(&mut self) -> u32 {
        let offset = self.take("offset", |text| {
            let number = text.parse::<u32>().ok();
            let number = number.filter(|number| i32::try_from(*number).is_ok());
            number.ok_or_else(|| "is no number from 0 to 2147483647".into())
        });
        offset.unwrap_or(0)
    }

    /// To be called when all that is known was taken: what is left nobody knows, or was said twice.
    pub(super) fn finish(mut self) -> Result<(), ApiError> {
        for (name, _) in std::mem::take(&mut self.pairs) {
            self.mistaken(name, "is not known here, or is said twice".into());
        }
        if self.mistakes.is_empty() {
            return Ok(());
        }
        let problem = Problem::new(StatusCode::BAD_REQUEST, "invalid_parameters");
        Err(ApiError::Refused(problem.mistakes(self.mistakes)))
    }

    fn mistaken(&mut self, name: String, detail: Cow<'static, str>) {
        self.mistakes.push(Mistake {
            place: Place::Parameter(name),
            detail,
        });
    }
}
