//! One HTTP/1.1 connection to a server, and the exchange of a request for an answer on it.
//!
//! Whoever exchanges on a connection also runs it, in their own task. A task for each connection would
//! have to be woken for every request and would wake the request's task for every answer. Only what
//! goes on behind the head of an answer is left to a task of its own: see [`Line::freed`].

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use tokio::task::unconstrained;

use super::connector::ServerStream;
use super::upload::UpstreamBody;
use crate::net::one_buffer::OneBuffer;

/// What moves the bytes of a connection. Boxed: it is large, and goes in and out of the pool.
type Running = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// A connection to a server.
pub(super) struct Line {
    sender: SendRequest<UpstreamBody>,
    /// `None` once it has ended, as it must not be run on.
    running: Option<Running>,
}

/// Why a request got no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The connection was closed before anything of the request was written. Here it is again.
    Unsent(Box<Request<UpstreamBody>>, hyper::Error),
    /// Anything else; the server may have seen the request.
    Failed(hyper::Error),
}

impl Line {
    /// HTTP on a fresh stream.
    pub(super) async fn open(stream: ServerStream) -> hyper::Result<Self> {
        let (sender, connection) = http1::handshake(OneBuffer(stream)).await?;
        Ok(Self {
            sender,
            running: Some(Box::pin(connection.with_upgrades())),
        })
    }

    /// Sends a request and waits for the head of its answer. Dropped half-way, the connection is of no
    /// use any more and must be dropped too.
    pub(super) async fn exchange(
        &mut self,
        request: Request<UpstreamBody>,
    ) -> Result<Response<Incoming>, Unanswered> {
        // Unconstrained: a turn that has used up its budget would else pass over an answer that is there,
        // and count on being woken for it.
        let mut answer = pin!(unconstrained(self.sender.try_send_request(request)));
        let answer = poll_fn(|cx| {
            // First, because it is what sends the one and brings the other. Its end, good or bad, is
            // told to the answer, if one is owed. Since nothing else brings the answer, nobody need be
            // woken for it: that would be this very task, for nothing.
            run(&mut self.running, cx);
            answer
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
        });
        answer
            .await
            .map_err(|mut failed| match failed.take_message() {
                Some(request) => Unanswered::Unsent(Box::new(request), failed.into_error()),
                None => Unanswered::Failed(failed.into_error()),
            })
    }

    /// Whether the next request may come: the last one is out, and its answer is all here.
    pub(super) fn is_free(&self) -> bool {
        self.running.is_some() && self.sender.is_ready()
    }

    /// Makes it forget the task that used it. Else that task would be woken by the next request, which
    /// is another one's: a third of all turns of all tasks were for nothing.
    pub(super) fn rest(&mut self) {
        run(&mut self.running, &mut Context::from_waker(Waker::noop()));
    }

    /// Runs the connection until it is free again; `None` when it ends instead.
    pub(super) async fn freed(mut self) -> Option<Self> {
        let free = poll_fn(|cx| {
            run(&mut self.running, cx);
            match (&self.running, ready!(self.sender.poll_ready(cx))) {
                (Some(_), Ok(())) => Poll::Ready(true),
                (None, _) | (_, Err(_)) => Poll::Ready(false),
            }
        });
        free.await.then_some(self)
    }
}

fn run(running: &mut Option<Running>, cx: &mut Context<'_>) {
    if let Some(connection) = running
        && connection.as_mut().poll(cx).is_ready()
    {
        *running = None;
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}
