//! Users in the SQLite file of the state directory.
//!
//! Opening the file and its migrations belong to [`database`](crate::database).

use std::fmt;

use async_trait::async_trait;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqlitePool};
use sqlx::{Sqlite, query, query_as, query_scalar};

use super::{
    InsertError, NewUser, PasswordHash, StoredUser, UserChange, UserPage, UserQuery, UserStore,
};
use crate::clock::SharedClock;
use crate::id::UserId;
use crate::unavailable::Unavailable;
use crate::user::{AccountStatus, EmailStatus, Login, User};

mod row;

use row::Row;

/// Users in SQLite.
#[derive(Clone)]
pub struct SqliteUsers {
    pool: SqlitePool,
    clock: SharedClock,
}

impl SqliteUsers {
    /// The users of a database that [`database::open`](crate::database::open) has opened.
    pub fn new(pool: SqlitePool, clock: SharedClock) -> Self {
        Self { pool, clock }
    }
}

impl fmt::Debug for SqliteUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteUsers")
    }
}

#[async_trait]
impl UserStore for SqliteUsers {
    async fn by_id(&self, id: UserId) -> Result<Option<User>, Unavailable> {
        let row: Option<Row> = query_as("SELECT * FROM users WHERE id = ?1")
            .bind(bytes(id))
            .fetch_optional(&self.pool)
            .await
            .map_err(away)?;
        row.map(|row| row.user().map_err(away)).transpose()
    }

    async fn by_login(&self, login: &Login) -> Result<Option<StoredUser>, Unavailable> {
        let sql = match login {
            Login::Email(_) => "SELECT * FROM users WHERE email = ?1",
            Login::Username(_) => "SELECT * FROM users WHERE username = ?1",
        };
        let row: Option<Row> = query_as(sql)
            .bind(login.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(away)?;
        row.map(|row| row.stored_user().map_err(away)).transpose()
    }

    async fn insert(&self, new: NewUser) -> Result<User, InsertError> {
        let now = self.clock.now();
        let password = new.password;
        let user = User {
            id: new.id,
            email: new.email,
            username: new.username,
            roles: new.roles,
            email_status: new.email_status,
            status: AccountStatus::Enabled,
            profile: new.profile,
            metadata: new.metadata,
            created_at: now,
            updated_at: now,
        };
        let insertion = insertion(&user)?.bind(password.as_ref().map(PasswordHash::expose));
        insertion.execute(&self.pool).await.map_err(taken)?;
        Ok(user)
    }

    async fn change(&self, id: UserId, change: UserChange) -> Result<Option<User>, Unavailable> {
        // One statement each, so that no change is built on a record that another has replaced.
        let assign = Assign {
            id,
            now: self.clock.now().as_millis(),
        };
        let assigned = match &change {
            UserChange::Password(hash) => assign.text(
                "UPDATE users SET password_hash = ?3, updated_at = ?2 WHERE id = ?1 RETURNING *",
                hash.expose(),
            ),
            // `updated_at` stays (?2 is bound and not used): the account is what it was.
            UserChange::Rehash { from, to } => assign
                .text(
                    "UPDATE users SET password_hash = ?3
                     WHERE id = ?1 AND ?2 IS NOT NULL AND password_hash = ?4 RETURNING *",
                    to.expose(),
                )
                .bind(from.expose().to_owned()),
            UserChange::Roles(roles) => assign.text(
                "UPDATE users SET roles = ?3, updated_at = ?2 WHERE id = ?1 RETURNING *",
                &row::roles_text(roles),
            ),
            UserChange::Status(status) => assign.flag(
                "UPDATE users SET disabled = ?3, updated_at = ?2 WHERE id = ?1 RETURNING *",
                *status == AccountStatus::Disabled,
            ),
            UserChange::EmailStatus(status) => assign.flag(
                "UPDATE users SET email_verified = ?3, updated_at = ?2 WHERE id = ?1 RETURNING *",
                *status == EmailStatus::Verified,
            ),
            UserChange::Profile(profile) => assign.text(
                "UPDATE users SET profile = ?3, updated_at = ?2 WHERE id = ?1 RETURNING *",
                &row::object_text(profile).map_err(away)?,
            ),
        };
        let row = assigned.fetch_optional(&self.pool).await.map_err(away)?;
        row.map(|row| Row::read(&row).and_then(Row::user).map_err(away))
            .transpose()
    }

    async fn remove(&self, id: UserId) -> Result<bool, Unavailable> {
        let done = query("DELETE FROM users WHERE id = ?1")
            .bind(bytes(id))
            .execute(&self.pool)
            .await
            .map_err(away)?;
        Ok(done.rows_affected() > 0)
    }

    async fn list(&self, query: &UserQuery) -> Result<UserPage, Unavailable> {
        let search = Search::of(&query.search);
        // One transaction, so that total and page are of the same moment.
        let mut view = self.pool.begin().await.map_err(away)?;
        let total: i64 = query_scalar(
            "SELECT count(*) FROM users
             WHERE email LIKE ?1 ESCAPE '\\' OR username LIKE ?1 ESCAPE '\\' OR hex(id) LIKE ?2",
        )
        .bind(&search.names)
        .bind(&search.id)
        .fetch_one(&mut *view)
        .await
        .map_err(away)?;
        let rows: Vec<Row> = query_as(
            "SELECT * FROM users
             WHERE email LIKE ?1 ESCAPE '\\' OR username LIKE ?1 ESCAPE '\\' OR hex(id) LIKE ?2
             ORDER BY created_at, id LIMIT ?3 OFFSET ?4",
        )
        .bind(&search.names)
        .bind(&search.id)
        .bind(query.limit)
        .bind(query.offset)
        .fetch_all(&mut *view)
        .await
        .map_err(away)?;
        let users: Result<_, _> = rows.into_iter().map(Row::user).collect();
        Ok(UserPage {
            users: users.map_err(away)?,
            total: u64::try_from(total).unwrap_or(0),
        })
    }

    async fn ping(&self) -> Result<(), Unavailable> {
        query("SELECT 1 FROM users LIMIT 1")
            .execute(&self.pool)
            .await
            .map_err(away)?;
        Ok(())
    }
}

type Statement = Query<'static, Sqlite, SqliteArguments>;

/// Everything of a new account but the password hash, which is bound as ?10.
fn insertion(user: &User) -> Result<Statement, Unavailable> {
    let statement = query(
        "INSERT INTO users (id, email, username, roles, email_verified, disabled, profile, metadata,
                            created_at, updated_at, password_hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)",
    );
    Ok(statement
        .bind(bytes(user.id))
        .bind(user.email.as_str().to_owned())
        .bind(user.username.as_ref().map(|name| name.as_str().to_owned()))
        .bind(row::roles_text(&user.roles))
        .bind(user.email_status == EmailStatus::Verified)
        .bind(user.status == AccountStatus::Disabled)
        .bind(row::object_text(&user.profile).map_err(away)?)
        .bind(row::object_text(&user.metadata).map_err(away)?)
        .bind(user.created_at.as_millis()))
}

/// An `UPDATE` of one account: ?1 is its id, ?2 the present, ?3 the new value.
struct Assign {
    id: UserId,
    now: i64,
}

impl Assign {
    fn start(&self, sql: &'static str) -> Statement {
        query(sql).bind(bytes(self.id)).bind(self.now)
    }

    fn text(&self, sql: &'static str, value: &str) -> Statement {
        self.start(sql).bind(value.to_owned())
    }

    fn flag(&self, sql: &'static str, value: bool) -> Statement {
        self.start(sql).bind(value)
    }
}

/// The `LIKE` patterns of a search.
struct Search {
    names: String,
    /// The start of an id; `NULL` matches nothing.
    id: Option<String>,
}

impl Search {
    /// Fewer digits than this would match the ids of most accounts by accident.
    const FEWEST_ID_DIGITS: usize = 8;

    fn of(text: &str) -> Self {
        let text = text.trim().to_lowercase();
        let mut names = String::from("%");
        for c in text.chars() {
            if matches!(c, '%' | '_' | '\\') {
                names.push('\\');
            }
            names.push(c);
        }
        names.push('%');
        let digits = text.replace('-', "");
        let id = digits.len() >= Self::FEWEST_ID_DIGITS
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        Self {
            names,
            id: id.then(|| format!("{digits}%")),
        }
    }
}

fn bytes(id: UserId) -> Vec<u8> {
    id.as_bytes().to_vec()
}

/// Busy, full, read-only, corrupt: for whoever asks it is all the same.
fn away(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Unavailable {
    Unavailable::new("the user database", source)
}

fn taken(error: sqlx::Error) -> InsertError {
    let broken = match error.as_database_error() {
        Some(error) if error.is_unique_violation() => error.message().to_owned(),
        _ => String::new(),
    };
    // SQLite names the columns: "UNIQUE constraint failed: users.email".
    match broken.rsplit_once("users.").map(|(_, column)| column) {
        Some("email") => InsertError::EmailTaken,
        Some("username") => InsertError::UsernameTaken,
        Some("id") => InsertError::IdTaken,
        _ => InsertError::Unavailable(away(error)),
    }
}
