//! Two connections joined after an upgrade.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

/// The connections of a client and an upstream, to be joined. Dropping it closes both.
#[derive(Debug)]
pub struct Tunnel {
    client: OnUpgrade,
    upstream: OnUpgrade,
}

/// How a tunnel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunnelEnd {
    /// Both sides closed.
    Closed {
        /// How many bytes went to the upstream.
        to_upstream: u64,
        /// How many bytes went to the client.
        to_client: u64,
    },
    /// One side broke off, or the upgrade did not happen.
    Failed,
    /// The caller's `end` came first: the session has ended.
    Ended,
}

impl Tunnel {
    pub(super) const fn new(client: OnUpgrade, upstream: OnUpgrade) -> Self {
        Self { client, upstream }
    }

    /// Copies both ways until both sides have closed, or `end` comes; then both are closed.
    ///
    /// To be spawned: the client's side opens only when the response is on its way.
    pub async fn run(self, end: impl Future<Output = ()> + Send) -> TunnelEnd {
        tokio::select! {
            biased;
            () = end => TunnelEnd::Ended,
            closed = self.copy() => closed.unwrap_or(TunnelEnd::Failed),
        }
    }

    /// `None` when a side broke off.
    async fn copy(self) -> Option<TunnelEnd> {
        let (client, upstream) = tokio::try_join!(self.client, self.upstream).ok()?;
        let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
        let copied = tokio::io::copy_bidirectional(&mut client, &mut upstream).await;
        let (to_upstream, to_client) = copied.ok()?;
        Some(TunnelEnd::Closed {
            to_upstream,
            to_client,
        })
    }
}
