//! How long a body has stood still.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Measures how long nothing has moved. A body that never has to wait costs no timer.
#[derive(Debug)]
pub(super) struct Stillness {
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    running: bool,
}

impl Stillness {
    pub(super) const fn new(limit: Duration) -> Self {
        Self {
            limit,
            timer: None,
            running: false,
        }
    }

    /// Something moved.
    pub(super) const fn ended(&mut self) {
        self.running = false;
    }

    /// Nothing moves: ready once that has lasted too long.
    pub(super) fn poll_too_long(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        if !self.running {
            timer.as_mut().reset(Instant::now() + limit);
            self.running = true;
        }
        timer.as_mut().poll(context)
    }
}
