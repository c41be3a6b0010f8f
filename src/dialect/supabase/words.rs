//! The two generations of error bodies; the client chooses by `X-Supabase-Api-Version`.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use super::super::gotrue::fault::code;
use super::Fault;
use crate::wire::rate_limit::Form;

const VERSION: HeaderName = HeaderName::from_static("x-supabase-api-version");
pub(super) const ERROR_CODE: HeaderName = HeaderName::from_static("x-sb-error-code");

/// The first version of the second generation; what is later is answered alike.
const SECOND: &str = "2024-01-01";

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    First {
        code: u16,
        error_code: &'static str,
        msg: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        weak_password: Option<WeakPassword>,
    },
    Second {
        code: &'static str,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        weak_password: Option<WeakPassword>,
    },
}

/// Which rules a password breaks: here there is but one.
#[derive(Serialize)]
struct WeakPassword {
    reasons: [&'static str; 1],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Generation {
    First,
    Second,
}

/// The words of a fault.
pub(super) fn render(fault: &Fault, asked: &HeaderMap) -> Response {
    let weak_password = (fault.code == code::WEAK_PASSWORD).then_some(WeakPassword {
        reasons: ["length"],
    });
    let message = &*fault.message;
    let generation = generation(asked);
    let body = match generation {
        Generation::First => Body::First {
            code: fault.status.as_u16(),
            error_code: fault.code,
            msg: message,
            weak_password,
        },
        Generation::Second => Body::Second {
            code: fault.code,
            message,
            weak_password,
        },
    };
    let mut response = (fault.status, Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(ERROR_CODE, HeaderValue::from_static(fault.code));
    if generation == Generation::Second {
        headers.insert(VERSION, HeaderValue::from_static(SECOND));
    }
    fault.add_headers(headers, Form::Standard);
    response
}

/// Dates of this form sort as texts. What is no date counts as absent.
fn generation(asked: &HeaderMap) -> Generation {
    let version = asked.get(VERSION).and_then(|value| value.to_str().ok());
    let version = version.filter(|text| is_date(text));
    if version.is_some_and(|date| date >= SECOND) {
        Generation::Second
    } else {
        Generation::First
    }
}

fn is_date(text: &str) -> bool {
    text.len() == SECOND.len()
        && text
            .bytes()
            .zip(SECOND.bytes())
            .all(|(byte, model)| match model {
                b'-' => byte == b'-',
                _ => byte.is_ascii_digit(),
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_chooses_the_generation() {
        let check = |version: Option<&'static str>, expected: Generation| {
            let mut asked = HeaderMap::new();
            asked.extend(version.map(|text| (VERSION, HeaderValue::from_static(text))));
            assert_eq!(generation(&asked), expected, "{version:?}");
        };
        check(None, Generation::First);
        check(Some("2023-12-31"), Generation::First);
        check(Some("2024-01-01"), Generation::Second);
        check(Some("2025-06-30"), Generation::Second);
        check(Some("zzzz-zz-zz"), Generation::First);
        check(Some("2024-1-1"), Generation::First);
        check(Some(""), Generation::First);
    }
}
