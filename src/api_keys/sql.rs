//! API keys in the embedded SQLite file or in PostgreSQL: the same statements for both.
//!
//! Every change counts up `api_key_changes` first, and so holds the lock of its one row until the
//! commit: changes of keys come one after another, what is read within one is what it changes, and the
//! order of their numbers is that of their commits. Keys are changed by people, so this is no bottleneck.

use async_trait::async_trait;
use sqlx::{FromRow as _, query, query_scalar};

use super::{
    ApiKeyStore, Changes, CreateError, KeyPage, KeyQuery, NewKey, Place, RotateError, Rotated,
    Rotation, StoredKey,
};
use crate::api_key::{ApiKey, KeyName, KeyStanding, KeySubject};
use crate::clock::Timestamp;
use crate::database::{Change, Database};
use crate::id::ApiKeyId;
use crate::unavailable::Unavailable;

mod row;
mod statement;

use row::Row;
use statement::{Statement, bytes, insertion, retirement, subject_columns};

/// The most keys that one page of changes holds.
const PAGE: usize = 5_000;

/// How many uses are noted in one transaction: it keeps others from writing meanwhile.
const USES_AT_ONCE: usize = 500;

/// Every key with the account of its user.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT k.*, u.email AS owner_email, u.roles AS owner_roles,
                    u.disabled AS owner_disabled
             FROM api_keys k LEFT JOIN users u ON u.id = k.user_id ",
            $rest
        )
    };
}

/// API keys in a database, beside the users.
#[derive(Clone, Debug)]
pub struct SqlApiKeys {
    database: Database,
}

impl SqlApiKeys {
    /// The keys of `database`.
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Changes one key by `statement`, in which $1 is its id and $2 the number of the change.
    async fn change_one(
        &self,
        id: ApiKeyId,
        statement: impl FnOnce(i64) -> Statement + Send,
    ) -> Result<Option<StoredKey>, Unavailable> {
        let work = async {
            let mut change = self.database.change().await?;
            let seq = next(&mut change).await?;
            let done = statement(seq).execute(&mut *change).await?;
            if done.rows_affected() == 0 {
                return Ok(None);
            }
            let key = find(&mut change, id).await?;
            change.commit().await?;
            Ok(key)
        };
        self.within(work).await
    }

    async fn try_create(&self, new: &NewKey) -> sqlx::Result<Result<StoredKey, CreateError>> {
        let mut change = self.database.change().await?;
        let seq = next(&mut change).await?;
        if !subject_exists(&mut change, &new.key.subject).await? {
            return Ok(Err(CreateError::NoSuchUser));
        }
        let kept = kept_of(&mut change, &new.key).await?;
        let most = i64::from(new.most);
        if kept.live >= most || kept.all >= most.saturating_mul(KEPT_FOR_EACH) {
            return Ok(Err(CreateError::TooMany));
        }
        let key = ApiKey {
            number: seq,
            ..new.key.clone()
        };
        insertion(&key)
            .bind(new.hash.as_bytes().to_vec())
            .bind(seq)
            .execute(&mut *change)
            .await?;
        let key = find(&mut change, new.key.id).await?;
        change.commit().await?;
        key.map(Ok).ok_or(sqlx::Error::RowNotFound)
    }

    async fn try_rotate(&self, rotation: &Rotation) -> sqlx::Result<Result<Rotated, RotateError>> {
        let mut change = self.database.change().await?;
        let seq = next(&mut change).await?;
        let Some(old) = find(&mut change, rotation.old).await? else {
            return Ok(Err(RotateError::NoSuchKey));
        };
        let is_live = old.key.standing(rotation.now) == KeyStanding::Live;
        if !is_live || old.key.retires_at.is_some() {
            return Ok(Err(RotateError::NotLive));
        }
        retirement(rotation, seq).execute(&mut *change).await?;
        let new = ApiKey {
            id: rotation.new,
            hint: rotation.hint.clone(),
            created_at: rotation.now,
            last_used_at: None,
            rotated_from: Some(rotation.old),
            ..old.key
        };
        insertion(&new)
            .bind(rotation.hash.as_bytes().to_vec())
            .bind(seq)
            .execute(&mut *change)
            .await?;
        let old = find(&mut change, rotation.old).await?;
        let new = find(&mut change, rotation.new).await?;
        change.commit().await?;
        let rotated = old.zip(new).map(|(old, new)| Rotated { old, new });
        rotated.map(Ok).ok_or(sqlx::Error::RowNotFound)
    }

    async fn try_changes(&self, place: Place) -> sqlx::Result<Changes> {
        let pool = self.database.pool().await?;
        let seq: i64 = query_scalar("SELECT seq FROM api_key_changes")
            .fetch_one(pool)
            .await?;
        if seq < place.seq {
            return Ok(Changes::Rewound);
        }
        if seq == place.seq && place.key == LAST {
            return Ok(Changes::Page {
                keys: Vec::new(),
                next: place,
                more: false,
            });
        }
        let rows = query(select!(
            "WHERE k.changed > $1 OR (k.changed = $1 AND k.id > $2)
             ORDER BY k.changed, k.id LIMIT $3"
        ))
        .bind(place.seq)
        .bind(place.key.to_vec())
        .bind(i64::try_from(PAGE).unwrap_or(i64::MAX))
        .fetch_all(pool)
        .await?;
        let keys: Vec<_> = rows.iter().map(stored).collect::<sqlx::Result<_>>()?;
        let more = keys.len() == PAGE;
        let last = keys.last().map(|last| Place {
            seq: last.changed,
            key: *last.key.id.as_bytes(),
        });
        // At the end nothing up to the number that was read first can come any more.
        let end = Place { seq, key: LAST };
        let next = if more { last } else { last.max(Some(end)) };
        Ok(Changes::Page {
            keys,
            next: next.unwrap_or(end),
            more,
        })
    }

    async fn try_note(&self, uses: &[(ApiKeyId, Timestamp)]) -> sqlx::Result<()> {
        let mut change = self.database.change().await?;
        hold(&mut change).await?;
        for (id, at) in uses {
            query(
                "UPDATE api_keys SET last_used_at = $2
                 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)",
            )
            .bind(bytes(*id))
            .bind(at.as_millis())
            .execute(&mut *change)
            .await?;
        }
        change.commit().await
    }

    async fn try_list(&self, wanted: &KeyQuery) -> sqlx::Result<KeyPage> {
        let mut view = self.database.view().await?;
        let all = i64::from(wanted.subject.is_none());
        let (user, service) = subject_columns(wanted.subject.as_ref());
        let total: i64 = query_scalar(
            "SELECT count(*) FROM api_keys k WHERE $1 = 1 OR k.user_id = $2 OR k.service = $3",
        )
        .bind(all)
        .bind(user.clone())
        .bind(service.clone())
        .fetch_one(&mut *view)
        .await?;
        let rows = query(select!(
            "WHERE $1 = 1 OR k.user_id = $2 OR k.service = $3
             ORDER BY k.created_at DESC, k.id DESC LIMIT $4 OFFSET $5"
        ))
        .bind(all)
        .bind(user)
        .bind(service)
        .bind(i64::from(wanted.limit))
        .bind(i64::from(wanted.offset))
        .fetch_all(&mut *view)
        .await?;
        let keys = rows.iter().map(|row| stored(row).map(|stored| stored.key));
        Ok(KeyPage {
            keys: keys.collect::<sqlx::Result<_>>()?,
            total: u64::try_from(total).unwrap_or(0),
        })
    }

    /// Busy, full, read-only, corrupt, away: for whoever asks it is all the same.
    async fn within<T>(
        &self,
        work: impl Future<Output = sqlx::Result<T>>,
    ) -> Result<T, Unavailable> {
        let done = self.database.within(work).await;
        done.map_err(|error| self.database.away(error))
    }
}

#[async_trait]
impl ApiKeyStore for SqlApiKeys {
    async fn create(&self, new: NewKey) -> Result<StoredKey, CreateError> {
        self.within(self.try_create(&new)).await?
    }

    async fn by_id(&self, id: ApiKeyId) -> Result<Option<StoredKey>, Unavailable> {
        let find = async {
            let find = query(select!("WHERE k.id = $1")).bind(bytes(id));
            let row = find.fetch_optional(self.database.pool().await?).await?;
            row.as_ref().map(stored).transpose()
        };
        self.within(find).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<KeyPage, Unavailable> {
        self.within(self.try_list(query)).await
    }

    async fn rename(&self, id: ApiKeyId, name: &KeyName) -> Result<Option<StoredKey>, Unavailable> {
        let name = name.as_str().to_owned();
        let rename = move |seq| {
            query("UPDATE api_keys SET name = $3, changed = $2 WHERE id = $1")
                .bind(bytes(id))
                .bind(seq)
                .bind(name)
        };
        self.change_one(id, rename).await
    }

    async fn revoke(&self, id: ApiKeyId, now: Timestamp) -> Result<Option<StoredKey>, Unavailable> {
        let revoke = move |seq| {
            query(
                "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3), changed = $2
                 WHERE id = $1",
            )
            .bind(bytes(id))
            .bind(seq)
            .bind(now.as_millis())
        };
        self.change_one(id, revoke).await
    }

    async fn rotate(&self, rotation: Rotation) -> Result<Rotated, RotateError> {
        self.within(self.try_rotate(&rotation)).await?
    }

    async fn changed_after(&self, place: Place) -> Result<Changes, Unavailable> {
        self.within(self.try_changes(place)).await
    }

    async fn note_uses(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<(), Unavailable> {
        for some in uses.chunks(USES_AT_ONCE) {
            self.within(self.try_note(some)).await?;
        }
        Ok(())
    }

    async fn clear(&self, before: Timestamp) -> Result<u64, Unavailable> {
        let clear = async {
            let clear = query(
                "DELETE FROM api_keys WHERE revoked_at < $1 OR retires_at < $1 OR expires_at < $1",
            );
            let mut change = self.database.change().await?;
            hold(&mut change).await?;
            let clear = clear.bind(before.as_millis());
            let cleared = clear.execute(&mut *change).await?.rows_affected();
            change.commit().await?;
            Ok(cleared)
        };
        self.within(clear).await
    }
}

/// Behind every key of a change.
const LAST: [u8; 16] = [0xff; 16];

/// For each key that a subject may have, this many rows may be kept of it, ended ones included: making
/// and revoking in turns fills no disk.
const KEPT_FOR_EACH: i64 = 10;

/// The number of a change that begins now.
async fn next(change: &mut Change) -> sqlx::Result<i64> {
    query_scalar("UPDATE api_key_changes SET seq = seq + 1 RETURNING seq")
        .fetch_one(&mut **change)
        .await
}

/// Takes the lock of a change, without being one: whoever writes several rows has them to itself, so that
/// no two wait for each other.
async fn hold(change: &mut Change) -> sqlx::Result<()> {
    query("UPDATE api_key_changes SET seq = seq")
        .execute(&mut **change)
        .await
        .map(drop)
}

async fn find(change: &mut Change, id: ApiKeyId) -> sqlx::Result<Option<StoredKey>> {
    let find = query(select!("WHERE k.id = $1")).bind(bytes(id));
    let row = find.fetch_optional(&mut **change).await?;
    row.as_ref().map(stored).transpose()
}

fn stored(row: &sqlx::any::AnyRow) -> sqlx::Result<StoredKey> {
    let key = Row::from_row(row)?.key();
    key.map_err(|bad| sqlx::Error::Decode(bad.into()))
}

async fn subject_exists(change: &mut Change, subject: &KeySubject) -> sqlx::Result<bool> {
    match subject {
        KeySubject::Service(_) => Ok(true),
        KeySubject::User(user) => {
            let find = query("SELECT id FROM users WHERE id = $1").bind(user.as_bytes().to_vec());
            Ok(find.fetch_optional(&mut **change).await?.is_some())
        }
    }
}

/// How many keys of a subject there are.
struct Kept {
    live: i64,
    all: i64,
}

async fn kept_of(change: &mut Change, key: &ApiKey) -> sqlx::Result<Kept> {
    let (user, service) = subject_columns(Some(&key.subject));
    let all = query_scalar("SELECT count(*) FROM api_keys WHERE user_id = $1 OR service = $2")
        .bind(user.clone())
        .bind(service.clone())
        .fetch_one(&mut **change)
        .await?;
    let live = query_scalar(
        "SELECT count(*) FROM api_keys
         WHERE (user_id = $1 OR service = $2) AND revoked_at IS NULL
           AND (retires_at IS NULL OR retires_at > $3)
           AND (expires_at IS NULL OR expires_at > $3)",
    )
    .bind(user)
    .bind(service)
    .bind(key.created_at.as_millis())
    .fetch_one(&mut **change)
    .await?;
    Ok(Kept { live, all })
}
