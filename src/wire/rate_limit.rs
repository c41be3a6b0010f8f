//! What a client that came too soon is told in headers, in the three forms that clients know.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::limit::Limited;

/// Which headers beside `Retry-After`, which all of them have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).
    Standard,
    /// `RateLimit-Limit`, `-Remaining`, `-Reset` and `-Policy`: its sixth draft, as Express writes it.
    Sixth,
    /// `X-RateLimit-Limit`, `-Remaining` and `-Reset`, the reset in seconds from now.
    Prefixed,
}

/// Adds what `limited` says.
pub fn add(headers: &mut HeaderMap, limited: &Limited, form: Form) {
    let reset = whole_seconds(limited.retry_after);
    let (count, window) = (limited.quota.count(), limited.quota.period().as_secs());
    headers.insert(header::RETRY_AFTER, reset.into());
    let name = limited.purpose.as_str();
    let values: &[(&'static str, String)] = &match form {
        Form::Standard => vec![
            ("ratelimit", format!("\"{name}\";r=0;t={reset}")),
            (
                "ratelimit-policy",
                format!("\"{name}\";q={count};w={window}"),
            ),
        ],
        Form::Sixth => vec![
            ("ratelimit-limit", count.to_string()),
            ("ratelimit-remaining", "0".to_owned()),
            ("ratelimit-reset", reset.to_string()),
            ("ratelimit-policy", format!("{count};w={window}")),
        ],
        Form::Prefixed => vec![
            ("x-ratelimit-limit", count.to_string()),
            ("x-ratelimit-remaining", "0".to_owned()),
            ("x-ratelimit-reset", reset.to_string()),
        ],
    };
    for (name, value) in values {
        // Digits and fixed words, which are always good in a header.
        let value = HeaderValue::try_from(value).ok();
        headers.extend(value.map(|value| (HeaderName::from_static(name), value)));
    }
}

/// Adds what is left to an answer that did not come too soon, in the [`Prefixed`](Form::Prefixed) form.
pub fn add_left(headers: &mut HeaderMap, (limit, remaining): (u32, u32), reset: Duration) {
    let values = [
        ("x-ratelimit-limit", limit.into()),
        ("x-ratelimit-remaining", remaining.into()),
        ("x-ratelimit-reset", whole_seconds(reset).into()),
    ];
    for (name, value) in values {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Rounded up, and at least one: "try again in 0 seconds" is a stampede.
pub fn whole_seconds(time: Duration) -> u64 {
    let begun = u64::from(time.subsec_nanos() > 0);
    time.as_secs().saturating_add(begun).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::{Bucket, Purpose, Quota};

    fn check(form: Form, expected: &[(&str, &str)]) {
        let limited = Limited {
            purpose: Purpose::SignIn,
            bucket: Bucket::Pair,
            quota: Quota::parse("10/1m").unwrap(),
            retry_after: Duration::from_millis(5_100),
        };
        let mut headers = HeaderMap::new();
        add(&mut headers, &limited, form);
        assert_eq!(headers.remove("retry-after").unwrap(), "6");
        let mut found: Vec<_> = headers
            .iter()
            .map(|(n, v)| (n.as_str(), v.to_str().unwrap()))
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn each_form_says_what_its_clients_read() {
        check(
            Form::Standard,
            &[
                ("ratelimit", "\"sign-in\";r=0;t=6"),
                ("ratelimit-policy", "\"sign-in\";q=10;w=60"),
            ],
        );
        check(
            Form::Sixth,
            &[
                ("ratelimit-limit", "10"),
                ("ratelimit-policy", "10;w=60"),
                ("ratelimit-remaining", "0"),
                ("ratelimit-reset", "6"),
            ],
        );
        check(
            Form::Prefixed,
            &[
                ("x-ratelimit-limit", "10"),
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-reset", "6"),
            ],
        );
    }
}
