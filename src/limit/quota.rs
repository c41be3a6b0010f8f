//! How many in which time.

use std::fmt;
use std::time::Duration;

use crate::units::{format_duration, parse_duration};

/// So many at once, given back evenly over a period: `10/1m` is ten, then one every six seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    count: u32,
    period: Duration,
}

impl Quota {
    /// `count` at once, given back evenly over `period`. Neither is ever nothing.
    pub const fn new(count: u32, period: Duration) -> Self {
        let count = if count == 0 { 1 } else { count };
        let period = if period.is_zero() {
            Duration::from_secs(1)
        } else {
            period
        };
        Self { count, period }
    }

    /// Reads `10/1m`: from 1 to 1,000,000, in a second to a day.
    pub fn parse(text: &str) -> Option<Self> {
        let (count, period) = text.split_once('/')?;
        let plain = count.bytes().all(|byte| byte.is_ascii_digit());
        let count = count.parse().ok().filter(|_| plain)?;
        let period = parse_duration(period).ok()?;
        let sound = (1..=1_000_000).contains(&count)
            && (Duration::from_secs(1)..=Duration::from_hours(24)).contains(&period);
        sound.then(|| Self::new(count, period))
    }

    /// How many may come at once.
    pub const fn count(self) -> u32 {
        self.count
    }

    /// In which time all of them are given back.
    pub const fn period(self) -> Duration {
        self.period
    }

    /// The time in which one is given back, in microseconds, at least one.
    pub fn interval(self) -> i64 {
        let whole = i64::try_from(self.period.as_micros()).unwrap_or(i64::MAX);
        (whole / i64::from(self.count)).max(1)
    }

    /// How far ahead of the present a full bucket lies, in microseconds.
    pub fn tolerance(self) -> i64 {
        self.interval().saturating_mul(i64::from(self.count))
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, format_duration(self.period))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_reads_back_what_it_prints_and_nothing_vague() {
        for text in ["10/1m", "1/1s", "1000000/1d", "30/10m", "5/1h30m"] {
            assert_eq!(
                Quota::parse(text).map(|it| it.to_string()).as_deref(),
                Some(text)
            );
        }
        for text in [
            "",
            "10",
            "/1m",
            "10/",
            "0/1m",
            "+1/1m",
            "10/0s",
            "10/2d",
            "10/500ms",
            "1000001/1m",
            "10 / 1m",
            "-1/1m",
            "10/m",
        ] {
            assert_eq!(Quota::parse(text), None, "{text:?}");
        }
    }
}
