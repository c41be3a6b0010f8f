//! `doorward audit`: reads the audit trail, and says whether it is as it was written.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::Exit;
use crate::app::stores::Stores;
use crate::app::trail;
use crate::audit::entry::{Kept, shown};
use crate::audit::lines::Lines;
use crate::audit::query::AuditQuery;
use crate::audit::seal::SealKeys;
use crate::audit::store::{AuditStore, Head};
use crate::audit::verify::{Verified, VerifyError};
use crate::clock::{SharedClock, SystemClock, Timestamp};
use crate::config::Config;
use crate::keys::KeySource;
use crate::secret::SecretText;
use crate::units::parse_duration;

/// The most entries that are fetched at a time.
const PAGE: u32 = 500;

/// Read the audit trail.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// Say whether the trail is as it was written: exit code 1 with the first place that is not
    Verify(Verify),
    /// Print the place and seal of the last entry, to be kept elsewhere for `verify --head`
    Head,
    /// Show the last entries, the newest last
    Tail(Tail),
    /// Look entries up, the newest first
    Query(Query),
}

/// `doorward audit verify`
#[derive(Clone, Debug, Args)]
pub struct Verify {
    /// What `head` printed once: that entry must still be there; may be given several times
    #[arg(long, value_name = "SEQ:HASH")]
    pub head: Vec<Head>,
    /// A file of the audit log, the oldest first: its lines are verified, and held against the table
    #[arg(long, value_name = "FILE")]
    pub file: Vec<PathBuf>,
    /// A key ring, or a key in PEM, that was used before
    #[arg(long, value_name = "FILE")]
    pub keys: Vec<PathBuf>,
}

/// `doorward audit tail`
#[derive(Clone, Debug, Args)]
pub struct Tail {
    /// How many
    #[arg(default_value_t = 20)]
    pub count: u32,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `doorward audit query`
#[derive(Clone, Debug, Args)]
pub struct Query {
    /// About this user id
    #[arg(long)]
    pub user: Option<String>,
    /// By this actor: a user id, a login, or such as "cli:root"
    #[arg(long)]
    pub actor: Option<String>,
    /// What was tried, such as "sign-in"
    #[arg(long)]
    pub action: Option<String>,
    /// success, refused or failed
    #[arg(long)]
    pub outcome: Option<String>,
    /// About this session
    #[arg(long)]
    pub session: Option<String>,
    /// About this API key
    #[arg(long)]
    pub api_key: Option<String>,
    /// By this request
    #[arg(long)]
    pub request_id: Option<String>,
    /// From this address
    #[arg(long)]
    pub address: Option<String>,
    /// Not before this: such as "2026-11-21T03:39:45Z", or "24h" for so long ago
    #[arg(long)]
    pub since: Option<When>,
    /// Before this
    #[arg(long)]
    pub until: Option<When>,
    /// The most entries; all if not given
    #[arg(long)]
    pub limit: Option<u32>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// A point in time, as typed.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// This one.
    At(Timestamp),
    /// So long ago.
    Ago(std::time::Duration),
}

impl When {
    fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(span) => now.minus(span),
        }
    }
}

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(span) = parse_duration(text) {
            return Ok(Self::Ago(span));
        }
        let time: jiff::Timestamp = text.parse().map_err(
            |_other| "expected a time such as 2026-11-21T03:39:45Z, or a span such as 24h",
        )?;
        Ok(Self::At(Timestamp::from_millis(time.as_millisecond())))
    }
}

/// Carries out a command.
pub fn run(command: AuditCommand, config: &Config) -> anyhow::Result<Exit> {
    let clock: SharedClock = Arc::new(SystemClock);
    super::runtime()?.block_on(async {
        // First, so that a look at the wrong place makes nothing there.
        let mut keys = trail::known_seal_keys(config)?;
        let database = Stores::open(config, &clock).await?.database;
        if let AuditCommand::Verify(verify) = &command {
            keys = with_older(keys, (verify, config), &clock)?;
        }
        let desk = Desk {
            store: trail::store(database, keys.clone()),
            keys,
            now: clock.now(),
        };
        desk.run(command, &mut io::stdout()).await
    })
}

fn with_older(
    keys: SealKeys,
    (verify, config): (&Verify, &Config),
    clock: &SharedClock,
) -> anyhow::Result<SealKeys> {
    verify.keys.iter().try_fold(keys, |keys, path| {
        let text = std::fs::read_to_string(path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        let source = KeySource::Given(SecretText::new(text));
        let older = trail::keys_of(&source, config.tokens.algorithm, clock)?;
        Ok(keys.and(older))
    })
}

/// Where a command writes to.
type Out<'a> = &'a mut (dyn Write + Send);

struct Desk {
    store: AuditStore,
    keys: SealKeys,
    now: Timestamp,
}

impl Desk {
    async fn run(&self, command: AuditCommand, out: Out<'_>) -> anyhow::Result<Exit> {
        match command {
            AuditCommand::Verify(verify) => return self.verify(&verify, out).await,
            AuditCommand::Head => {
                writeln!(out, "{}", self.store.head().await?)?;
            }
            AuditCommand::Tail(tail) => self.tail(&tail, out).await?,
            AuditCommand::Query(query) => self.query(query, out).await?,
        }
        Ok(Exit::Done)
    }

    async fn verify(&self, verify: &Verify, out: Out<'_>) -> anyhow::Result<Exit> {
        let mut lines = Lines::default();
        for path in &verify.file {
            let file = File::open(path);
            let file = file.with_context(|| format!("cannot read {}", path.display()))?;
            if let Err(broken) = lines.verify(BufReader::new(file), &self.keys) {
                writeln!(out, "broken: {}: {broken}", path.display())?;
                return Ok(Exit::Failed);
            }
        }
        if !verify.file.is_empty() {
            write_lines(&lines, out)?;
        }
        let known = verify.head.iter().map(|head| (head.seq, head.hash));
        lines.anchors.extend(known);
        match self.store.verify(&lines.anchors).await {
            Ok(verified) => write_verified(verified, out)?,
            Err(VerifyError::Broken(broken)) => {
                writeln!(out, "broken: {broken}")?;
                return Ok(Exit::Failed);
            }
            Err(VerifyError::Unavailable(away)) => return Err(away.into()),
        }
        Ok(Exit::Done)
    }

    async fn tail(&self, tail: &Tail, out: Out<'_>) -> anyhow::Result<()> {
        let query = AuditQuery {
            limit: tail.count,
            ..AuditQuery::default()
        };
        let page = self.store.query(&query).await?;
        let mut entries = page.entries.iter().rev();
        entries.try_for_each(|kept| write_entry(kept, tail.json, &mut *out))
    }

    async fn query(&self, query: Query, out: Out<'_>) -> anyhow::Result<()> {
        let mut left = query.limit.unwrap_or(u32::MAX);
        let mut asked = AuditQuery {
            user: query.user,
            actor: query.actor,
            action: query.action,
            outcome: query.outcome,
            session: query.session,
            api_key: query.api_key,
            request_id: query.request_id,
            address: query.address,
            since: query.since.map(|when| when.before(self.now)),
            until: query.until.map(|when| when.before(self.now)),
            before: None,
            limit: 0,
        };
        while left > 0 {
            asked.limit = left.min(PAGE);
            let page = self.store.query(&asked).await?;
            for kept in &page.entries {
                write_entry(kept, query.json, out)?;
            }
            left = left.saturating_sub(asked.limit);
            match page.next {
                Some(next) => asked.before = Some(next),
                None => break,
            }
        }
        Ok(())
    }
}

fn write_verified(verified: Verified, out: Out<'_>) -> io::Result<()> {
    let Verified {
        entries,
        removed,
        head,
        anchors,
    } = verified;
    writeln!(
        out,
        "{entries} entries are as they were written; the last is {head}"
    )?;
    if removed > 0 {
        writeln!(out, "{removed} older ones were removed by retention")?;
    }
    if anchors > 0 {
        writeln!(
            out,
            "{anchors} of them are known from elsewhere, and the same there"
        )?;
    }
    Ok(())
}

fn write_lines(lines: &Lines, out: Out<'_>) -> io::Result<()> {
    writeln!(out, "{} lines are as they were written", lines.sealed)?;
    if lines.unsealed > 0 {
        writeln!(out, "{} lines before them have no seals", lines.unsealed)?;
    }
    if lines.continued > 0 {
        writeln!(
            out,
            "{} chains of lines began in an older file",
            lines.continued
        )?;
    }
    Ok(())
}

fn write_entry(kept: &Kept, json: bool, out: Out<'_>) -> anyhow::Result<()> {
    if json {
        writeln!(out, "{}", serde_json::to_string(kept)?)?;
        return Ok(());
    }
    let entry = &kept.entry;
    let words = [&entry.action, &entry.outcome, &entry.reason];
    let words: Vec<_> = words.map(|word| shown(word)).into();
    write!(out, "{} {} {}", kept.seq, entry.time, words.join(" "))?;
    for (name, value) in [
        ("actor", &entry.actor),
        ("user", &entry.user),
        ("session", &entry.session),
        ("api-key", &entry.api_key),
        ("address", &entry.address),
        ("request", &entry.request_id),
        ("detail", &entry.detail),
    ] {
        if let Some(value) = value {
            write!(out, " {name}={}", shown(value))?;
        }
    }
    writeln!(out)?;
    Ok(())
}
