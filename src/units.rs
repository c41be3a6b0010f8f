//! Spans of time and sizes as people write them: `15m`, `1h30m`, `64KiB`.
//!
//! Whole numbers with a unit each, nothing else: no fractions, no spaces, no bare numbers, so that
//! nobody has to guess whether `10` meant seconds or milliseconds.

use std::time::Duration;

/// Why a text is no span of time or size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Nothing is there.
    #[error("is empty")]
    Empty,
    /// A unit stands where a number is expected, or a sign, point or space among the digits.
    #[error("a whole number must stand before each unit")]
    NoNumber,
    /// A number without a unit.
    #[error("a number has no unit")]
    NoUnit,
    /// A unit that is not one of ours.
    #[error("a unit that is not known")]
    UnknownUnit,
    /// Units must go from large to small, each at most once: `1h30m`, not `30m1h`.
    #[error("units must go from large to small, each once")]
    Order,
    /// More than can be told.
    #[error("is too large")]
    TooLarge,
}

/// Units of time in milliseconds, the largest first.
const TIME_UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Units of size in bytes (IEC 80000-13), the largest first. `KB` and `MB` are left out: half of
/// their readers take them for powers of ten.
const SIZE_UNITS: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Reads a span of time in `d`, `h`, `m`, `s` and `ms`: `250ms`, `15m`, `1h30m`.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    total(text, &TIME_UNITS).map(Duration::from_millis)
}

/// Reads a size in `GiB`, `MiB`, `KiB` and `B`; the result is in bytes.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    total(text, &SIZE_UNITS)
}

/// Writes a span of time as [`parse_duration`] reads it; what is shorter than a millisecond is lost.
pub fn format_duration(span: Duration) -> String {
    let mut rest = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, size) in TIME_UNITS {
        let (count, left) = (rest / size, rest % size);
        if count > 0 {
            text.push_str(&count.to_string());
            text.push_str(unit);
        }
        rest = left;
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

/// The sum of all `number unit` pairs of `text`.
fn total(text: &str, units: &[(&str, u64)]) -> Result<u64, UnitError> {
    if text.is_empty() {
        return Err(UnitError::Empty);
    }
    let (mut rest, mut units_left, mut sum) = (text, units, 0_u64);
    while !rest.is_empty() {
        let (count, after_number) = number(rest)?;
        let (unit, after_unit) = word(after_number);
        let size = size_of(unit, units)?;
        let place = units_left.iter().position(|(_, left)| *left == size);
        units_left = place
            .and_then(|place| units_left.get(place + 1..))
            .ok_or(UnitError::Order)?;
        sum = count
            .checked_mul(size)
            .and_then(|part| sum.checked_add(part))
            .ok_or(UnitError::TooLarge)?;
        rest = after_unit;
    }
    Ok(sum)
}

fn number(text: &str) -> Result<(u64, &str), UnitError> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (digits, rest) = text.split_at_checked(digits).unwrap_or((text, ""));
    if digits.is_empty() {
        return Err(UnitError::NoNumber);
    }
    Ok((digits.parse().or(Err(UnitError::TooLarge))?, rest))
}

/// The text up to the next digit.
fn word(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn size_of(unit: &str, units: &[(&str, u64)]) -> Result<u64, UnitError> {
    if unit.is_empty() {
        return Err(UnitError::NoUnit);
    }
    units
        .iter()
        .find_map(|(name, size)| (*name == unit).then_some(*size))
        .ok_or(UnitError::UnknownUnit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_span_of_time_needs_a_unit_for_each_number() {
        let check = |text: &str, expected: Result<u64, UnitError>| {
            let millis = expected.map(Duration::from_millis);
            assert_eq!(parse_duration(text), millis, "{text:?}");
        };
        check("250ms", Ok(250));
        check("10s", Ok(10_000));
        check("15m", Ok(900_000));
        check("7d", Ok(604_800_000));
        check("1h30m", Ok(5_400_000));
        check("1m5ms", Ok(60_005));
        check("0s", Ok(0));
        check("", Err(UnitError::Empty));
        check("10", Err(UnitError::NoUnit));
        check("1h30", Err(UnitError::NoUnit));
        check("s", Err(UnitError::NoNumber));
        check("-1s", Err(UnitError::NoNumber));
        check("1.5h", Err(UnitError::UnknownUnit));
        check("10 s", Err(UnitError::UnknownUnit));
        check("10S", Err(UnitError::UnknownUnit));
        check("2w", Err(UnitError::UnknownUnit));
        check("30m1h", Err(UnitError::Order));
        check("1s1s", Err(UnitError::Order));
        check("١s", Err(UnitError::NoNumber));
        check("99999999999999999999s", Err(UnitError::TooLarge));
        check("18446744073709551615d", Err(UnitError::TooLarge));
    }

    #[test]
    fn a_size_counts_in_powers_of_two() {
        let check = |text: &str, expected: Result<u64, UnitError>| {
            assert_eq!(parse_size(text), expected, "{text:?}");
        };
        check("64KiB", Ok(65_536));
        check("1MiB512KiB", Ok(1_572_864));
        check("2GiB", Ok(2_147_483_648));
        check("100B", Ok(100));
        check("64KB", Err(UnitError::UnknownUnit));
        check("64", Err(UnitError::NoUnit));
        check("99999999999GiB", Err(UnitError::TooLarge));
    }

    proptest! {
        #[test]
        fn a_span_of_time_reads_back_what_it_prints(millis: u64) {
            let span = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(span)), Ok(span));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,40}") {
            let _any = (parse_duration(&text), parse_size(&text));
        }
    }
}
