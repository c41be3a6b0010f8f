//! What a search for users matches.

use sqlx::Any;
use sqlx::any::AnyArguments;
use sqlx::query::{QueryAs, QueryScalar};

use super::row::Row;

/// A search text as the statements use it: $1 a `LIKE` pattern for names, $2 and $3 the least and the
/// greatest id.
pub(super) struct Search {
    names: String,
    ids: ([u8; 16], [u8; 16]),
}

type Rows = QueryAs<'static, Any, Row, AnyArguments>;
type Number = QueryScalar<'static, Any, i64, AnyArguments>;

impl Search {
    /// Fewer digits than this would match the ids of most accounts by accident.
    const FEWEST_ID_DIGITS: usize = 8;
    /// Least above greatest: no id is between them.
    const NO_IDS: ([u8; 16], [u8; 16]) = ([0xff; 16], [0; 16]);

    pub(super) fn of(text: &str) -> Self {
        let text = text.trim().to_lowercase();
        let mut names = String::from("%");
        for c in text.chars() {
            if matches!(c, '%' | '_' | '\\') {
                names.push('\\');
            }
            names.push(c);
        }
        names.push('%');
        let digits: Option<Vec<u8>> = text
            .chars()
            .filter(|c| *c != '-')
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let ids = match digits {
            Some(digits) if (Self::FEWEST_ID_DIGITS..=32).contains(&digits.len()) => {
                (padded(&digits, 0), padded(&digits, 0xf))
            }
            Some(_) | None => Self::NO_IDS,
        };
        Self { names, ids }
    }

    pub(super) fn bind_rows(&self, rows: Rows) -> Rows {
        let (least, greatest) = self.ids;
        rows.bind(self.names.clone())
            .bind(least.to_vec())
            .bind(greatest.to_vec())
    }

    pub(super) fn bind_scalar(&self, number: Number) -> Number {
        let (least, greatest) = self.ids;
        number
            .bind(self.names.clone())
            .bind(least.to_vec())
            .bind(greatest.to_vec())
    }
}

/// The 16 bytes of these hexadecimal digits, filled up with `fill`.
fn padded(digits: &[u8], fill: u8) -> [u8; 16] {
    let digit = |at: usize| digits.get(at).copied().unwrap_or(fill);
    std::array::from_fn(|byte| digit(2 * byte) << 4 | digit(2 * byte + 1))
}
