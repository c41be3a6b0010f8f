//! One-time codes in the embedded SQLite file or in PostgreSQL: the same statements for both.
//!
//! Each step is one statement, which both engines carry out whole: PostgreSQL looks at a row again when
//! it had to wait for another who changed it.

use async_trait::async_trait;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, Row as _, query};

use super::{CodeStore, Exchange, Put, Redeemed, Shown};
use crate::clock::Timestamp;
use crate::code::{DigitsHash, KeptCode, Purpose, TokenHash};
use crate::database::Database;
use crate::id::UserId;
use crate::unavailable::Unavailable;
use crate::user::{Email, NameError};

/// Codes in a database.
#[derive(Clone, Debug)]
pub struct SqlCodes {
    database: Database,
}

type Statement = Query<'static, Any, AnyArguments>;

impl SqlCodes {
    /// The codes of `database`.
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    async fn execute(&self, statement: Statement) -> Result<u64, Unavailable> {
        let work = async { statement.execute(self.database.pool().await?).await };
        let done = self.database.within(work).await;
        done.map(|done| done.rows_affected())
            .map_err(|error| self.database.away(error))
    }

    /// The code that a statement found right, if any.
    async fn redeem(&self, statement: Statement) -> Result<Option<Redeemed>, Unavailable> {
        let work = async { statement.fetch_all(self.database.pool().await?).await };
        let rows = self.database.within(work).await;
        let rows = rows.map_err(|error| self.database.away(error))?;
        // Two accounts may be on their way to the same address, each with a code of its own.
        let hits = rows.iter().filter_map(|row| read(row).transpose());
        let hit: Result<Vec<_>, _> = hits.collect();
        hit.map(|hits| hits.into_iter().next())
            .map_err(|error| self.database.away(error))
    }
}

#[async_trait]
impl CodeStore for SqlCodes {
    async fn put(&self, code: KeptCode, young: Timestamp) -> Result<Put, Unavailable> {
        let statement = query(
            "INSERT INTO codes (user_id, purpose, email, digits, digits_end_at, attempts_left, token,
                                token_ends_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (user_id, purpose) DO UPDATE
             SET email = excluded.email, digits = excluded.digits,
                 digits_end_at = excluded.digits_end_at, attempts_left = excluded.attempts_left,
                 token = excluded.token, token_ends_at = excluded.token_ends_at, spent = 0,
                 created_at = excluded.created_at
             WHERE codes.created_at <= $10 OR codes.spent = 1 OR codes.email <> excluded.email",
        )
        .bind(bytes(code.user))
        .bind(code.subject.purpose.as_str())
        .bind(code.subject.email.as_str().to_owned())
        .bind(code.digits.map(|hash| hash.as_str().to_owned()))
        .bind(code.digits_end_at.as_millis())
        .bind(i64::from(code.attempts))
        .bind(code.token.map(|hash| hash.as_str().to_owned()))
        .bind(code.token_ends_at.as_millis())
        .bind(code.created_at.as_millis())
        .bind(young.as_millis());
        Ok(match self.execute(statement).await? {
            0 => Put::TooSoon,
            _ => Put::Stored,
        })
    }

    async fn redeem_digits(&self, shown: Shown) -> Result<Option<Redeemed>, Unavailable> {
        let statement = query(
            "UPDATE codes
             SET spent = CASE WHEN digits IN ($4, $5) THEN 1 ELSE 0 END,
                 attempts_left = attempts_left - 1
             WHERE email = $1 AND purpose = $2 AND digits_end_at > $3 AND digits IS NOT NULL
                   AND spent = 0 AND attempts_left > 0
             RETURNING user_id, email, spent AS hit",
        );
        self.redeem(bind_shown(statement, shown)).await
    }

    async fn exchange_digits(
        &self,
        shown: Shown,
        exchange: Exchange,
    ) -> Result<Option<Redeemed>, Unavailable> {
        let statement = query(
            "UPDATE codes
             SET digits = CASE WHEN digits IN ($4, $5) THEN NULL ELSE digits END,
                 token = CASE WHEN digits IN ($4, $5) THEN $6 ELSE token END,
                 token_ends_at = CASE WHEN digits IN ($4, $5) THEN $7 ELSE token_ends_at END,
                 attempts_left = attempts_left - 1
             WHERE email = $1 AND purpose = $2 AND digits_end_at > $3 AND digits IS NOT NULL
                   AND spent = 0 AND attempts_left > 0
             RETURNING user_id, email, CASE WHEN digits IS NULL THEN 1 ELSE 0 END AS hit",
        );
        let statement = bind_shown(statement, shown)
            .bind(exchange.token.as_str().to_owned())
            .bind(exchange.ends_at.as_millis());
        self.redeem(statement).await
    }

    async fn redeem_token(
        &self,
        purpose: Purpose,
        token: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<Redeemed>, Unavailable> {
        let statement = query(
            "UPDATE codes SET spent = 1
             WHERE token = $1 AND purpose = $2 AND token_ends_at > $3 AND spent = 0
             RETURNING user_id, email, spent AS hit",
        )
        .bind(token.as_str().to_owned())
        .bind(purpose.as_str())
        .bind(now.as_millis());
        self.redeem(statement).await
    }

    async fn forget(&self, user: UserId) -> Result<(), Unavailable> {
        let statement = query("DELETE FROM codes WHERE user_id = $1").bind(bytes(user));
        self.execute(statement).await.map(drop)
    }

    async fn clear_expired(&self, now: Timestamp) -> Result<u64, Unavailable> {
        let statement =
            query("DELETE FROM codes WHERE digits_end_at <= $1 AND token_ends_at <= $1");
        self.execute(statement.bind(now.as_millis())).await
    }
}

fn bind_shown(statement: Statement, shown: Shown) -> Statement {
    let [newest, before] = shown.digits;
    let text = |hash: DigitsHash| hash.as_str().to_owned();
    statement
        .bind(shown.subject.email.as_str().to_owned())
        .bind(shown.subject.purpose.as_str())
        .bind(shown.now.as_millis())
        .bind(text(newest))
        .bind(text(before))
}

fn bytes(user: UserId) -> Vec<u8> {
    user.as_bytes().to_vec()
}

/// A row that does not hold what we would have written.
#[derive(Debug, thiserror::Error)]
enum BadRow {
    #[error("a row of the table of codes has another shape")]
    Shape(#[from] sqlx::Error),
    #[error("a row of the table of codes has a bad user id")]
    User(#[from] std::array::TryFromSliceError),
    #[error("a row of the table of codes has a bad email")]
    Email(#[from] NameError),
}

fn read(row: &AnyRow) -> Result<Option<Redeemed>, BadRow> {
    let hit: i64 = row.try_get("hit")?;
    let user: Vec<u8> = row.try_get("user_id")?;
    let email: String = row.try_get("email")?;
    let redeemed = Redeemed {
        user: UserId::from_bytes(user.as_slice().try_into()?),
        email: Email::parse(&email)?,
    };
    Ok((hit == 1).then_some(redeemed))
}
