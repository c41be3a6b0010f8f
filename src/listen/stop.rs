//! Who may stop the gateway: signals, or a test by hand.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// Waits to be told to stop. The first time asks for an orderly end, the second for one at once.
#[derive(Debug)]
pub struct Stop(Source);

#[derive(Debug)]
enum Source {
    Signals {
        terminate: Signal,
        interrupt: Signal,
    },
    Trigger(mpsc::UnboundedReceiver<()>),
}

impl Stop {
    /// By SIGTERM or SIGINT. From here on neither ends the process by itself.
    ///
    /// Call it inside a runtime that lives as long as the gateway does.
    pub fn on_signals() -> io::Result<Self> {
        Ok(Self(Source::Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        }))
    }

    /// By hand.
    pub fn by_hand() -> (StopTrigger, Self) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (StopTrigger(sender), Self(Source::Trigger(receiver)))
    }

    /// Resolves each time somebody asks; for ever pending when nobody is left who could.
    pub(super) async fn asked(&mut self) {
        let told = match &mut self.0 {
            Source::Signals {
                terminate,
                interrupt,
            } => tokio::select! {
                told = terminate.recv() => told,
                told = interrupt.recv() => told,
            },
            Source::Trigger(receiver) => receiver.recv().await,
        };
        if told.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// Stops what waits on the [`Stop`] that was made with it.
#[derive(Clone, Debug)]
pub struct StopTrigger(mpsc::UnboundedSender<()>);

impl StopTrigger {
    /// Asks once; what has stopped already does not mind.
    pub fn stop(&self) {
        if self.0.send(()).is_err() {
            tracing::debug!("asked to stop what has stopped");
        }
    }
}
