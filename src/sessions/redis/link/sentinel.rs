//! Finding the master that Sentinels watch.
//!
//! The `redis` crate has a client for Sentinels, which believes the first that answers. Here more than
//! half of those that are named must agree: a Sentinel that is cut off together with an old master
//! goes on naming it, and a gateway that stands on the same side would go on reading a log to which
//! nobody else writes any more, and let through who has signed out elsewhere.

use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError, RedisResult, cmd};

use crate::sessions::redis::place::{Node, Sentinel};

use super::dial::Dial;
use super::line::Line;
use super::way::{Reached, must_be_master};

/// The Sentinels, and how the servers behind them are spoken to.
pub(super) struct Sentinels {
    lines: Vec<Line<MultiplexedConnection>>,
    master: String,
    servers: Dial,
}

impl Sentinels {
    /// The Sentinels of `place`; `servers` says how their master is spoken to.
    pub(super) fn new(place: Sentinel, servers: Dial) -> Self {
        let dial = Arc::new(Dial {
            transport: place.transport,
            login: place.login,
            database: 0,
        });
        let line = |node: Node| {
            let dial = dial.clone();
            Line::new(move || {
                let (dial, node) = (dial.clone(), node.clone());
                Box::pin(async move { dial.node(&node).await })
            })
        };
        Self {
            lines: place.sentinels.into_iter().map(line).collect(),
            master: place.master,
            servers,
        }
    }

    /// Finds the master and connects to it. In the moments of a failover the Sentinels may still name
    /// a server that has stopped being one.
    pub(super) async fn find(&self) -> RedisResult<Reached> {
        let node = self.agreed().await?;
        let mut connection = self.servers.node(&node).await?;
        must_be_master(&mut connection).await?;
        Ok(Reached {
            connection,
            node: Some(node),
        })
    }

    /// Passes while the server is the one that the Sentinels name.
    pub(super) async fn confirm(&self, reached: &mut Reached) -> RedisResult<()> {
        if reached.node != Some(self.agreed().await?) {
            let what = "the Sentinels name another master";
            return Err(RedisError::from((ErrorKind::Client, what)));
        }
        must_be_master(&mut reached.connection).await
    }

    /// The master that more than half of the Sentinels name. Does not wait for the others.
    async fn agreed(&self) -> RedisResult<Node> {
        let asked = self.lines.iter().map(|line| self.named_by(line));
        let mut answers: FuturesUnordered<_> = asked.collect();
        let mut named = Vec::with_capacity(self.lines.len());
        let mut failure = None;
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(node) => {
                    let votes = 1 + named.iter().filter(|other| **other == node).count();
                    if votes * 2 > self.lines.len() {
                        return Ok(node);
                    }
                    named.push(node);
                }
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(|| {
            RedisError::from((ErrorKind::Client, "the Sentinels do not agree on a master"))
        }))
    }

    async fn named_by(&self, line: &Line<MultiplexedConnection>) -> RedisResult<Node> {
        let mut question = cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.master);
        let attempt = line.attempt();
        let answer: RedisResult<Option<(String, u16)>> = match attempt.clone().await {
            Ok(mut connection) => question.query_async(&mut connection).await,
            Err(error) => Err(error),
        };
        let (host, port) = line.settle(&attempt, answer)?.ok_or_else(|| {
            let what = "a Sentinel knows no master of this name";
            RedisError::from((ErrorKind::MasterNameNotFoundBySentinel, what))
        })?;
        Ok(Node { host, port })
    }
}
