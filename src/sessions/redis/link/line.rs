//! One connection that many share: made when it is needed, given up at the first failure.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisResult, ServerErrorKind};

/// Nobody waits for the connection to a Sentinel alone: there are others to ask.
impl Ends for MultiplexedConnection {
    fn has_ended(&self) -> bool {
        false
    }
}

/// A connection, or the attempt to make one. All who come meanwhile wait for the same attempt and
/// share its failure; the next to come starts another one.
pub(super) type Attempt<C> = Shared<BoxFuture<'static, RedisResult<C>>>;

type Open<C> = Box<dyn Fn() -> BoxFuture<'static, RedisResult<C>> + Send + Sync>;

/// A connection that many share.
pub(super) struct Line<C> {
    open: Open<C>,
    state: Mutex<State<C>>,
}

struct State<C> {
    attempt: Option<Attempt<C>>,
    /// How many connections in a row have been given up without an answer between them.
    failures: u32,
}

/// What may end while nobody uses it.
pub(super) trait Ends {
    /// Whether it has.
    fn has_ended(&self) -> bool;
}

impl<C: Ends + Clone + Send + Sync + 'static> Line<C> {
    /// A line whose connections `open` makes; none before the first attempt.
    pub(super) fn new(
        open: impl Fn() -> BoxFuture<'static, RedisResult<C>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            open: Box::new(open),
            state: Mutex::new(State {
                attempt: None,
                failures: 0,
            }),
        }
    }

    /// The connection, or the attempt to make one.
    pub(super) fn attempt(&self) -> Attempt<C> {
        let mut state = self.state.lock();
        let made = state.attempt.as_ref().and_then(Shared::peek);
        if made.is_some_and(|made| made.as_ref().is_ok_and(Ends::has_ended)) {
            state.attempt = None;
        }
        let pause = pause(state.failures);
        let attempt = state.attempt.get_or_insert_with(|| {
            let open = (self.open)();
            // Waited before and not after, so that whoever asks when the server is back is answered.
            let late = async move {
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
                open.await
            };
            late.boxed().shared()
        });
        attempt.clone()
    }

    /// Gives a connection up that brought a failure, unless another one has taken its place.
    pub(super) fn settle<T>(&self, attempt: &Attempt<C>, answer: RedisResult<T>) -> RedisResult<T> {
        let mut state = self.state.lock();
        match &answer {
            Ok(_) => state.failures = 0,
            Err(error) if is_about_the_key(error.kind()) => {}
            Err(_) => {
                let held = state.attempt.as_ref();
                if held.is_some_and(|held| held.ptr_eq(attempt)) {
                    state.attempt = None;
                    state.failures = state.failures.saturating_add(1);
                }
            }
        }
        drop(state);
        answer
    }

    /// Gives the connection up.
    pub(super) fn drop_connection(&self) {
        self.state.lock().attempt = None;
    }
}

/// Whether a failure says nothing of the connection: while a slot of a Cluster is moved, some of its
/// keys are already elsewhere. Any other counts: a server that answers `READONLY` or `LOADING` may no
/// longer be the one that its name leads to, and a new connection costs little beside a request that
/// failed anyway.
fn is_about_the_key(kind: ErrorKind) -> bool {
    let server = |kind| ErrorKind::Server(kind);
    [
        server(ServerErrorKind::Ask),
        server(ServerErrorKind::TryAgain),
    ]
    .contains(&kind)
}

/// How long the next attempt waits: a gateway with many clients must not storm a server that is in
/// trouble, and those who ask wait no longer for their 503 than they need to.
fn pause(failures: u32) -> Duration {
    const FIRST: Duration = Duration::from_millis(10);
    const LONGEST: Duration = Duration::from_millis(250);
    match failures {
        0 => Duration::ZERO,
        failures => LONGEST.min(FIRST.saturating_mul(1 << (failures - 1).min(8))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use super::*;

    /// One that ends when it is told to.
    #[derive(Clone)]
    struct Thread(u32, Arc<AtomicBool>);

    impl Ends for Thread {
        fn has_ended(&self) -> bool {
            self.1.load(Ordering::Relaxed)
        }
    }

    #[tokio::test]
    async fn one_that_ended_while_nobody_used_it_is_made_anew_before_anybody_asks() {
        let made = Arc::new(AtomicU32::new(0));
        let line = Line::new(move || {
            let thread = Thread(made.fetch_add(1, Ordering::Relaxed), Arc::default());
            Box::pin(async move { Ok(thread) })
        });
        let first = line.attempt().await.unwrap();
        assert_eq!(line.attempt().await.unwrap().0, 0);
        first.1.store(true, Ordering::Relaxed);
        assert_eq!(line.attempt().await.unwrap().0, 1);
        assert_eq!(line.attempt().await.unwrap().0, 1);
    }

    #[test]
    fn pauses_double_from_ten_milliseconds_to_a_quarter_of_a_second() {
        let pauses = [0, 1, 2, 5, 6, u32::MAX].map(|failures| pause(failures).as_millis());
        assert_eq!(pauses, [0, 10, 20, 160, 250, 250]);
    }
}
