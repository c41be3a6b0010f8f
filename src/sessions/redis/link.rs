//! Connections to the server that has the keys: found and made when needed, given up at the first
//! failure, bounded in time and in number of those who wait.
//!
//! The `ConnectionManager` of the `redis` crate was not fit: it keeps a connection on which answers
//! stopped coming (a time-out is no reason to it to reconnect), and never recovers from a server that
//! greets with an error, as one with too many clients or a wrong password does.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{
    Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, ScriptInvocation, ServerErrorKind,
};
use tokio::sync::Semaphore;

use super::RedisConfig;
use crate::sessions::Copied;

use dial::{RESPONSE_LIMIT, within};
use line::Line;
use pulse::Watched;
pub(super) use way::Reached;
use way::Way;

mod cluster;
mod copies;
mod dial;
mod line;
mod pulse;
mod sentinel;
mod way;

/// How many may wait for an answer at once; whoever comes on top of them is told so at once. A server
/// that is well answers this many in some 50 ms, so only one that is not gets so far behind.
const MOST_WAITING: usize = 1024;

/// How often a question is put to who turns out not to be the one. With the pauses of `line` that is
/// at most 150 ms, in which nodes of a Cluster come to agree.
const MOST_TRIES: u32 = 5;

/// The connections to a server.
pub(super) struct Link {
    way: Arc<Way>,
    /// The connection that all short commands share.
    shared: Line<Watched>,
    /// How many of these there have been.
    made: Arc<AtomicUsize>,
    /// Connections for commands that wait, each lent to one reader at a time: a waiting command holds
    /// up all that come after it. As many as ever waited at once.
    waiting: Mutex<Vec<Reached>>,
    places: Semaphore,
}

/// What is asked: one command, or one script.
#[derive(Clone, Copy)]
enum Question<'a> {
    Command(&'a Cmd),
    Script(&'a ScriptInvocation<'a>),
}

impl Link {
    /// A link to where `config` says; `key` is one of the keys that are kept there. Connects when it
    /// is first asked something.
    pub(super) fn new(config: &RedisConfig, key: &str) -> Self {
        let way = Arc::new(Way::new(config, key));
        let shared = way.clone();
        let made = Arc::new(AtomicUsize::new(0));
        let count = made.clone();
        Self {
            way,
            shared: Line::new(move || {
                let way = shared.clone();
                count.fetch_add(1, Ordering::Relaxed);
                Box::pin(async move {
                    let reached = way.connect().await?;
                    Ok(Watched::new(way, reached))
                })
            }),
            made,
            waiting: Mutex::new(Vec::new()),
            places: Semaphore::new(MOST_WAITING),
        }
    }

    /// Runs a command.
    pub(super) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        self.ask(Question::Command(command)).await
    }

    /// Runs a script; one round trip, but for the first time on a server that does not know it.
    pub(super) async fn invoke<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> RedisResult<T> {
        self.ask(Question::Script(script)).await
    }

    /// Passes if the server that takes the writes answers.
    pub(super) async fn ping(&self) -> RedisResult<()> {
        let _place = self.place()?;
        let attempt = self.shared.attempt();
        let answer = match attempt.clone().await {
            Ok(mut watched) => self.way.confirm(&mut watched.reached).await,
            Err(error) => Err(error),
        };
        self.shared.settle(&attempt, answer)
    }

    /// Whether a replica has all that was written over this link. A server knows what each connection
    /// wrote: where there has been more than one, nobody can tell.
    pub(super) async fn copied(&self) -> RedisResult<Copied> {
        let _place = self.place()?;
        let attempt = self.shared.attempt();
        let answer = match attempt.clone().await {
            Ok(mut watched) => copies::wait(&mut watched.reached.connection).await,
            Err(error) => Err(error),
        };
        let copied = self.shared.settle(&attempt, answer)?;
        Ok(match self.made.load(Ordering::Relaxed) {
            1 => copied,
            _ => Copied::Unconfirmed,
        })
    }

    /// Lends a connection for commands that wait. Given back by [`give_back`](Self::give_back) after
    /// success only; dropped, it is closed, and with it whatever still waits on it.
    pub(super) async fn lend(&self) -> RedisResult<Reached> {
        let idle = self.waiting.lock().pop();
        if let Some(mut reached) = idle {
            match self.way.confirm(&mut reached).await {
                Ok(()) => return Ok(reached),
                // What is true of this connection is most likely true of the other.
                Err(_) => self.shared.drop_connection(),
            }
        }
        let mut reached = self.way.connect().await?;
        // How long these may wait for an answer, each command says itself: see `within_patience`.
        reached.connection.set_response_timeout(Duration::MAX);
        Ok(reached)
    }

    /// Takes a lent connection back.
    pub(super) fn give_back(&self, reached: Reached) {
        self.waiting.lock().push(reached);
    }

    /// Asks, and again if the server was not the one to ask: in the moment in which another takes over,
    /// they may send us to and fro. A lost answer is never a reason to ask again: what was asked may
    /// have happened.
    async fn ask<T: FromRedisValue>(&self, question: Question<'_>) -> RedisResult<T> {
        let _place = self.place()?;
        for _ in 1..MOST_TRIES {
            match self.ask_once(question).await {
                Err(error) if is_elsewhere(error.kind()) => {}
                answer => return answer,
            }
        }
        self.ask_once(question).await
    }

    async fn ask_once<T: FromRedisValue>(&self, question: Question<'_>) -> RedisResult<T> {
        let attempt = self.shared.attempt();
        let answer = match attempt.clone().await {
            Ok(mut watched) => question.put_to(&mut watched.reached.connection).await,
            Err(error) => Err(error),
        };
        self.shared.settle(&attempt, answer)
    }

    fn place(&self) -> RedisResult<tokio::sync::SemaphorePermit<'_>> {
        self.places.try_acquire().map_err(|_full| {
            let what = "too many wait for an answer already";
            RedisError::from((ErrorKind::Client, what))
        })
    }
}

impl Question<'_> {
    async fn put_to<T: FromRedisValue>(
        self,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<T> {
        match self {
            Self::Command(command) => command.query_async(connection).await,
            Self::Script(script) => script.invoke_async(connection).await,
        }
    }
}

/// Whether another server has the keys, so that nothing has happened: a Cluster gave the slot to
/// another node, or its nodes do not agree who has it; a master became a replica, of which a script's
/// first write is refused.
fn is_elsewhere(kind: ErrorKind) -> bool {
    [
        ErrorKind::Server(ServerErrorKind::Moved),
        ErrorKind::Server(ServerErrorKind::ReadOnly),
        ErrorKind::ClusterConnectionNotFound,
    ]
    .contains(&kind)
}

/// An answer that may take `patience` and the usual limit on top of it.
pub(super) async fn within_patience<T>(
    patience: Duration,
    answer: impl Future<Output = RedisResult<T>>,
) -> RedisResult<T> {
    within(patience.saturating_add(RESPONSE_LIMIT), answer).await
}
