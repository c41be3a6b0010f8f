//! The connections to one server, kept for the next request.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use http::{Request, Response, Uri};
use hyper::body::Incoming;
use parking_lot::Mutex;

use super::connector::Connector;
use super::error::UpstreamError;
use super::line::{Line, Unanswered};
use super::upload::UpstreamBody;

/// An unused connection is closed at the second end of a round that it sees, so after two to four
/// seconds. Node.js closes its own after 5, the shortest of the common servers; a request sent at that
/// moment would be lost.
const ROUND: Duration = Duration::from_secs(2);

/// The connections to one server. There is no limit to them: there are as many as requests at once.
pub(super) struct Pool {
    connector: Connector,
    origin: Uri,
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    /// The one that was used last is the last, and is used first: the others may grow too old.
    lines: Vec<Kept>,
    /// Counted by a task, so that no request needs to look at the clock.
    round: u64,
    /// Whether that task runs.
    is_swept: bool,
}

#[derive(Debug)]
struct Kept {
    line: Line,
    since_round: u64,
}

impl Pool {
    pub(super) fn new(connector: Connector, origin: Uri) -> Arc<Self> {
        Arc::new(Self {
            connector,
            origin,
            idle: Mutex::default(),
        })
    }

    /// Sends a request, over a connection that is there or a new one, and waits for the head of its
    /// answer. Dropped half-way, the connection is closed.
    pub(super) async fn exchange(
        self: &Arc<Self>,
        mut request: Request<UpstreamBody>,
    ) -> Result<Response<Incoming>, UpstreamError> {
        while let Some(mut line) = self.take() {
            match line.exchange(request).await {
                Ok(response) => {
                    self.keep(line);
                    return Ok(response);
                }
                // The server has closed it while nobody used it.
                Err(Unanswered::Unsent(unsent, _)) => request = *unsent,
                Err(Unanswered::Failed(error)) => return Err(error.into()),
            }
        }
        // Boxed, so that what is seldom needed does not make the future of every request large.
        Box::pin(self.exchange_anew(request)).await
    }

    async fn exchange_anew(
        self: &Arc<Self>,
        request: Request<UpstreamBody>,
    ) -> Result<Response<Incoming>, UpstreamError> {
        let stream = self.connector.connect(self.origin.clone()).await?;
        let mut line = Line::open(stream).await?;
        match line.exchange(request).await {
            Ok(response) => {
                self.keep(line);
                Ok(response)
            }
            Err(Unanswered::Unsent(_, error) | Unanswered::Failed(error)) => Err(error.into()),
        }
    }

    /// The connection that was used last.
    fn take(&self) -> Option<Line> {
        self.idle.lock().lines.pop().map(|kept| kept.line)
    }

    /// Keeps a connection whose answer has begun, as soon as it is free. The rest of a long body, or
    /// of an upload that the server has answered early, needs a task that goes on with it.
    fn keep(self: &Arc<Self>, line: Line) {
        if line.is_free() {
            self.put(line);
        } else {
            let pool = Arc::clone(self);
            tokio::spawn(async move {
                if let Some(line) = line.freed().await {
                    pool.put(line);
                }
            });
        }
    }

    fn put(self: &Arc<Self>, mut line: Line) {
        line.rest();
        let mut idle = self.idle.lock();
        let since_round = idle.round;
        idle.lines.push(Kept { line, since_round });
        if !idle.is_swept {
            idle.is_swept = true;
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// Ends a round; whether there is need of another one.
    fn end_round(&self) -> bool {
        let mut idle = self.idle.lock();
        let ended = idle.round;
        idle.round += 1;
        idle.lines.retain(|kept| kept.since_round == ended);
        idle.is_swept = !idle.lines.is_empty();
        idle.is_swept
    }
}

/// Closes connections that nobody uses any more, until there are none.
async fn sweep(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(ROUND).await;
        if !pool.upgrade().is_some_and(|pool| pool.end_round()) {
            return;
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
