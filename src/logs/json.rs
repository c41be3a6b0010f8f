//! A line of JSON about a request, written field by field.
//!
//! serde looks through the name of each field for what must be escaped, and through a text byte by
//! byte. With some fifteen fields for every request that was the half of the time a line took.

use std::cell::Cell;

use crate::clock::Timestamp;

/// The length of `2026-11-21T10:35:56`.
const SECOND_BYTES: usize = 19;
/// The same with `.816Z`.
const TIME_BYTES: usize = 24;

/// An object that is being written. The names of its fields are ours, and plain letters.
pub(super) struct JsonObject<'a> {
    line: &'a mut Vec<u8>,
}

impl<'a> JsonObject<'a> {
    /// Begins with the time. Times of the same second share most of their text.
    pub(super) fn begin(line: &'a mut Vec<u8>, time: Timestamp) -> Self {
        thread_local! {
            static LAST: Cell<(i64, [u8; SECOND_BYTES])> = const { Cell::new((i64::MIN, [0; SECOND_BYTES])) };
        }
        line.extend_from_slice(b"{\"time\":\"");
        let millis = time.as_millis();
        let (second, rest) = (millis.div_euclid(1000), millis.rem_euclid(1000));
        let (last_second, text) = LAST.get();
        if second == last_second {
            line.extend_from_slice(&text);
            line.push(b'.');
            for unit in [100, 10, 1] {
                line.push(digit(rest.unsigned_abs() / unit % 10));
            }
            line.push(b'Z');
        } else {
            let text = time.to_string();
            line.extend_from_slice(text.as_bytes());
            // Outside of the years of four digits it is written otherwise.
            if text.len() == TIME_BYTES
                && let Some(text) = text.as_bytes().first_chunk()
            {
                LAST.set((second, *text));
            }
        }
        line.push(b'"');
        Self { line }
    }

    fn name(&mut self, name: &'static str) {
        self.line.extend_from_slice(b",\"");
        self.line.extend_from_slice(name.as_bytes());
        self.line.extend_from_slice(b"\":");
    }

    /// A text.
    pub(super) fn text(&mut self, name: &'static str, text: &str) {
        self.name(name);
        if is_plain(text) {
            self.line.push(b'"');
            self.line.extend_from_slice(text.as_bytes());
            self.line.push(b'"');
        } else {
            // A `str` can always be written, and a `Vec` always written to.
            let escaped = serde_json::Value::from(text).to_string();
            self.line.extend_from_slice(escaped.as_bytes());
        }
    }

    /// A text that there may be.
    pub(super) fn text_if_any(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// A number.
    pub(super) fn number(&mut self, name: &'static str, number: u64) {
        self.name(name);
        let mut digits = [0; 20];
        let mut rest = number;
        let mut first = digits.len();
        for place in (0..digits.len()).rev() {
            if let Some(slot) = digits.get_mut(place) {
                *slot = digit(rest % 10);
            }
            first = place;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.line
            .extend_from_slice(digits.get(first..).unwrap_or_default());
    }

    /// A number that there may be.
    pub(super) fn number_if_any(&mut self, name: &'static str, number: Option<u64>) {
        if let Some(number) = number {
            self.number(name, number);
        }
    }

    /// Ends it, and the line.
    pub(super) fn end(self) {
        self.line.extend_from_slice(b"}\n");
    }
}

fn digit(number: u64) -> u8 {
    // Never more than one digit.
    b'0' + u8::try_from(number).unwrap_or(0)
}

/// Whether it stands in JSON as it is (RFC 8259 §7). Looks at all of it, so that many bytes are taken at
/// once.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a branch for each byte would be the opposite"
)]
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |so_far, byte| {
        so_far & (byte >= 0x20) & (byte != b'"') & (byte != b'\\')
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn written(time: Timestamp, texts: &[&str], numbers: &[u64]) -> Value {
        let mut line = Vec::new();
        let mut object = JsonObject::begin(&mut line, time);
        for text in texts {
            object.text("text", text);
            object.text_if_any("none", None);
        }
        for number in numbers {
            object.number("number", *number);
            object.number_if_any("none", None);
        }
        object.end();
        assert_eq!(line.split_inclusive(|byte| *byte == b'\n').count(), 1);
        serde_json::from_slice(&line).unwrap()
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let now = Timestamp::from_millis(1_763_721_355_816);
        let nasty = (0..0x300).filter_map(char::from_u32).collect::<String>();
        for text in [
            "",
            "plain",
            "\"",
            "\\",
            "a\r\n{\"b\":1}",
            "ünï\u{2028}",
            nasty.as_str(),
        ] {
            let line = written(now, &[text], &[]);
            assert_eq!(line["text"], text);
            assert_eq!(line.as_object().unwrap().len(), 2);
        }
        for number in [0, 7, 10, 99, 100, 65_536, u64::MAX] {
            assert_eq!(written(now, &[], &[number])["number"], number);
        }
    }

    #[test]
    fn times_of_a_second_are_written_as_any_other() {
        for millis in [
            1_763_721_355_816,
            1_763_721_355_817,
            1_763_721_355_000,
            1_763_721_356_009,
            -1,
            -2,
            -1_000,
            253_402_300_800_000,
            253_402_300_800_001,
        ] {
            let time = Timestamp::from_millis(millis);
            assert_eq!(written(time, &[], &[])["time"], time.to_string());
        }
    }
}
