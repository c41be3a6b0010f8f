//! `doorward session …`: sessions, from the command line.
//!
//! Works on the stores themselves, beside running gateways, which hear of an end by the log that each of
//! them follows. Opening the stores and turning an error into an exit code is left to the caller.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use serde_json::json;

use super::table;
use crate::audit::Action;
use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::session::Session;
use crate::sessions::{Copied, SessionStore};
use crate::unavailable::Unavailable;
use crate::user::{Login, Role};
use crate::users::UserStore;
use crate::users::directory::Kept;

/// See and end sessions.
#[derive(Clone, Debug, Subcommand)]
pub enum SessionCommand {
    /// List sessions, those of a user newest first
    List(List),
    /// End sessions; their tokens are refused at once on every replica
    Revoke(Revoke),
}

/// `doorward session list`
#[derive(Clone, Debug, Args)]
pub struct List {
    /// Those of one user alone: id, address or user name
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// One JSON object a line instead of a table
    #[arg(long)]
    pub json: bool,
}

/// `doorward session revoke`
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Revoke {
    /// The sessions to end
    #[arg(value_name = "ID")]
    pub ids: Vec<SessionId>,
    /// All sessions of this user: id, address or user name
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// All sessions of all users
    #[arg(long)]
    pub all: bool,
}

/// Told of every end once it is stored: for the audit log.
pub type Record<'a> = &'a (dyn Fn(Action, UserId, Option<SessionId>) + Send + Sync);

/// What the commands work with.
#[derive(Clone, Copy)]
pub struct Stores<'a> {
    /// The accounts.
    pub users: &'a dyn UserStore,
    /// The sessions.
    pub sessions: &'a dyn SessionStore,
    /// The present.
    pub now: Timestamp,
    /// Told of every end.
    pub record: Record<'a>,
}

/// Why a command was not carried out, in words for the one who typed it.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No account has this address or name.
    #[error("there is no user {0:?}")]
    NoSuchUser(String),
    /// Whose name it is, only they know.
    #[error("users are kept by {0}: name them by their id")]
    KeptElsewhere(&'static str),
    /// Some of the sessions were not there; the others have been ended.
    #[error("there is no session {}", words(.0))]
    NoSuchSession(Vec<SessionId>),
    /// A store could not be asked.
    #[error("{ended} sessions were ended before a store failed; run the command again")]
    Unavailable {
        /// How many had been ended.
        ended: usize,
        /// What failed.
        source: Unavailable,
    },
    /// All is done, but only the master knows of it.
    #[error(
        "{0} sessions were ended, but no replica of the session store has confirmed it: should the store \
         fail over now, they may live on; see `doorward session list`"
    )]
    Uncopied(usize),
    /// The output could not be written.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

impl From<Unavailable> for SessionError {
    fn from(source: Unavailable) -> Self {
        Self::Unavailable { ended: 0, source }
    }
}

fn words(ids: &[SessionId]) -> String {
    let words: Vec<_> = ids.iter().map(ToString::to_string).collect();
    words.join(", ")
}

/// Carries out a command.
pub async fn run(
    command: SessionCommand,
    stores: &Stores<'_>,
    output: &mut (dyn Write + Send),
) -> Result<(), SessionError> {
    match command {
        SessionCommand::List(list) => stores.list(&list, output).await,
        SessionCommand::Revoke(revoke) => {
            let ended = stores.revoke(revoke).await?;
            match ended {
                1 => writeln!(output, "1 session ended")?,
                count => writeln!(output, "{count} sessions ended")?,
            }
            Ok(())
        }
    }
}

impl Stores<'_> {
    async fn list(&self, list: &List, output: &mut (dyn Write + Send)) -> Result<(), SessionError> {
        let mut rows = Vec::new();
        for user in self.users_of(list.user.as_deref()).await? {
            for session in self.sessions.of_user(user, self.now).await? {
                if list.json {
                    writeln!(output, "{}", as_json(&session))?;
                } else {
                    rows.push(row(&session));
                }
            }
        }
        if !list.json {
            table::write(HEAD, &rows, output)?;
        }
        Ok(())
    }

    async fn revoke(&self, revoke: Revoke) -> Result<usize, SessionError> {
        if !revoke.ids.is_empty() {
            return self.revoke_each(revoke.ids).await;
        }
        let mut count = 0;
        for user in self.users_of(revoke.user.as_deref()).await? {
            let ended = self.sessions.end_all(user, self.now).await;
            let ended = ended.map_err(|source| SessionError::Unavailable {
                ended: count,
                source,
            })?;
            (self.record)(Action::SignOutAll, user, None);
            count += ended.len();
        }
        self.copied(count).await?;
        Ok(count)
    }

    /// What was ended here no gateway need have heard of yet, so that none could tell a successor of the
    /// server that took it.
    async fn copied(&self, ended: usize) -> Result<(), SessionError> {
        match self.sessions.copied().await {
            Ok(Copied::Confirmed | Copied::NoReplica) => Ok(()),
            Ok(Copied::Unconfirmed) => Err(SessionError::Uncopied(ended)),
            Err(source) => Err(SessionError::Unavailable { ended, source }),
        }
    }

    /// One that is not there keeps none of the others alive.
    async fn revoke_each(&self, ids: Vec<SessionId>) -> Result<usize, SessionError> {
        let (mut count, mut missing) = (0, Vec::new());
        for id in ids {
            let ended = self.sessions.end(id, self.now).await;
            let ended = ended.map_err(|source| SessionError::Unavailable {
                ended: count,
                source,
            })?;
            match ended {
                Some(session) => {
                    (self.record)(Action::EndSession, session.subject.user, Some(id));
                    count += 1;
                }
                None => missing.push(id),
            }
        }
        self.copied(count).await?;
        if missing.is_empty() {
            Ok(count)
        } else {
            Err(SessionError::NoSuchSession(missing))
        }
    }

    /// The user who is meant; without one, all who have sessions.
    async fn users_of(&self, text: Option<&str>) -> Result<Vec<UserId>, SessionError> {
        let Some(text) = text else {
            return Ok(self.sessions.users(self.now).await?);
        };
        // An id is not looked up: the sessions of an account that is gone can be ended too.
        if let Ok(id) = text.trim().parse() {
            return Ok(vec![id]);
        }
        if let Kept::Elsewhere(directory) = self.users.kept() {
            return Err(SessionError::KeptElsewhere(directory.name()));
        }
        let found = match Login::parse(text) {
            Ok(login) => self.users.by_login(&login).await?,
            Err(_no_name) => None,
        };
        let found = found.ok_or_else(|| SessionError::NoSuchUser(text.to_owned()))?;
        Ok(vec![found.user.id])
    }
}

const HEAD: [&str; 8] = [
    "ID",
    "USER",
    "KIND",
    "CLIENT",
    "SIGNED IN",
    "ENDS UNLESS REFRESHED",
    "ADDRESS",
    "USER AGENT",
];

fn row(session: &Session) -> [String; 8] {
    [
        session.id.to_string(),
        session.subject.email.to_string(),
        session.kind.as_str().to_owned(),
        format!(
            "{}, {}",
            session.client.as_str(),
            session.persistence.as_str()
        ),
        session.created_at.to_string(),
        session.expires_at.to_string(),
        session.address.clone(),
        session.user_agent.clone(),
    ]
}

fn as_json(session: &Session) -> serde_json::Value {
    let roles: Vec<_> = session.subject.roles.iter().map(Role::as_str).collect();
    json!({
        "id": session.id.to_string(),
        "user": session.subject.user.to_string(),
        "email": session.subject.email.as_str(),
        "roles": roles,
        "kind": session.kind.as_str(),
        "client": session.client.as_str(),
        "persistence": session.persistence.as_str(),
        "refreshes": session.generation.number(),
        "created_at": session.created_at.to_string(),
        "refreshed_at": session.refreshed_at.to_string(),
        "expires_at": session.expires_at.to_string(),
        "ends_at": session.ends_at.to_string(),
        "address": session.address,
        "user_agent": session.user_agent,
    })
}

#[cfg(test)]
mod tests;
