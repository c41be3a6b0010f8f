//! What is changed from the command line, told to the audit trail.

use anyhow::Context as _;

use crate::app::trail;
use crate::audit::{Action, Audit, Counters, Event, Outcome};
use crate::clock::SharedClock;
use crate::config::{Config, LogTarget};
use crate::database::Database;
use crate::id::{ApiKeyId, SessionId, UserId};
use crate::logs::LineLog;
use crate::metrics::Metrics;

/// The audit trail, for one command.
pub(super) struct Trail {
    audit: Audit,
    actor: String,
}

impl Trail {
    /// Opens it; to be called in the runtime of the command. Standard output belongs to the command, so
    /// a log that goes there is left to the gateway's own process; the table has all of it.
    pub(super) fn open(
        config: &Config,
        database: Database,
        clock: &SharedClock,
    ) -> anyhow::Result<Self> {
        let keys = trail::seal_keys(config, clock)?;
        let log = match &config.log.audit {
            LogTarget::Stdout | LogTarget::Off => LineLog::off(),
            target @ (LogTarget::File(_) | LogTarget::Syslog(_)) => {
                let lost = Metrics::new().lost_lines_of("audit");
                trail::open_log(target.clone(), (clock.clone(), lost), keys.clone())?
            }
        };
        let store = trail::store(database, keys);
        let (audit, writer) = Audit::new(log, clock.clone()).kept(store, Counters::default());
        tokio::spawn(writer.run());
        Ok(Self {
            audit,
            actor: actor(),
        })
    }

    /// Records a change that was made.
    pub(super) fn record(
        &self,
        action: Action,
        (user, session): (Option<UserId>, Option<SessionId>),
    ) {
        self.audit.record(&Event {
            user: user.map(|user| user.to_string()),
            session: session.map(|session| session.to_string()),
            ..self.event(action)
        });
    }

    /// Records a change of an API key.
    pub(super) fn record_of_key(&self, action: Action, (user, key): (Option<UserId>, ApiKeyId)) {
        self.audit.record(&Event {
            user: user.map(|user| user.to_string()),
            api_key: Some(key),
            ..self.event(action)
        });
    }

    fn event(&self, action: Action) -> Event<'_> {
        Event {
            action,
            outcome: Outcome::Success,
            reason: "command-line",
            actor: Some(&self.actor),
            user: None,
            session: None,
            address: None,
            request_id: None,
            api_key: None,
        }
    }

    /// Waits until all of it is kept. Only then may a command say that it succeeded.
    pub(super) async fn finish(&self) -> anyhow::Result<()> {
        let kept = self.audit.flush().await;
        kept.context("what was changed stays changed, but the audit trail does not have it")
    }
}

/// `cli:` and whose command it is; with sudo also who stands behind it, which is root's word.
fn actor() -> String {
    let user = whoami::username().unwrap_or_else(|_unknown| "?".to_owned());
    #[expect(
        clippy::disallowed_methods,
        reason = "the command line reads the environment"
    )]
    match std::env::var("SUDO_USER") {
        Ok(behind) if user == "root" => format!("cli:{user} (sudo: {behind})"),
        Ok(_) | Err(_) => format!("cli:{user}"),
    }
}
