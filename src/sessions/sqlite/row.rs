//! The rows of `sessions` and `session_epochs`: one statement a function.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteExecutor};

use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::session::{Session, Subject};
use crate::sessions::Epoch;
use crate::sessions::stored::{self, roles_text};

use super::{Change, unreadable};

/// Every column by its name, not `*`: a newer release at the command line may add one while this process
/// runs, and a statement that was prepared before would then have more columns than were asked for.
macro_rules! columns {
    () => {
        "SELECT id, user_id, email, roles, kind, client, persistence, generation, created_at,
            refreshed_at, expires_at, ends_at, address, user_agent FROM sessions"
    };
}

/// How often all sessions of this user were ended.
pub(super) async fn epoch(database: impl SqliteExecutor<'_>, user: UserId) -> sqlx::Result<Epoch> {
    let epoch = sqlx::query_scalar::<_, i64>("SELECT epoch FROM session_epochs WHERE user_id = ?")
        .bind(user.to_string())
        .fetch_optional(database)
        .await?;
    Ok(Epoch(epoch.map_or(0, i64::cast_unsigned)))
}

/// Moves a user's epoch on.
pub(super) async fn next_epoch(change: &mut Change, user: UserId) -> sqlx::Result<()> {
    let next = "INSERT INTO session_epochs (user_id, epoch) VALUES (?, 1)
        ON CONFLICT (user_id) DO UPDATE SET epoch = epoch + 1";
    let next = sqlx::query(next).bind(user.to_string());
    next.execute(&mut **change).await.map(drop)
}

/// Writes a new session.
pub(super) async fn insert(change: &mut Change, session: &Session) -> sqlx::Result<()> {
    let insert = "INSERT INTO sessions (id, user_id, email, roles, kind, client, persistence,
            generation, created_at, refreshed_at, expires_at, ends_at, address, user_agent)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    sqlx::query(insert)
        .bind(session.id.to_string())
        .bind(session.subject.user.to_string())
        .bind(session.subject.email.as_str())
        .bind(roles_text(&session.subject.roles))
        .bind(session.kind.as_str())
        .bind(session.client.as_str())
        .bind(session.persistence.as_str())
        .bind(session.generation.number())
        .bind(session.created_at.as_millis())
        .bind(session.refreshed_at.as_millis())
        .bind(session.expires_at.as_millis())
        .bind(session.ends_at.as_millis())
        .bind(&session.address)
        .bind(&session.user_agent)
        .execute(&mut **change)
        .await
        .map(drop)
}

/// The session with this id, unless it has run out.
pub(super) async fn find(
    database: impl SqliteExecutor<'_>,
    id: SessionId,
    now: Timestamp,
) -> sqlx::Result<Option<Session>> {
    let select = concat!(columns!(), " WHERE id = ? AND expires_at > ?");
    sqlx::query(select)
        .bind(id.to_string())
        .bind(now.as_millis())
        .fetch_optional(database)
        .await?
        .map(|row| session(&row))
        .transpose()
}

/// The sessions of a user that have not run out, newest first.
pub(super) async fn of_user(
    database: impl SqliteExecutor<'_>,
    user: UserId,
    now: Timestamp,
) -> sqlx::Result<Vec<Session>> {
    let select = concat!(
        columns!(),
        " WHERE user_id = ? AND expires_at > ? ORDER BY created_at DESC, id DESC"
    );
    let rows = sqlx::query(select)
        .bind(user.to_string())
        .bind(now.as_millis())
        .fetch_all(database)
        .await?;
    rows.iter().map(session).collect()
}

/// The users who have sessions that have not run out.
pub(super) async fn users(
    database: impl SqliteExecutor<'_>,
    now: Timestamp,
) -> sqlx::Result<Vec<UserId>> {
    let select = "SELECT DISTINCT user_id FROM sessions WHERE expires_at > ?";
    let select = sqlx::query(select).bind(now.as_millis());
    let rows = select.fetch_all(database).await?;
    rows.iter().map(|row| parsed(row, "user_id")).collect()
}

/// Writes what a refresh changes.
pub(super) async fn move_on(change: &mut Change, session: &Session) -> sqlx::Result<()> {
    let update =
        "UPDATE sessions SET generation = ?, refreshed_at = ?, expires_at = ? WHERE id = ?";
    sqlx::query(update)
        .bind(session.generation.number())
        .bind(session.refreshed_at.as_millis())
        .bind(session.expires_at.as_millis())
        .bind(session.id.to_string())
        .execute(&mut **change)
        .await
        .map(drop)
}

/// Writes what is known of a user by now. A session never changes hands, so the user stays.
pub(super) async fn update_subject(
    database: impl SqliteExecutor<'_>,
    id: SessionId,
    subject: &Subject,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE sessions SET email = ?, roles = ? WHERE id = ? AND user_id = ?")
        .bind(subject.email.as_str())
        .bind(roles_text(&subject.roles))
        .bind(id.to_string())
        .bind(subject.user.to_string())
        .execute(database)
        .await
        .map(drop)
}

/// Removes a session.
pub(super) async fn remove(change: &mut Change, id: SessionId) -> sqlx::Result<()> {
    let delete = sqlx::query("DELETE FROM sessions WHERE id = ?").bind(id.to_string());
    delete.execute(&mut **change).await.map(drop)
}

/// Removes all sessions of a user but `keep`, those too that have run out.
pub(super) async fn remove_all(
    change: &mut Change,
    user: UserId,
    keep: Option<SessionId>,
) -> sqlx::Result<()> {
    let delete = sqlx::query("DELETE FROM sessions WHERE user_id = ? AND id IS NOT ?")
        .bind(user.to_string())
        .bind(keep.map(|id| id.to_string()));
    delete.execute(&mut **change).await.map(drop)
}

/// Removes the sessions that have run out, and returns how many.
pub(super) async fn clear_expired(change: &mut Change, now: Timestamp) -> sqlx::Result<u64> {
    let delete = sqlx::query("DELETE FROM sessions WHERE expires_at <= ?").bind(now.as_millis());
    let cleared = delete.execute(&mut **change).await?;
    Ok(cleared.rows_affected())
}

fn session(row: &SqliteRow) -> sqlx::Result<Session> {
    Ok(Session {
        id: parsed(row, "id")?,
        subject: Subject {
            user: parsed(row, "user_id")?,
            email: parsed(row, "email")?,
            roles: stored::roles(row.try_get("roles")?).map_err(unreadable)?,
        },
        kind: stored::kind(row.try_get("kind")?).map_err(unreadable)?,
        client: stored::client(row.try_get("client")?).map_err(unreadable)?,
        persistence: stored::persistence(row.try_get("persistence")?).map_err(unreadable)?,
        generation: stored::generation(row.try_get("generation")?).map_err(unreadable)?,
        created_at: time(row, "created_at")?,
        refreshed_at: time(row, "refreshed_at")?,
        expires_at: time(row, "expires_at")?,
        ends_at: time(row, "ends_at")?,
        address: row.try_get("address")?,
        user_agent: row.try_get("user_agent")?,
    })
}

fn parsed<T: std::str::FromStr>(row: &SqliteRow, column: &'static str) -> sqlx::Result<T> {
    stored::parsed(row.try_get(column)?, column).map_err(unreadable)
}

fn time(row: &SqliteRow, column: &'static str) -> sqlx::Result<Timestamp> {
    row.try_get(column).map(Timestamp::from_millis)
}
