//! `doorward api-key …`: API keys, from the command line.
//!
//! Works on the store itself, beside a running gateway, which hears of a new key within a second and of
//! the end of one within milliseconds.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

use crate::api_key::{ApiKey, KeyName, KeyStanding, KeySubject, Kind, Scope, ServiceName};
use crate::api_keys::KeyQuery;
use crate::app::stores::Stores;
use crate::audit::Action;
use crate::auth::api_keys::{ApiKeys, Made, NewApiKey, Succession};
use crate::clock::{SharedClock, SystemClock, Timestamp};
use crate::config::Config;
use crate::id::ApiKeyId;
use crate::units::parse_duration;
use crate::user::Role;

use super::trail::Trail;
use super::{explain, runtime, user};

mod show;

/// Manage API keys.
#[derive(Clone, Debug, Subcommand)]
pub enum ApiKeyCommand {
    /// Make a key, and print it: the only time that it is shown
    Create(Create),
    /// List keys, newest first
    List(List),
    /// Show one key
    Show(Show),
    /// Make a key that takes the place of another, and print it
    Rotate(Rotate),
    /// Revoke a key: it is refused on every replica from then on
    Revoke(Named),
}

/// `doorward api-key create`
#[derive(Clone, Debug, Args)]
pub struct Create {
    /// What people call it
    pub name: KeyName,
    /// For whom it speaks
    #[command(flatten)]
    pub subject: Subject,
    /// A role; of a user's key those count that the user has, too. May be given several times
    #[arg(long = "role", value_name = "ROLE")]
    pub roles: Vec<Role>,
    /// A scope; a key with `read`, `write` or `admin` may do no more than they say. May be given several
    /// times, or with commas
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    pub scopes: Vec<Scope>,
    /// For how long it holds, such as 90d; for ever if not given
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub expires: Option<Duration>,
    /// What its text begins with: `dwk`, or `ik` as clients of InsForge know it
    #[arg(long, value_name = "KIND", default_value = "dwk", value_parser = kind)]
    pub kind: Kind,
}

/// For whom a key speaks.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Subject {
    /// A user, by id, address or user name: the key can do nothing that they cannot
    #[arg(long)]
    pub user: Option<String>,
    /// A service that has no account
    #[arg(long)]
    pub service: Option<ServiceName>,
}

/// `doorward api-key list`
#[derive(Clone, Debug, Args)]
pub struct List {
    /// Only those of this user, by id, address or user name
    #[arg(long, conflicts_with = "service")]
    pub user: Option<String>,
    /// Only those of this service
    #[arg(long)]
    pub service: Option<ServiceName>,
    /// One JSON object a line instead of a table
    #[arg(long)]
    pub json: bool,
}

/// `doorward api-key show`
#[derive(Clone, Debug, Args)]
pub struct Show {
    /// The id of the key
    pub id: ApiKeyId,
    /// JSON instead of lines for people
    #[arg(long)]
    pub json: bool,
}

/// `doorward api-key rotate`
#[derive(Clone, Debug, Args)]
pub struct Rotate {
    /// The id of the key
    pub id: ApiKeyId,
    /// For how long the old one still holds, such as 1h; it is revoked at once if not given
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub grace: Option<Duration>,
}

/// A command about one key.
#[derive(Clone, Debug, Args)]
pub struct Named {
    /// The id of the key
    pub id: ApiKeyId,
}

/// Apps carry `anon_…` keys, and show them to everybody: those are no credential, and stand in the
/// configuration.
fn kind(text: &str) -> Result<Kind, String> {
    match Kind::with_prefix(text) {
        Some(kind @ (Kind::Doorward | Kind::InsForgeAdmin)) => Ok(kind),
        Some(Kind::InsForgeAnon | Kind::Actian) | None => Err("either dwk or ik".to_owned()),
    }
}

fn span(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// Carries out a command.
pub(super) fn run(command: ApiKeyCommand, config: &Config) -> anyhow::Result<()> {
    let clock: SharedClock = Arc::new(SystemClock);
    runtime()?.block_on(async {
        let stores = Stores::open(config, &clock).await?;
        let trail = Trail::open(config, stores.database.clone(), &clock)?;
        let desk = Desk {
            keys: explain::key::opened(config, &clock, &stores),
            now: clock.now(),
            stores,
            trail: &trail,
        };
        let done = desk.run(command, &mut io::stdout()).await;
        // What was done before a failure is told too.
        let told = trail.finish().await;
        done?;
        told
    })
}

/// What the commands work with.
struct Desk<'a> {
    keys: Arc<ApiKeys>,
    stores: Stores,
    now: Timestamp,
    trail: &'a Trail,
}

impl Desk<'_> {
    async fn run(
        &self,
        command: ApiKeyCommand,
        out: &mut (dyn Write + Send),
    ) -> anyhow::Result<()> {
        match command {
            ApiKeyCommand::Create(create) => self.create(create, out).await,
            ApiKeyCommand::List(list) => self.list(list, out).await,
            ApiKeyCommand::Show(show) => {
                let key = self.keys.find(show.id).await?;
                let key = key.with_context(|| format!("there is no API key {}", show.id))?;
                Ok(show::one(&key, (self.now, show.json), out)?)
            }
            ApiKeyCommand::Rotate(rotate) => {
                let end = rotate.grace.map_or(Succession::AtOnce, Succession::After);
                let made = self.keys.rotate(rotate.id, end).await?;
                self.told(Action::RotateApiKey, rotate.id, &made.key);
                hand_over(&made, out)
            }
            ApiKeyCommand::Revoke(Named { id }) => {
                let Some(key) = self.keys.revoke(id).await? else {
                    bail!("there is no API key {id}");
                };
                self.told(Action::RevokeApiKey, id, &key);
                writeln!(out, "revoked {} ({})", key.name, key.id)?;
                Ok(())
            }
        }
    }

    async fn create(&self, create: Create, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        let Subject { user, service } = create.subject;
        let subject = self.subject(user, service).await?;
        let made = self
            .keys
            .create(NewApiKey {
                kind: create.kind,
                name: create.name,
                subject: subject.context("either --user or --service must be given")?,
                roles: create.roles.into_iter().collect(),
                scopes: create.scopes.into_iter().collect(),
                expires_at: create.expires.map(|span| self.now.plus(span)),
            })
            .await?;
        self.told(Action::CreateApiKey, made.key.id, &made.key);
        hand_over(&made, out)
    }

    async fn list(&self, list: List, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        const PAGE: u32 = 500;
        let mut query = KeyQuery {
            subject: self.subject(list.user, list.service).await?,
            limit: PAGE,
            offset: 0,
        };
        loop {
            let page = self.keys.list(&query).await?;
            for key in &page.keys {
                show::line(key, (self.now, list.json), out)?;
            }
            query.offset = query.offset.saturating_add(PAGE);
            if u64::from(query.offset) >= page.total {
                return Ok(());
            }
        }
    }

    async fn subject(
        &self,
        user: Option<String>,
        service: Option<ServiceName>,
    ) -> anyhow::Result<Option<KeySubject>> {
        Ok(match (user, service) {
            (Some(name), _) => {
                let user = user::find::user(&*self.stores.users, &name).await?;
                Some(KeySubject::User(user.id))
            }
            (None, service) => service.map(KeySubject::Service),
        })
    }

    fn told(&self, action: Action, id: ApiKeyId, key: &ApiKey) {
        let user = match &key.subject {
            KeySubject::User(user) => Some(*user),
            KeySubject::Service(_) => None,
        };
        self.trail.record_of_key(action, (user, id));
    }
}

/// The key itself goes to standard output, alone, so that it can be put where it belongs without being
/// seen: `doorward api-key create ci --service ci > key`.
fn hand_over(made: &Made, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    writeln!(out, "{}", made.text.expose())?;
    writeln!(
        io::stderr(),
        "made {} ({}); the key is shown this once",
        made.key.name,
        made.key.id
    )?;
    Ok(())
}

/// How a key stands, in a word.
const fn word(standing: KeyStanding) -> &'static str {
    match standing {
        KeyStanding::Live => "live",
        KeyStanding::Revoked => "revoked",
        KeyStanding::Retired => "retired",
        KeyStanding::Expired => "expired",
    }
}
