//! The command line: from arguments to what they ask for, and from what came of it to an exit code.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

use crate::app;
use crate::app::stores::Stores;
use crate::audit::Action;
use crate::clock::{Clock as _, SharedClock, SystemClock};
use crate::config::environment::ProcessEnvironment;
use crate::config::mistake::Mistakes;
use crate::config::{self, Config};
use crate::id::{SessionId, UserId};
use crate::keys::SigningAlgorithm;
use crate::keys::ring::Rotation;
use crate::password::pool::Passwords;

use self::trail::Trail;

pub mod api_key;
pub mod audit;
pub mod check;
pub mod explain;
pub mod key;
pub mod passwords;
pub mod serve;
pub mod session;
mod table;
mod trail;
pub mod user;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: it did what it was asked to, or was stopped.
    Done,
    /// 1: something went wrong that is no mistake in the configuration.
    Failed,
    /// 2: there are mistakes in the configuration.
    Mistaken,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Failed => Self::FAILURE,
            Exit::Mistaken => Self::from(2),
        }
    }
}

#[derive(Debug, Parser)]
#[command(name = "doorward", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The configuration.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "gateway.toml"
    )]
    config: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve in the foreground until SIGTERM or Ctrl-C
    Serve,
    /// Say whether the configuration is sound, and if not, all that is wrong with it
    Check,
    /// Say which route a request takes, which rule judges it, and with what verdict
    Explain(explain::Explain),
    /// Accounts
    #[command(subcommand)]
    User(user::UserCommand),
    /// Sessions
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// The list of breached passwords
    #[command(subcommand)]
    Passwords(passwords::PasswordsCommand),
    /// API keys: long-lived credentials of programs
    #[command(subcommand)]
    ApiKey(api_key::ApiKeyCommand),
    /// The keys that sign the gateway's tokens
    #[command(subcommand)]
    Key(KeyCommand),
    /// The audit trail
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Print the reference of all settings, as Markdown
    #[command(hide = true)]
    Reference,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a new signing key; the old one verifies until its last token ends
    Rotate(Rotate),
    /// One line a key, the newest first
    List,
}

#[derive(Debug, Args)]
struct Rotate {
    /// How the new key signs: `ES256`, `RS256`, `EdDSA` or `HS256`; as `tokens.algorithm` if not given
    #[arg(long)]
    algorithm: Option<SigningAlgorithm>,
}

/// Carries out what the arguments ask for.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        // Help and version are asked for, and come as an error all the same.
        Err(said) => {
            let exit = if said.use_stderr() {
                Exit::Failed
            } else {
                Exit::Done
            };
            return told(said.print(), exit);
        }
    };
    match dispatch(arguments) {
        Ok(exit) => exit,
        Err(error) => told(
            writeln!(io::stderr(), "doorward: {}", Chain(&error)),
            Exit::Failed,
        ),
    }
}

/// Who cannot even be told has closed the output: a failure of its own.
fn told(said: io::Result<()>, exit: Exit) -> Exit {
    said.map_or(Exit::Failed, |()| exit)
}

/// An error with all that led to it, on one line.
struct Chain<'a>(&'a anyhow::Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

fn dispatch(arguments: Arguments) -> anyhow::Result<Exit> {
    let file = &arguments.config;
    match arguments.command {
        Command::Check => Ok(match check::run(file, &mut io::stdout())? {
            check::Verdict::Sound => Exit::Done,
            check::Verdict::Mistaken => Exit::Mistaken,
        }),
        Command::Serve => with_config(file, |config| serve::run(config, file)),
        Command::Explain(explain) => with_config(file, |config| explain::run(&explain, config)),
        Command::User(command) => with_config(file, |config| run_user(command, config)),
        Command::Session(command) => with_config(file, |config| run_session(command, config)),
        Command::Passwords(command) => {
            passwords::run(command, &mut io::stdout()).map(|()| Exit::Done)
        }
        Command::ApiKey(command) => with_config(file, |config| {
            api_key::run(command, config)?;
            Ok(Exit::Done)
        }),
        Command::Key(command) => with_config(file, |config| run_key(&command, config)),
        Command::Audit(command) => with_config(file, |config| audit::run(command, config)),
        Command::Reference => {
            write!(io::stdout(), "{}", config::reference::reference_markdown())?;
            Ok(Exit::Done)
        }
    }
}

fn with_config(
    file: &Path,
    command: impl FnOnce(&Config) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    match app::load(file, &ProcessEnvironment) {
        Ok(config) => command(&config),
        Err(mistakes) => mistaken(&mistakes, file),
    }
}

fn mistaken(mistakes: &Mistakes, file: &Path) -> anyhow::Result<Exit> {
    check::write_mistakes(mistakes, file, &mut io::stderr())?;
    Ok(Exit::Mistaken)
}

fn run_user(command: user::UserCommand, config: &Config) -> anyhow::Result<Exit> {
    let clock: SharedClock = Arc::new(SystemClock);
    runtime()?.block_on(async {
        let stores = Stores::open(config, &clock).await?;
        let trail = Trail::open(config, stores.database, &clock)?;
        let record = |action: Action, user: UserId| trail.record(action, (Some(user), None));
        let passwords = Passwords::new(config.passwords.clone())?;
        let stores = user::Stores {
            users: &*stores.users,
            sessions: &*stores.sessions,
            passwords: &passwords,
            clock: &*clock,
            record: &record,
        };
        let done = user::run(command, &stores, &mut user::Console::new()).await;
        // What was done before a failure is told too.
        let told = trail.finish().await;
        done?;
        told.map(|()| Exit::Done)
    })
}

fn run_session(command: session::SessionCommand, config: &Config) -> anyhow::Result<Exit> {
    let clock: SharedClock = Arc::new(SystemClock);
    runtime()?.block_on(async {
        let stores = Stores::open(config, &clock).await?;
        let trail = Trail::open(config, stores.database, &clock)?;
        let record = |action: Action, user: UserId, session: Option<SessionId>| {
            trail.record(action, (Some(user), session));
        };
        let stores = session::Stores {
            users: &*stores.users,
            sessions: &*stores.sessions,
            now: clock.now(),
            record: &record,
        };
        let done = session::run(command, &stores, &mut io::stdout()).await;
        let told = trail.finish().await;
        done?;
        told.map(|()| Exit::Done)
    })
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn run_key(command: &KeyCommand, config: &Config) -> anyhow::Result<Exit> {
    let out = &mut io::stdout();
    match command {
        KeyCommand::List => key::list(&config.tokens.keys, out)?,
        KeyCommand::Rotate(rotate) => {
            let rotation = Rotation {
                algorithm: rotate.algorithm.unwrap_or(config.tokens.algorithm),
                now: SystemClock.now(),
                retire_after: Rotation::after_last_token(
                    config.sessions.lifetimes.access,
                    config.tokens.leeway,
                ),
            };
            key::rotate(&config.tokens.keys, rotation, out)?;
            let clock: SharedClock = Arc::new(SystemClock);
            runtime()?.block_on(async {
                let stores = Stores::open(config, &clock).await?;
                let trail = Trail::open(config, stores.database, &clock)?;
                trail.record(Action::RotateKeys, (None, None));
                trail.finish().await
            })?;
        }
    }
    Ok(Exit::Done)
}
