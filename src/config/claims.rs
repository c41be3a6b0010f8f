//! `{ claim = …, equals | contains | one_of = … }`: a claim and what it must be.

use super::reader::{Read, Section, Value, all};
use super::values::exactly_one;
use crate::policy::ClaimTest;

/// The path of a claim, and what it must be.
pub(super) fn claim(section: &Section<'_>) -> Read<(String, ClaimTest)> {
    let path = section.read("claim", path);
    let test = test(section);
    Ok((path?, test?))
}

/// The path of a claim.
pub(super) fn path(value: &Value<'_>) -> Read<String> {
    value.parsed(
        "the path of a claim, such as \"realm_access.roles\"",
        |text| {
            let filled = !text.split('.').any(|step| step.trim().is_empty());
            filled.then(|| text.to_owned())
        },
    )
}

/// What something must be.
pub(super) fn test(section: &Section<'_>) -> Read<ClaimTest> {
    let expected = "a text, a number, true or false";
    match exactly_one(section, &["equals", "contains", "one_of"])? {
        "equals" => section
            .read("equals", |value| value.json(expected))
            .map(ClaimTest::Equals),
        "contains" => section
            .read("contains", |value| value.json(expected))
            .map(ClaimTest::Contains),
        _ => section.read("one_of", choices).map(ClaimTest::OneOf),
    }
}

fn choices(value: &Value<'_>) -> Read<Vec<serde_json::Value>> {
    let items = value.at_least_one("a list of texts, numbers, true or false; at least one")?;
    all(items
        .iter()
        .map(|item| item.json("a text, a number, true or false")))
}
