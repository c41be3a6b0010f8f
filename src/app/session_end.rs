//! The end of the session behind an answer: what goes on, tunnels and streams, must not outlive it.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::auth::{Auth, Permit};
use crate::identity::Identity;

/// Resolves when the credential ends that a request came with. Watches from the first time that it is
/// asked, so that an answer which is over by then has cost nothing.
pub(super) enum SessionEnd {
    /// Nobody's: the request came without one. Also when the end has been told.
    Never,
    Unwatched(Arc<Auth>, Arc<Identity>),
    Watched(Pin<Box<dyn Future<Output = ()> + Send>>),
}

impl SessionEnd {
    pub(super) fn of(auth: &Arc<Auth>, permit: &Permit) -> Self {
        match permit.shared_identity() {
            Some(identity) => Self::Unwatched(Arc::clone(auth), identity),
            None => Self::Never,
        }
    }
}

impl Future for SessionEnd {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut end = match mem::replace(&mut *self, Self::Never) {
            Self::Never => return Poll::Pending,
            Self::Unwatched(auth, identity) => Box::pin(async move { auth.ended(&identity).await }),
            Self::Watched(end) => end,
        };
        let ended = end.as_mut().poll(cx);
        if ended.is_pending() {
            *self = Self::Watched(end);
        }
        ended
    }
}
