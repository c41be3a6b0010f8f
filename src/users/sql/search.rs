//! What a search for users matches.

use sqlx::Any;
use sqlx::any::AnyArguments;
use sqlx::query::{QueryAs, QueryScalar};

use super::row::Row;
use crate::user::AccountStatus;
use crate::users::UserQuery;

/// A search as the statements use it: $1 a `LIKE` pattern for names, $2 and $3 the least and the
/// greatest id, $4 a pattern for roles, $5 and $6 the least and the greatest of `disabled`.
pub(super) struct Search {
    names: String,
    ids: ([u8; 16], [u8; 16]),
    roles: String,
    disabled: (i64, i64),
}

type Rows = QueryAs<'static, Any, Row, AnyArguments>;
type Number = QueryScalar<'static, Any, i64, AnyArguments>;

impl Search {
    /// Fewer digits than this would match the ids of most accounts by accident.
    const FEWEST_ID_DIGITS: usize = 8;
    /// Least above greatest: no id is between them.
    const NO_IDS: ([u8; 16], [u8; 16]) = ([0xff; 16], [0; 16]);

    pub(super) fn of(query: &UserQuery) -> Self {
        let text = query.search.trim().to_lowercase();
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
        let role = query.role.as_ref();
        Self {
            names: anywhere(&text),
            ids,
            // In quotes, as the table keeps them: `admin` is not found in `shop-admin`.
            roles: role.map_or_else(|| "%".to_owned(), |role| anywhere(&format!("\"{role}\""))),
            disabled: match query.status {
                None => (0, 1),
                Some(AccountStatus::Enabled) => (0, 0),
                Some(AccountStatus::Disabled) => (1, 1),
            },
        }
    }

    pub(super) fn bind_rows(&self, rows: Rows) -> Rows {
        let (least, greatest) = self.ids;
        rows.bind(self.names.clone())
            .bind(least.to_vec())
            .bind(greatest.to_vec())
            .bind(self.roles.clone())
            .bind(self.disabled.0)
            .bind(self.disabled.1)
    }

    pub(super) fn bind_scalar(&self, number: Number) -> Number {
        let (least, greatest) = self.ids;
        number
            .bind(self.names.clone())
            .bind(least.to_vec())
            .bind(greatest.to_vec())
            .bind(self.roles.clone())
            .bind(self.disabled.0)
            .bind(self.disabled.1)
    }
}

/// A pattern for what holds `text`.
fn anywhere(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// The 16 bytes of these hexadecimal digits, filled up with `fill`.
fn padded(digits: &[u8], fill: u8) -> [u8; 16] {
    let digit = |at: usize| digits.get(at).copied().unwrap_or(fill);
    std::array::from_fn(|byte| digit(2 * byte) << 4 | digit(2 * byte + 1))
}
