//! The way to the one server that takes the writes at present.
//!
//! All keys of a gateway lie in one slot, so that in each kind of Redis one server has them all at a
//! time: what there is to know of a Sentinel or a Cluster is how that server is found, and whether it
//! still is the one.

use std::path::PathBuf;

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError, RedisResult, Value, cmd};

use crate::sessions::redis::RedisConfig;
use crate::sessions::redis::place::{Node, Place, Transport};

use super::cluster::Cluster;
use super::dial::{CONNECT_LIMIT, Dial, within};
use super::sentinel::Sentinels;

/// The way to the server that takes the writes.
pub(super) enum Way {
    Socket(Dial, PathBuf),
    Server(Dial, Node),
    Sentinel(Sentinels),
    Cluster(Cluster),
}

/// A connection to the server that took the writes when it was made.
#[derive(Clone)]
pub(in crate::sessions::redis) struct Reached {
    /// The connection.
    pub(in crate::sessions::redis) connection: MultiplexedConnection,
    /// Where it leads to, where that may change.
    pub(super) node: Option<Node>,
}

impl Way {
    /// The way to `place`; `key` is one of the keys that are kept there.
    pub(super) fn new(config: &RedisConfig, key: &str) -> Self {
        let dial = |transport, database| Dial {
            transport,
            login: config.login.clone(),
            database,
        };
        match config.place.clone() {
            Place::Socket { path, database } => {
                Self::Socket(dial(Transport::Plain, database), path)
            }
            Place::Server {
                node,
                transport,
                database,
            } => Self::Server(dial(transport, database), node),
            Place::Sentinel(sentinel) => {
                let servers = dial(sentinel.transport.clone(), sentinel.database);
                Self::Sentinel(Sentinels::new(sentinel, servers))
            }
            Place::Cluster { nodes, transport } => {
                Self::Cluster(Cluster::new(nodes, dial(transport, 0), key))
            }
        }
    }

    /// Finds the server and connects to it.
    pub(super) async fn connect(&self) -> RedisResult<Reached> {
        within(CONNECT_LIMIT, self.find()).await
    }

    async fn find(&self) -> RedisResult<Reached> {
        let connection = match self {
            Self::Socket(dial, path) => dial.socket(path).await?,
            Self::Server(dial, node) => dial.node(node).await?,
            Self::Sentinel(sentinels) => return sentinels.find().await,
            Self::Cluster(cluster) => return cluster.find().await,
        };
        let node = None;
        let mut reached = Reached { connection, node };
        must_be_master(&mut reached.connection).await?;
        Ok(reached)
    }

    /// Passes while the server still is the one. A write would find out by itself; a read would not,
    /// and what is read of a server that was put aside may be of any age.
    pub(super) async fn confirm(&self, reached: &mut Reached) -> RedisResult<()> {
        within(CONNECT_LIMIT, async {
            match self {
                Self::Socket(..) | Self::Server(..) => {
                    must_be_master(&mut reached.connection).await
                }
                Self::Sentinel(sentinels) => sentinels.confirm(reached).await,
                Self::Cluster(cluster) => cluster.confirm(reached).await,
            }
        })
        .await
    }
}

/// Passes if the server is a master.
pub(super) async fn must_be_master(connection: &mut MultiplexedConnection) -> RedisResult<()> {
    let role: Vec<Value> = cmd("ROLE").query_async(connection).await?;
    let is_master = match role.first() {
        Some(Value::BulkString(role)) => role == b"master",
        Some(Value::SimpleString(role)) => role == "master",
        Some(_) | None => false,
    };
    if is_master {
        return Ok(());
    }
    Err(RedisError::from((
        ErrorKind::Client,
        "the server is not a master",
    )))
}
