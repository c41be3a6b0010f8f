//! Users in the embedded SQLite file or in PostgreSQL: the same statements for both.
//!
//! Connections, time limits and migrations belong to [`database`](crate::database).

use async_trait::async_trait;
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, query, query_as, query_scalar};

use super::{
    InsertError, NewUser, PasswordHash, StoredUser, UpdateError, UserChange, UserPage, UserQuery,
    UserStore, UserUpdate,
};
use crate::clock::SharedClock;
use crate::database::Database;
use crate::id::UserId;
use crate::unavailable::Unavailable;
use crate::user::{AccountStatus, EmailStatus, Login, Revision, User};

mod row;
mod search;

use row::Row;
use search::Search;

/// Users in a database.
#[derive(Clone, Debug)]
pub struct SqlUsers {
    database: Database,
    clock: SharedClock,
}

impl SqlUsers {
    /// How often an update without a revision is tried anew when others change the same account.
    const UPDATE_ATTEMPTS: u32 = 20;

    /// The users of `database`.
    pub const fn new(database: Database, clock: SharedClock) -> Self {
        Self { database, clock }
    }

    async fn first(&self, statement: Statement) -> Result<Option<Row>, Unavailable> {
        let find = async { statement.fetch_optional(self.database.pool().await?).await };
        let row = self.database.within(find).await.map_err(self.away())?;
        row.map(|row| Row::read(&row))
            .transpose()
            .map_err(self.away())
    }

    /// One change of an account, unless it is `current` no longer: `None` then.
    async fn try_update(
        &self,
        current: &StoredUser,
        update: &UserUpdate,
    ) -> Result<Option<User>, UpdateError> {
        let (user, password) = updated(current, update);
        let statement = replacement(&user, self.clock.now().as_millis())
            .map_err(self.away())?
            .bind(password.as_ref().map(|hash| hash.expose().to_owned()))
            .bind(current.user.revision.number());
        let replace = async { statement.fetch_optional(self.database.pool().await?).await };
        let row = self.database.within(replace).await;
        let row = row.map_err(|error| match taken_column(&error) {
            Some(Column::Email) => UpdateError::EmailTaken,
            Some(Column::Username) => UpdateError::UsernameTaken,
            Some(Column::Id) | None => self.database.away(error).into(),
        })?;
        let user = row.map(|row| Row::read(&row).and_then(Row::user));
        Ok(user.transpose().map_err(self.away())?)
    }

    /// Busy, full, read-only, corrupt, away: for whoever asks it is all the same.
    fn away<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        &self,
    ) -> impl Fn(E) -> Unavailable + '_ {
        |source| self.database.away(source)
    }
}

#[async_trait]
impl UserStore for SqlUsers {
    async fn by_id(&self, id: UserId) -> Result<Option<User>, Unavailable> {
        let find = query("SELECT * FROM users WHERE id = $1").bind(bytes(id));
        let row = self.first(find).await?;
        row.map(Row::user).transpose().map_err(self.away())
    }

    async fn by_login(&self, login: &Login) -> Result<Option<StoredUser>, Unavailable> {
        let sql = match login {
            Login::Email(_) => "SELECT * FROM users WHERE email = $1",
            Login::Username(_) => "SELECT * FROM users WHERE username = $1",
        };
        let row = self
            .first(query(sql).bind(login.as_str().to_owned()))
            .await?;
        row.map(Row::stored_user).transpose().map_err(self.away())
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
            status: new.status,
            profile: new.profile,
            metadata: new.metadata,
            created_at: now,
            updated_at: now,
            revision: Revision::FIRST,
        };
        let statement = insertion(&user)
            .map_err(self.away())?
            .bind(password.as_ref().map(|hash| hash.expose().to_owned()));
        let insert = async { statement.execute(self.database.pool().await?).await };
        let inserted = self.database.within(insert).await;
        inserted.map_err(|error| match taken_column(&error) {
            Some(Column::Email) => InsertError::EmailTaken,
            Some(Column::Username) => InsertError::UsernameTaken,
            Some(Column::Id) => InsertError::IdTaken,
            None => self.database.away(error).into(),
        })?;
        Ok(user)
    }

    async fn change(&self, id: UserId, change: UserChange) -> Result<Option<User>, Unavailable> {
        let assign = Assign {
            id,
            now: self.clock.now().as_millis(),
        };
        let row = self
            .first(assign.statement(&change).map_err(self.away())?)
            .await?;
        row.map(Row::user).transpose().map_err(self.away())
    }

    /// Reads, changes, and writes only if nobody has written meanwhile: right on both engines without
    /// a lock that is held while we think.
    async fn update(&self, id: UserId, update: UserUpdate) -> Result<User, UpdateError> {
        for _ in 0..Self::UPDATE_ATTEMPTS {
            let find = query("SELECT * FROM users WHERE id = $1").bind(bytes(id));
            let row = self.first(find).await?.ok_or(UpdateError::NoSuchUser)?;
            let current = row.stored_user().map_err(self.away())?;
            if update
                .expected
                .is_some_and(|expected| expected != current.user.revision)
            {
                return Err(UpdateError::Outdated);
            }
            if let Some(user) = self.try_update(&current, &update).await? {
                return Ok(user);
            }
        }
        Err(UpdateError::Outdated)
    }

    async fn remove(&self, id: UserId) -> Result<bool, Unavailable> {
        let remove = async {
            let remove = query("DELETE FROM users WHERE id = $1").bind(bytes(id));
            remove.execute(self.database.pool().await?).await
        };
        let done = self.database.within(remove).await.map_err(self.away())?;
        Ok(done.rows_affected() > 0)
    }

    async fn list(&self, query: &UserQuery) -> Result<UserPage, Unavailable> {
        let search = Search::of(query);
        let read = async {
            // One transaction, so that total and page are of the same moment.
            let mut view = self.database.view().await?;
            let total: i64 = search
                .bind_scalar(query_scalar(
                    "SELECT count(*) FROM users
                     WHERE (email LIKE $1 ESCAPE '\\' OR username LIKE $1 ESCAPE '\\'
                            OR id BETWEEN $2 AND $3)
                       AND roles LIKE $4 ESCAPE '\\' AND disabled BETWEEN $5 AND $6",
                ))
                .fetch_one(&mut *view)
                .await?;
            let rows: Vec<Row> = search
                .bind_rows(query_as(
                    "SELECT * FROM users
                     WHERE (email LIKE $1 ESCAPE '\\' OR username LIKE $1 ESCAPE '\\'
                            OR id BETWEEN $2 AND $3)
                       AND roles LIKE $4 ESCAPE '\\' AND disabled BETWEEN $5 AND $6
                     ORDER BY created_at, id LIMIT $7 OFFSET $8",
                ))
                .bind(i64::from(query.limit))
                .bind(i64::from(query.offset))
                .fetch_all(&mut *view)
                .await?;
            Ok((total, rows))
        };
        let (total, rows) = self.database.within(read).await.map_err(self.away())?;
        let users: Result<_, _> = rows.into_iter().map(Row::user).collect();
        Ok(UserPage {
            users: users.map_err(self.away())?,
            total: u64::try_from(total).unwrap_or(0),
        })
    }

    async fn ping(&self) -> Result<(), Unavailable> {
        self.database.ping().await.map_err(self.away())
    }
}

type Statement = Query<'static, Any, AnyArguments>;

/// An account as it is after `update`.
fn updated(current: &StoredUser, update: &UserUpdate) -> (User, Option<PasswordHash>) {
    let UserUpdate {
        expected: _,
        email,
        username,
        password,
        roles,
        status,
        email_status,
        profile,
        metadata,
    } = update.clone();
    let was = current.user.clone();
    let user = User {
        id: was.id,
        email: email.unwrap_or(was.email),
        username: username.unwrap_or(was.username),
        roles: roles.unwrap_or(was.roles),
        email_status: email_status.unwrap_or(was.email_status),
        status: status.unwrap_or(was.status),
        profile: profile.unwrap_or(was.profile),
        metadata: metadata.unwrap_or(was.metadata),
        created_at: was.created_at,
        updated_at: was.updated_at,
        revision: was.revision,
    };
    (user, password.unwrap_or_else(|| current.password.clone()))
}

/// Everything of a new account but the password hash, which is bound as $10.
fn insertion(user: &User) -> Result<Statement, serde_json::Error> {
    let statement = query(
        "INSERT INTO users (id, email, username, roles, email_verified, disabled, profile, metadata,
                            created_at, updated_at, password_hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)",
    );
    Ok(bind_account(statement, user)?.bind(user.created_at.as_millis()))
}

/// Everything of a changed account but the password hash ($10) and the revision that it builds on
/// ($11).
fn replacement(user: &User, now: i64) -> Result<Statement, serde_json::Error> {
    let statement = query(
        "UPDATE users SET email = $2, username = $3, roles = $4, email_verified = $5, disabled = $6,
                profile = $7, metadata = $8, updated_at = $9, password_hash = $10,
                revision = revision + 1
         WHERE id = $1 AND revision = $11 RETURNING *",
    );
    Ok(bind_account(statement, user)?.bind(now))
}

fn bind_account(statement: Statement, user: &User) -> Result<Statement, serde_json::Error> {
    Ok(statement
        .bind(bytes(user.id))
        .bind(user.email.as_str().to_owned())
        .bind(user.username.as_ref().map(|name| name.as_str().to_owned()))
        .bind(row::roles_text(&user.roles))
        .bind(i64::from(user.email_status == EmailStatus::Verified))
        .bind(i64::from(user.status == AccountStatus::Disabled))
        .bind(row::object_text(&user.profile)?)
        .bind(row::object_text(&user.metadata)?))
}

/// An `UPDATE` of one thing of an account: $1 is its id, $2 the present, $3 the new value. One
/// statement each, so that no change is built on a record that another has replaced.
struct Assign {
    id: UserId,
    now: i64,
}

impl Assign {
    fn statement(&self, change: &UserChange) -> Result<Statement, serde_json::Error> {
        Ok(match change {
            UserChange::Password(hash) => self
                .start(
                    "UPDATE users SET password_hash = $3, updated_at = $2, revision = revision + 1
                     WHERE id = $1 RETURNING *",
                )
                .bind(hash.expose().to_owned()),
            // `updated_at` stays ($2 is bound and changes nothing): the account is what it was.
            UserChange::Rehash { from, to } => self
                .start(
                    "UPDATE users SET password_hash = $3
                     WHERE id = $1 AND $2 >= 0 AND password_hash = $4 RETURNING *",
                )
                .bind(to.expose().to_owned())
                .bind(from.expose().to_owned()),
            UserChange::Roles(roles) => self
                .start(
                    "UPDATE users SET roles = $3, updated_at = $2, revision = revision + 1
                     WHERE id = $1 RETURNING *",
                )
                .bind(row::roles_text(roles)),
            UserChange::Status(status) => self
                .start(
                    "UPDATE users SET disabled = $3, updated_at = $2, revision = revision + 1
                     WHERE id = $1 RETURNING *",
                )
                .bind(i64::from(*status == AccountStatus::Disabled)),
            UserChange::EmailStatus(status) => self
                .start(
                    "UPDATE users SET email_verified = $3, updated_at = $2, revision = revision + 1
                     WHERE id = $1 RETURNING *",
                )
                .bind(i64::from(*status == EmailStatus::Verified)),
            UserChange::Profile(profile) => self
                .start(
                    "UPDATE users SET profile = $3, updated_at = $2, revision = revision + 1
                     WHERE id = $1 RETURNING *",
                )
                .bind(row::object_text(profile)?),
        })
    }

    fn start(&self, sql: &'static str) -> Statement {
        query(sql).bind(bytes(self.id)).bind(self.now)
    }
}

fn bytes(id: UserId) -> Vec<u8> {
    id.as_bytes().to_vec()
}

/// A column in which no two accounts may have the same.
#[derive(Clone, Copy)]
enum Column {
    Id,
    Email,
    Username,
}

/// The column in which another account has this value already.
fn taken_column(error: &sqlx::Error) -> Option<Column> {
    let error = error.as_database_error()?;
    if !error.is_unique_violation() {
        return None;
    }
    // SQLite names the columns in its message ("UNIQUE constraint failed: users.email"), PostgreSQL
    // the constraint, which is named after the column.
    let message = error.message();
    let names = |column: &str, constraint: &str| {
        message.ends_with(column) || error.constraint() == Some(constraint)
    };
    if names("users.email", "users_email_key") {
        Some(Column::Email)
    } else if names("users.username", "users_username_key") {
        Some(Column::Username)
    } else if names("users.id", "users_pkey") {
        Some(Column::Id)
    } else {
        None
    }
}
