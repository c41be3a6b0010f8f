//! Finding the node of a Cluster that has our slot.
//!
//! Any node that is asked for a key of ours either has it or says who does (`MOVED`). So there is no
//! table of slots to keep up to date, and a node that has lost the slot is found out by the same
//! question. The `redis` crate's client for Clusters connects to all nodes, and repeats commands whose
//! answer was lost, which a session store must not.
//!
//! `ASK` is not followed: while a slot is moved key by key, scripts on several keys fail anyway.

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, cmd};

use crate::sessions::redis::place::Node;

use super::dial::Dial;
use super::way::Reached;

/// How often one may be sent on. One is usual; more mean that the nodes do not agree yet.
const HOPS: usize = 5;

/// The nodes of a Cluster, and the key by which its owner is found.
pub(super) struct Cluster {
    named: Vec<Node>,
    /// Who had the slot last. It may be none of those that are named.
    last: Mutex<Option<Node>>,
    dial: Dial,
    probe: Cmd,
}

impl Cluster {
    /// The Cluster of these nodes, and in it the owner of `key`.
    pub(super) fn new(named: Vec<Node>, dial: Dial, key: &str) -> Self {
        let mut probe = cmd("EXISTS");
        probe.arg(key);
        Self {
            named,
            last: Mutex::new(None),
            dial,
            probe,
        }
    }

    /// Finds the node that has the slot, and connects to it. All known nodes are asked at once, as
    /// some of them may be the reason why somebody asks.
    pub(super) async fn find(&self) -> RedisResult<Reached> {
        let mut nodes = self.named.clone();
        let last = self.last.lock().clone();
        nodes.extend(last.filter(|last| !self.named.contains(last)));
        let mut searches: FuturesUnordered<_> = nodes.into_iter().map(|n| self.from(n)).collect();
        let mut failure = None;
        while let Some(search) = searches.next().await {
            match search {
                Ok(reached) => {
                    self.last.lock().clone_from(&reached.node);
                    return Ok(reached);
                }
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(lost))
    }

    /// Passes while the server has the slot.
    pub(super) async fn confirm(&self, reached: &mut Reached) -> RedisResult<()> {
        self.ask(&mut reached.connection).await
    }

    async fn from(&self, mut node: Node) -> RedisResult<Reached> {
        for _ in 0..HOPS {
            let mut connection = self.dial.node(&node).await?;
            let Err(error) = self.ask(&mut connection).await else {
                return Ok(Reached {
                    connection,
                    node: Some(node),
                });
            };
            node = moved_to(&error, &node).ok_or(error)?;
        }
        Err(lost())
    }

    async fn ask(&self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        let answer: RedisResult<u64> = self.probe.query_async(connection).await;
        match answer {
            Ok(_) => Ok(()),
            // Who gives the slot away has it until it is all gone.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::Ask) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Where a node sends us on to. A Cluster that does not know its own addresses leaves the host out,
/// and means the one that was asked.
fn moved_to(error: &RedisError, asked: &Node) -> Option<Node> {
    if error.kind() != ErrorKind::Server(ServerErrorKind::Moved) {
        return None;
    }
    let (address, _slot) = error.redirect_node()?;
    match address.strip_prefix(':') {
        Some(port) => Some(Node {
            host: asked.host.clone(),
            port: port.parse().ok()?,
        }),
        None => address.parse().ok(),
    }
}

fn lost() -> RedisError {
    let what = "the nodes of the Cluster send us around in circles";
    RedisError::from((ErrorKind::ClusterConnectionNotFound, what))
}
