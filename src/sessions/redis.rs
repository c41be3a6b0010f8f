//! Sessions in a Redis server, for several replicas.
//!
//! Each change is one Lua script, which Redis runs whole or not at all, in one round trip. How the
//! keys are called is left to `keys`, connections and time limits to `link`. What a server that
//! crashes still knows is up to its settings: with `appendonly yes` it loses a second at the most,
//! with `appendfsync always` nothing. It must not evict (`maxmemory-policy noeviction`).
//!
//! Whether a session has run out is judged by the caller's `now`, as in every store, so that all
//! rules follow one clock, which a test can move. The expiry of the keys only clears away, by the
//! server's clock and an hour late, so that a server whose clock runs ahead ends no session early.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use redis::{FromRedisValue, RedisError, Script, ScriptInvocation, cmd};

use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::session::{Session, Subject};
use crate::unavailable::Unavailable;

use super::stored::{Unreadable, parsed, roles_text};
use super::{Copied, Created, Cursor, EndedPage, Epoch, Refresh, Refreshed, SessionStore};

mod hash;
mod keys;
mod limiter;
mod link;
mod log;
pub mod place;

use place::{Login, Place};

pub use limiter::RedisLimiter;

const STORE: &str = "the Redis session store";

/// Which Redis, as whom, and under which keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisConfig {
    /// Where it is.
    pub place: Place,
    /// Who we are to its servers.
    pub login: Option<Login>,
    /// What every key starts with.
    pub key_prefix: String,
}

/// The sessions of a Redis server.
pub struct RedisSessions {
    link: Arc<link::Link>,
    keys: keys::Keys,
    scripts: Scripts,
}

struct Scripts {
    create: Script,
    refresh: Script,
    update_subject: Script,
    end: Script,
    end_all: Script,
    of_user: Script,
    users: Script,
    clear_log: Script,
}

impl RedisSessions {
    /// Keeps sessions in this server. Does not wait for it: a gateway that starts while its store is
    /// away comes up, says that it is not ready, and heals by itself.
    pub fn connect(config: &RedisConfig) -> Self {
        let keys = keys::Keys::new(&config.key_prefix);
        Self {
            link: Arc::new(link::Link::new(config, &keys.log)),
            keys,
            scripts: Scripts::new(),
        }
    }

    async fn invoke<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, Unavailable> {
        self.link.invoke(script).await.map_err(unavailable)
    }
}

impl Scripts {
    fn new() -> Self {
        Self {
            create: Script::new(include_str!("redis/create.lua")),
            refresh: Script::new(include_str!("redis/refresh.lua")),
            update_subject: Script::new(include_str!("redis/update_subject.lua")),
            end: Script::new(include_str!("redis/end.lua")),
            end_all: Script::new(include_str!("redis/end_all.lua")),
            of_user: Script::new(include_str!("redis/of_user.lua")),
            users: Script::new(include_str!("redis/users.lua")),
            clear_log: Script::new(include_str!("redis/clear_log.lua")),
        }
    }
}

impl RedisSessions {
    async fn end_but(
        &self,
        keep: Option<SessionId>,
        user: UserId,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, Unavailable> {
        let mut end = self.scripts.end_all.prepare_invoke();
        end.key(self.keys.user(user))
            .key(self.keys.epoch(user))
            .key(&self.keys.log)
            .arg(&self.keys.session_prefix)
            .arg(now.as_millis())
            .arg(keep.map(|id| id.to_string()).unwrap_or_default());
        let ids: Vec<String> = self.invoke(&end).await?;
        let ids = ids.iter().map(|id| parsed(id, "id"));
        ids.collect::<Result<_, _>>().map_err(unreadable)
    }
}

#[async_trait]
impl SessionStore for RedisSessions {
    async fn epoch(&self, user: UserId) -> Result<Epoch, Unavailable> {
        let mut get = cmd("GET");
        get.arg(self.keys.epoch(user));
        let epoch: Option<u64> = self.link.query(&get).await.map_err(unavailable)?;
        Ok(Epoch(epoch.unwrap_or(0)))
    }

    async fn create(&self, session: &Session, founded_on: Epoch) -> Result<Created, Unavailable> {
        let user = session.subject.user;
        let mut create = self.scripts.create.prepare_invoke();
        create
            .key(self.keys.session(session.id))
            .key(self.keys.user(user))
            .key(self.keys.epoch(user))
            .arg(session.id.to_string())
            .arg(founded_on.0)
            .arg(session.created_at.as_millis())
            .arg(session.expires_at.as_millis());
        for (field, value) in hash::fields(session) {
            create.arg(field).arg(value);
        }
        let stored = self.invoke::<bool>(&create).await?;
        Ok(if stored {
            Created::Stored
        } else {
            Created::Superseded
        })
    }

    async fn find(&self, id: SessionId, now: Timestamp) -> Result<Option<Session>, Unavailable> {
        let mut read = cmd("HGETALL");
        read.arg(self.keys.session(id));
        let fields = self.link.query(&read).await.map_err(unavailable)?;
        let session = hash::session(id, &fields).map_err(unreadable)?;
        Ok(session.filter(|session| session.expires_at > now))
    }

    async fn refresh(&self, refresh: Refresh) -> Result<Refreshed, Unavailable> {
        let id = refresh.token.session;
        let mut script = self.scripts.refresh.prepare_invoke();
        script
            .key(self.keys.session(id))
            .key(&self.keys.log)
            .arg(id.to_string())
            .arg(&self.keys.user_prefix)
            .arg(refresh.token.generation.number())
            .arg(refresh.now.as_millis())
            .arg(refresh.now.plus(refresh.lifetime).as_millis())
            .arg(millis(refresh.grace));
        let (word, fields): (String, hash::Fields) = self.invoke(&script).await?;
        let session = hash::session(id, &fields).map_err(unreadable)?;
        match (word.as_str(), session) {
            ("rotated", Some(session)) => Ok(Refreshed::Rotated(session)),
            ("repeated", Some(session)) => Ok(Refreshed::Repeated(session)),
            ("reused", Some(session)) => Ok(Refreshed::Reused(session)),
            ("gone", None) => Ok(Refreshed::Gone),
            _ => Err(unreadable(Unreadable("state"))),
        }
    }

    async fn update_subject(&self, id: SessionId, subject: &Subject) -> Result<(), Unavailable> {
        let mut update = self.scripts.update_subject.prepare_invoke();
        update
            .key(self.keys.session(id))
            .arg(subject.user.to_string())
            .arg(subject.email.as_str())
            .arg(roles_text(&subject.roles));
        self.invoke(&update).await
    }

    async fn end(&self, id: SessionId, now: Timestamp) -> Result<Option<Session>, Unavailable> {
        let mut end = self.scripts.end.prepare_invoke();
        end.key(self.keys.session(id))
            .key(&self.keys.log)
            .arg(id.to_string())
            .arg(&self.keys.user_prefix)
            .arg(now.as_millis());
        let fields = self.invoke(&end).await?;
        hash::session(id, &fields).map_err(unreadable)
    }

    async fn announce_end(&self, id: SessionId, now: Timestamp) -> Result<(), Unavailable> {
        let mut append = cmd("XADD");
        append.arg(&self.keys.log).arg("*");
        append.arg("session").arg(id.to_string());
        append.arg("at").arg(now.as_millis());
        let appended: String = self.link.query(&append).await.map_err(unavailable)?;
        drop(appended);
        Ok(())
    }

    async fn end_all(&self, user: UserId, now: Timestamp) -> Result<Vec<SessionId>, Unavailable> {
        self.end_but(None, user, now).await
    }

    async fn end_others(
        &self,
        user: UserId,
        keep: SessionId,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, Unavailable> {
        self.end_but(Some(keep), user, now).await
    }

    async fn of_user(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, Unavailable> {
        let mut list = self.scripts.of_user.prepare_invoke();
        list.key(self.keys.user(user))
            .arg(&self.keys.session_prefix)
            .arg(now.as_millis());
        let found: Vec<(String, hash::Fields)> = self.invoke(&list).await?;
        let mut sessions = hash::sessions(&found).map_err(unreadable)?;
        sessions.sort_by_key(|session| std::cmp::Reverse((session.created_at, session.id)));
        Ok(sessions)
    }

    /// Looks through all keys of the server: for somebody at the command line, not for requests.
    async fn users(&self, _now: Timestamp) -> Result<Vec<UserId>, Unavailable> {
        let mut users = BTreeSet::new();
        let mut place = "0".to_owned();
        loop {
            let mut step = self.scripts.users.prepare_invoke();
            step.key(&self.keys.log)
                .arg(&place)
                .arg(self.keys.user_pattern());
            let (next, keys): (String, Vec<String>) = self.invoke(&step).await?;
            for key in keys {
                let id = key.strip_prefix(&self.keys.user_prefix);
                let id = id.ok_or(Unreadable("user")).map_err(unreadable)?;
                users.insert(parsed(id, "user").map_err(unreadable)?);
            }
            if next == "0" {
                return Ok(users.into_iter().collect());
            }
            place = next;
        }
    }

    /// The start of the log, whenever `since` was: the log holds no more than is worth reading, and
    /// the ids in it follow another clock than `since` does.
    async fn log_start(&self, _since: Timestamp) -> Result<Cursor, Unavailable> {
        Ok(Cursor(log::START.into()))
    }

    async fn ended_after(
        &self,
        cursor: &Cursor,
        patience: Duration,
    ) -> Result<EndedPage, Unavailable> {
        let reader = log::Reader {
            log: &self.keys.log,
            cursor: &cursor.0,
            patience,
        };
        let mut lent = self.link.lend().await.map_err(unavailable)?;
        let found = reader.read(&mut lent.connection).await;
        let found = found.map_err(unavailable)?;
        self.link.give_back(lent);
        found.page().map_err(unreadable)
    }

    /// Sessions expire by themselves; the log does not.
    async fn clear_expired(&self, _now: Timestamp, log_keep: Duration) -> Result<u64, Unavailable> {
        let mut clear = self.scripts.clear_log.prepare_invoke();
        clear.key(&self.keys.log).arg(millis(log_keep));
        self.invoke(&clear).await
    }

    async fn ping(&self) -> Result<(), Unavailable> {
        self.link.ping().await.map_err(unavailable)
    }

    async fn copied(&self) -> Result<Copied, Unavailable> {
        self.link.copied().await.map_err(unavailable)
    }
}

impl fmt::Debug for RedisSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSessions")
            .field("log", &self.keys.log)
            .finish_non_exhaustive()
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn unavailable(error: RedisError) -> Unavailable {
    Unavailable::new(STORE, error)
}

fn unreadable(error: Unreadable) -> Unavailable {
    Unavailable::new(STORE, error)
}
