//! A row of the table of users, and what it says.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use crate::clock::Timestamp;
use crate::id::UserId;
use crate::user::{
    AccountStatus, Email, EmailStatus, JsonObject, Revision, Role, Roles, User, Username,
};
use crate::users::{PasswordHash, StoredUser};

/// A row that does not hold what we would have written.
#[derive(Debug, thiserror::Error)]
#[error("a row of the table of users has a bad {column}")]
pub(super) struct BadRow {
    column: &'static str,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// A row as the database gives it.
pub(super) struct Row {
    id: Vec<u8>,
    email: String,
    username: Option<String>,
    password_hash: Option<String>,
    roles: String,
    email_verified: i64,
    disabled: i64,
    profile: String,
    metadata: String,
    created_at: i64,
    updated_at: i64,
    revision: i64,
}

impl FromRow<'_, AnyRow> for Row {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            email: row.try_get("email")?,
            username: row.try_get("username")?,
            password_hash: row.try_get("password_hash")?,
            roles: row.try_get("roles")?,
            email_verified: row.try_get("email_verified")?,
            disabled: row.try_get("disabled")?,
            profile: row.try_get("profile")?,
            metadata: row.try_get("metadata")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
            revision: row.try_get("revision")?,
        })
    }
}

impl Row {
    /// The row that an `UPDATE … RETURNING` gave.
    pub(super) fn read(row: &AnyRow) -> Result<Self, BadRow> {
        Self::from_row(row).map_err(bad("shape"))
    }

    pub(super) fn user(self) -> Result<User, BadRow> {
        self.stored_user().map(|stored| stored.user)
    }

    pub(super) fn stored_user(self) -> Result<StoredUser, BadRow> {
        let id: [u8; 16] = self.id.as_slice().try_into().map_err(bad("id"))?;
        let username = self.username.as_deref().map(Username::parse);
        let user = User {
            id: UserId::from_bytes(id),
            email: Email::parse(&self.email).map_err(bad("email"))?,
            username: username.transpose().map_err(bad("username"))?,
            roles: roles(&self.roles)?,
            email_status: if self.email_verified == 1 {
                EmailStatus::Verified
            } else {
                EmailStatus::Unverified
            },
            status: if self.disabled == 1 {
                AccountStatus::Disabled
            } else {
                AccountStatus::Enabled
            },
            profile: serde_json::from_str(&self.profile).map_err(bad("profile"))?,
            metadata: serde_json::from_str(&self.metadata).map_err(bad("metadata"))?,
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
            revision: Revision::new(self.revision),
        };
        Ok(StoredUser {
            user,
            password: self.password_hash.map(PasswordHash::new),
        })
    }
}

/// Roles as the table keeps them: a JSON array of words.
pub(super) fn roles_text(roles: &Roles) -> String {
    let words: Vec<_> = roles.iter().map(Role::as_str).collect();
    serde_json::Value::from(words).to_string()
}

pub(super) fn object_text(object: &JsonObject) -> Result<String, serde_json::Error> {
    serde_json::to_string(object)
}

fn roles(text: &str) -> Result<Roles, BadRow> {
    let words: Vec<String> = serde_json::from_str(text).map_err(bad("roles"))?;
    let roles: Result<Roles, _> = words.iter().map(String::as_str).map(Role::parse).collect();
    roles.map_err(bad("roles"))
}

fn bad<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    column: &'static str,
) -> impl FnOnce(E) -> BadRow {
    move |source| BadRow {
        column,
        source: source.into(),
    }
}
