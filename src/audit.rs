//! The audit trail: who tried what, from where, and what came of it. Never a secret.
//!
//! Entries are kept in the [`store`], sealed to each other, and told in a log of lines as well. Nobody
//! waits for either, except who asks to with [`Audit::record_durably`]. Reading and verifying what was
//! kept is in [`query`] and [`verify`], for lines in [`lines`].

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use crate::clock::SharedClock;
use crate::id::ApiKeyId;
use crate::logs::LineLog;
use crate::unavailable::Unavailable;

pub mod entry;
pub mod lines;
pub mod query;
pub mod seal;
pub mod store;
pub mod verify;
mod writer;

use self::entry::{Entry, Line};
use self::query::{AuditPage, AuditQuery};
use self::store::{AuditStore, Head};
use self::verify::{Anchors, Verified, VerifyError};
pub use self::writer::{Counters, Writer};

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A sign-in, at any entrance.
    SignIn,
    /// A sign-in at an admin's entrance.
    AdminSignIn,
    /// A refresh.
    Refresh,
    /// The end of one session, asked for by its user.
    SignOut,
    /// The end of all sessions of a user, asked for by that user.
    SignOutAll,
    /// The end of a session by an administrator or by its user from another session.
    EndSession,
    /// A new account.
    AddUser,
    /// A changed account.
    ChangeUser,
    /// A removed account.
    RemoveUser,
    /// Somebody makes an account of their own.
    SignUp,
    /// An address is to be proved, or was.
    VerifyEmail,
    /// A new password by mail.
    ResetPassword,
    /// A new password by one who is signed in, or by an administrator.
    ChangePassword,
    /// A code to sign in with is asked for.
    RequestSignInCode,
    /// Another address.
    ChangeEmail,
    /// A new signing key.
    RotateKeys,
    /// A new API key.
    CreateApiKey,
    /// Another name for an API key.
    RenameApiKey,
    /// A new API key in the place of another, which is the one that is named.
    RotateApiKey,
    /// The end of an API key.
    RevokeApiKey,
    /// A request with an API key that holds no longer, told once a minute for each key; or with something
    /// else in the place of a project's service key.
    UseApiKey,
    /// Entries were not kept, and how many: the gap in the trail, told in it.
    AuditGap,
    /// Old entries were removed, and up to which.
    AuditTrim,
    /// The end of the trail was found under a seal that is not known, or not where it had been.
    AuditReseal,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was refused.
    Refused,
    /// It could not be done: a store was away, the pool was full.
    Failed,
}

/// What is to be recorded.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// What was tried.
    pub action: Action,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, as a fixed word: `wrong-password`, `unknown-user`, `reused-token`, …
    pub reason: &'static str,
    /// Who tried: a user id, or the login as typed in its one spelling, or `cli:` and the system's user.
    pub actor: Option<&'a str>,
    /// The user that it was about.
    pub user: Option<String>,
    /// The session that it was about.
    pub session: Option<String>,
    /// From where.
    pub address: Option<IpAddr>,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// About which API key.
    pub api_key: Option<ApiKeyId>,
}

/// Entries that may wait: some seconds of a busy gateway, about 8 MiB.
const MAX_WAITING: usize = 16 * 1024;

/// How long the lines may take to be written out.
const FLUSH_LINES: Duration = Duration::from_secs(5);

/// The audit trail, to be written to.
#[derive(Clone, Debug)]
pub struct Audit {
    clock: SharedClock,
    lines: LineLog,
    trail: Option<Trail>,
}

/// The way to the [`Writer`].
#[derive(Clone, Debug)]
struct Trail {
    store: AuditStore,
    sender: mpsc::Sender<Message>,
    counters: Arc<Counters>,
}

/// What the writer is told.
enum Message {
    Entry(Entry),
    /// To be answered once it is kept.
    Durable(Entry, Reply),
    /// To be answered once all before it is kept.
    Flush(Reply),
}

type Reply = oneshot::Sender<Result<(), Unavailable>>;

impl Audit {
    /// Writes lines to `log` alone, with the time that `clock` shows.
    pub const fn new(log: LineLog, clock: SharedClock) -> Self {
        Self {
            clock,
            lines: log,
            trail: None,
        }
    }

    /// An audit trail that keeps nothing.
    pub fn off(clock: SharedClock) -> Self {
        Self::new(LineLog::off(), clock)
    }

    /// Keeps entries in `store` too. The writer must be run for it.
    pub fn kept(self, store: AuditStore, counters: Counters) -> (Self, Writer) {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        let reading = store.clone();
        let counters = Arc::new(counters);
        let writer = Writer::new(
            writer::Parts {
                receiver,
                store,
                lines: self.lines.clone(),
                clock: self.clock.clone(),
            },
            Arc::clone(&counters),
        );
        let trail = Some(Trail {
            store: reading,
            sender,
            counters,
        });
        (Self { trail, ..self }, writer)
    }

    /// Records `event`, never waiting for it. Where it cannot even be queued it goes to the log at once,
    /// marked as not kept.
    pub fn record(&self, event: &Event<'_>) {
        let entry = Entry::of(event, self.clock.now());
        let Some(trail) = &self.trail else {
            return self.lines.write(&Line::alone(&entry));
        };
        if let Err(back) = trail.sender.try_send(Message::Entry(entry)) {
            let (mpsc::error::TrySendError::Full(message)
            | mpsc::error::TrySendError::Closed(message)) = back;
            trail.counters.lost(1);
            if let Message::Entry(entry) = message {
                self.lines.write(&Line::unkept(&entry));
            }
        }
    }

    /// Records `event` and waits until it is kept: for what must not be answered as done before.
    ///
    /// After an error the entry may still be kept later; that it was recorded is then true as well.
    pub async fn record_durably(&self, event: &Event<'_>) -> Result<(), Unavailable> {
        let entry = Entry::of(event, self.clock.now());
        if let Some(trail) = &self.trail {
            return trail.ask(|reply| Message::Durable(entry, reply)).await;
        }
        self.lines.write(&Line::alone(&entry));
        Ok(())
    }

    /// A page of what was kept. Where only lines are written, nothing can be looked up.
    pub async fn query(&self, query: &AuditQuery) -> Result<AuditPage, Unavailable> {
        self.kept_entries()?.query(query).await
    }

    /// The last entry that was kept.
    pub async fn head(&self) -> Result<Head, Unavailable> {
        self.kept_entries()?.head().await
    }

    /// Whether all that was kept is as it was written. Reads all of it, page by page.
    pub async fn verify(&self, anchors: &Anchors) -> Result<Verified, VerifyError> {
        self.kept_entries()?.verify(anchors).await
    }

    fn kept_entries(&self) -> Result<&AuditStore, Unavailable> {
        let store = self.trail.as_ref().map(|trail| &trail.store);
        store.ok_or_else(|| Unavailable::new("the audit trail", "none is kept"))
    }

    /// Waits until what was recorded is kept, and its lines are written: for the end of a process.
    pub async fn flush(&self) -> Result<(), Unavailable> {
        let kept = match &self.trail {
            Some(trail) => trail.ask(Message::Flush).await,
            None => Ok(()),
        };
        let lines = self.lines.clone();
        let written = tokio::task::spawn_blocking(move || lines.flush(FLUSH_LINES));
        if written.await.is_err() {
            tracing::warn!("the lines of the audit log may not all be written");
        }
        kept
    }
}

impl Trail {
    async fn ask(&self, message: impl FnOnce(Reply) -> Message) -> Result<(), Unavailable> {
        let (reply, answer) = oneshot::channel();
        let stopped = || Unavailable::new("the audit trail", "its writer has stopped");
        let sent = self.sender.send(message(reply)).await;
        sent.map_err(|_stopped| stopped())?;
        answer.await.map_err(|_stopped| stopped())?
    }
}

#[cfg(test)]
mod tests;
