//! Connections to one Redis server: made when needed, given up at the first failure, bounded in time.
//!
//! The `ConnectionManager` of the `redis` crate was not fit: it keeps a connection on which answers
//! stopped coming (a time-out is no reason to it to reconnect), and never recovers from a server that
//! greets with an error, as one with too many clients or a wrong password does.

use std::future::Future;
use std::io;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisError, RedisResult, ScriptInvocation,
};

/// How long a connection may take to be there. Somebody waits for the answer, and beyond this a 503
/// serves them better.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// How long an answer may take, the wait for a place in the queue included.
const RESPONSE_LIMIT: Duration = Duration::from_secs(2);

/// A connection, or the attempt to make one. All who come meanwhile wait for the same attempt and
/// share its failure; the next to come starts another one.
type Attempt = Shared<BoxFuture<'static, RedisResult<MultiplexedConnection>>>;

/// The connections to a server.
pub(super) struct Link {
    client: Client,
    /// The connection that all short commands share.
    shared: Mutex<Option<Attempt>>,
    /// Connections for commands that wait, each lent to one reader at a time: a waiting command holds
    /// up all that come after it. As many as ever waited at once.
    waiting: Mutex<Vec<MultiplexedConnection>>,
}

impl Link {
    /// A link to the server of `client`. Connects when it is first asked something.
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            shared: Mutex::new(None),
            waiting: Mutex::new(Vec::new()),
        }
    }

    /// Runs a command.
    pub(super) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        let attempt = self.attempt();
        let answer = match attempt.clone().await {
            Ok(mut connection) => command.query_async(&mut connection).await,
            Err(error) => Err(error),
        };
        self.settle(&attempt, answer)
    }

    /// Runs a script; one round trip, but for the first time on a server that does not know it.
    pub(super) async fn invoke<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> RedisResult<T> {
        let attempt = self.attempt();
        let answer = match attempt.clone().await {
            Ok(mut connection) => script.invoke_async(&mut connection).await,
            Err(error) => Err(error),
        };
        self.settle(&attempt, answer)
    }

    /// Lends a connection for commands that wait. Given back by [`give_back`](Self::give_back) after
    /// success only; dropped, it is closed, and with it whatever still waits on it.
    pub(super) async fn lend(&self) -> RedisResult<MultiplexedConnection> {
        let idle = self.waiting.lock().pop();
        match idle {
            Some(connection) => Ok(connection),
            // How long these may wait for an answer, each command says itself: see `within`.
            None => connect(self.client.clone(), None).await,
        }
    }

    /// Takes a lent connection back.
    pub(super) fn give_back(&self, connection: MultiplexedConnection) {
        self.waiting.lock().push(connection);
    }

    fn attempt(&self) -> Attempt {
        let mut shared = self.shared.lock();
        let attempt = shared.get_or_insert_with(|| {
            connect(self.client.clone(), Some(RESPONSE_LIMIT))
                .boxed()
                .shared()
        });
        attempt.clone()
    }

    /// Gives a connection up that brought a failure, unless another one has taken its place. Any
    /// failure counts: a server that answers `READONLY` or `LOADING` may no longer be the one that
    /// its name leads to, and a new connection costs little beside a request that failed anyway.
    fn settle<T>(&self, attempt: &Attempt, answer: RedisResult<T>) -> RedisResult<T> {
        if answer.is_err() {
            let mut shared = self.shared.lock();
            if shared.as_ref().is_some_and(|held| held.ptr_eq(attempt)) {
                *shared = None;
            }
        }
        answer
    }
}

async fn connect(
    client: Client,
    response_limit: Option<Duration>,
) -> RedisResult<MultiplexedConnection> {
    let limits = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_LIMIT))
        .set_response_timeout(response_limit);
    let connection = client.get_multiplexed_async_connection_with_config(&limits);
    within(CONNECT_LIMIT, connection).await
}

/// An answer that may take `patience` and the usual limit on top of it.
pub(super) async fn within_patience<T>(
    patience: Duration,
    answer: impl Future<Output = RedisResult<T>>,
) -> RedisResult<T> {
    within(patience.saturating_add(RESPONSE_LIMIT), answer).await
}

async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = RedisResult<T>>,
) -> RedisResult<T> {
    tokio::time::timeout(limit, answer)
        .await
        .unwrap_or_else(|_elapsed| Err(RedisError::from(io::Error::from(io::ErrorKind::TimedOut))))
}
