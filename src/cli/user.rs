//! `doorward user …`: accounts, from the command line.
//!
//! Works on the stores themselves, beside a running gateway. Opening the stores and turning an error
//! into an exit code is left to the caller.

use std::io;
use std::path::PathBuf;

use crate::audit::Action;
use crate::clock::Clock;
use crate::id::UserId;
use crate::password::pool::{Busy, Passwords};
use crate::password::rules::{Owner, Refused};
use crate::sessions::{Copied, SessionStore};
use crate::unavailable::Unavailable;
use crate::user::{AccountStatus, EmailStatus, JsonObject, User};
use crate::users::directory::Kept;
use crate::users::import::FormError;
use crate::users::{InsertError, NewUser, UserChange, UserStore};

mod arguments;
pub(super) mod find;
mod import;
mod password;
mod show;
mod terminal;

pub use self::arguments::{
    Add, ChangeRoles, Import, List, Named, RoleChange, RoleList, Show, UserCommand,
};
pub use self::terminal::{Console, Terminal};

/// What the commands work with.
#[derive(Clone, Copy)]
pub struct Stores<'a> {
    /// The accounts.
    pub users: &'a dyn UserStore,
    /// The sessions of the same gateway.
    pub sessions: &'a dyn SessionStore,
    /// What hashes passwords.
    pub passwords: &'a Passwords,
    /// What time it is.
    pub clock: &'a dyn Clock,
    /// Told of every change once it is stored: for the audit log.
    pub record: &'a (dyn Fn(Action, UserId) + Send + Sync),
}

/// Why a command was not carried out, in words for the one who typed it.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// They are managed where they are kept.
    #[error("users are kept by {0}: manage them there")]
    KeptElsewhere(&'static str),
    /// No account has this id, address or name.
    #[error("there is no user {0:?}")]
    NoSuchUser(String),
    /// The password is no good, or nobody can tell.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The two passwords that were typed differ.
    #[error("the two passwords differ; nothing was changed")]
    Mismatch,
    /// There was no usable password on standard input.
    #[error("cannot read a password: {0}")]
    Input(#[source] io::Error),
    /// The account cannot be made.
    #[error(transparent)]
    Insert(#[from] InsertError),
    /// The account was changed, its sessions go on.
    #[error("the account was changed, but its sessions could not be ended; run the command again")]
    SessionsRemain(#[source] Unavailable),
    /// All is done, but only the master knows of the ends.
    #[error(
        "the account was changed and its sessions were ended, but no replica of the session store has \
         confirmed it: should the store fail over now, they may live on; run the command again"
    )]
    Uncopied,
    /// The file to import cannot be read.
    #[error("cannot read {}", path.display())]
    Import {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file to import is not what it should be.
    #[error("cannot import {}", path.display())]
    ImportForm {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: FormError,
    },
    /// Some rows of an import were refused; the output names each.
    #[error("{0} rows were not imported")]
    ImportIncomplete(usize),
    /// A store could not be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The password could not be hashed.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The output could not be written.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

/// Carries out a command.
pub async fn run(
    command: UserCommand,
    stores: &Stores<'_>,
    terminal: &mut dyn Terminal,
) -> Result<(), UserError> {
    if let Kept::Elsewhere(directory) = stores.users.kept() {
        return Err(UserError::KeptElsewhere(directory.name()));
    }
    match command {
        UserCommand::Add(add) => stores.add(add, terminal).await,
        UserCommand::List(list) => show::list(stores.users, &list, terminal).await,
        UserCommand::Show(show) => {
            let user = find::user(stores.users, &show.user).await?;
            show::one(&user, show.json, terminal)
        }
        UserCommand::SetPassword(named) => stores.set_password(&named.user, terminal).await,
        UserCommand::Roles(roles) => stores.change_roles(roles, terminal).await,
        UserCommand::Disable(named) => stores.disable(&named.user, terminal).await,
        UserCommand::Enable(named) => stores.enable(&named.user, terminal).await,
        UserCommand::Remove(named) => stores.remove(&named.user, terminal).await,
        UserCommand::Import(import) => import::run(stores, import, terminal).await,
    }
}

impl Stores<'_> {
    async fn add(&self, add: Add, terminal: &mut dyn Terminal) -> Result<(), UserError> {
        let owner = Owner {
            email: Some(&add.email),
            username: add.username.as_ref(),
        };
        let password = password::read_new(self.passwords, owner, terminal).await?;
        let password = self.passwords.hash(password).await?;
        let new = NewUser {
            id: UserId::new(self.clock.now()),
            email: add.email,
            username: add.username,
            password: Some(password),
            roles: add.roles.into_iter().collect(),
            status: AccountStatus::Enabled,
            email_status: if add.verified {
                EmailStatus::Verified
            } else {
                EmailStatus::Unverified
            },
            profile: JsonObject::new(),
            metadata: JsonObject::new(),
        };
        let user = self.users.insert(new).await?;
        (self.record)(Action::AddUser, user.id);
        writeln!(terminal.output(), "added {} ({})", user.email, user.id)?;
        Ok(())
    }

    async fn set_password(&self, name: &str, terminal: &mut dyn Terminal) -> Result<(), UserError> {
        let user = find::user(self.users, name).await?;
        let owner = Owner::of(&user);
        let password = password::read_new(self.passwords, owner, terminal).await?;
        let password = self.passwords.hash(password).await?;
        self.change(&user, UserChange::Password(password)).await?;
        let ended = self.end_sessions(user.id).await?;
        let email = &user.email;
        writeln!(terminal.output(), "set the password of {email}; {ended}")?;
        Ok(())
    }

    async fn change_roles(
        &self,
        ChangeRoles { user, change }: ChangeRoles,
        terminal: &mut dyn Terminal,
    ) -> Result<(), UserError> {
        let user = find::user(self.users, &user).await?;
        let roles = match change.set {
            Some(RoleList(roles)) => roles,
            None => (user.roles.iter().cloned())
                .chain(change.add)
                .filter(|role| !change.remove.contains(role))
                .collect(),
        };
        self.change(&user, UserChange::Roles(roles.clone())).await?;
        let ended = self.end_sessions(user.id).await?;
        let (email, roles) = (&user.email, show::roles(&roles));
        writeln!(terminal.output(), "{email} has the roles {roles}; {ended}")?;
        Ok(())
    }

    async fn disable(&self, name: &str, terminal: &mut dyn Terminal) -> Result<(), UserError> {
        let user = find::user(self.users, name).await?;
        let ended = self.close(&user).await?;
        writeln!(terminal.output(), "disabled {}; {ended}", user.email)?;
        Ok(())
    }

    async fn enable(&self, name: &str, terminal: &mut dyn Terminal) -> Result<(), UserError> {
        let user = find::user(self.users, name).await?;
        let enable = UserChange::Status(AccountStatus::Enabled);
        self.change(&user, enable).await?;
        writeln!(terminal.output(), "enabled {}", user.email)?;
        Ok(())
    }

    /// Closes the account first: were it removed before its sessions are ended and they could not be,
    /// the command could not be run again, for want of an account of that name.
    async fn remove(&self, name: &str, terminal: &mut dyn Terminal) -> Result<(), UserError> {
        let user = find::user(self.users, name).await?;
        let ended = self.close(&user).await?;
        self.users.remove(user.id).await?;
        (self.record)(Action::RemoveUser, user.id);
        writeln!(terminal.output(), "removed {}; {ended}", user.email)?;
        Ok(())
    }

    async fn close(&self, user: &User) -> Result<Ended, UserError> {
        let disable = UserChange::Status(AccountStatus::Disabled);
        self.change(user, disable).await?;
        self.end_sessions(user.id).await
    }

    async fn change(&self, user: &User, change: UserChange) -> Result<(), UserError> {
        let changed = self.users.change(user.id, change).await?;
        if changed.is_none() {
            return Err(UserError::NoSuchUser(user.email.to_string()));
        }
        (self.record)(Action::ChangeUser, user.id);
        Ok(())
    }

    /// Always called *after* the account was written. The other way round, a sign-in between the two
    /// would read the old account and found a session that nothing ends any more. This way a sign-in
    /// that read the old account also read the old epoch, and its session is not made.
    ///
    /// Called even where the account already was as wanted: it may be the second run of a command
    /// whose first could not end the sessions.
    async fn end_sessions(&self, user: UserId) -> Result<Ended, UserError> {
        let ended = self.sessions.end_all(user, self.clock.now()).await;
        let ended = ended.map_err(UserError::SessionsRemain)?;
        let copied = self.sessions.copied().await;
        match copied.map_err(UserError::SessionsRemain)? {
            Copied::Confirmed | Copied::NoReplica => Ok(Ended(ended.len())),
            Copied::Unconfirmed => Err(UserError::Uncopied),
        }
    }
}

/// How many sessions were ended.
struct Ended(usize);

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            1 => f.write_str("1 session ended"),
            count => write!(f, "{count} sessions ended"),
        }
    }
}

#[cfg(test)]
mod tests;
