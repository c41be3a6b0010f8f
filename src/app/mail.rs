//! Starting what sends mails.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::task::JoinSet;

use crate::clock::SharedClock;
use crate::config::{Config, MailTransport};
use crate::mail::Mailer;
use crate::mail::file::FileMailer;
use crate::mail::outbox::Outbox;
use crate::mail::smtp::SmtpMailer;
use crate::metrics::Metrics;

/// The outbox, where there is a way to send; its sending goes on in `background`.
pub(super) fn start(
    config: &Config,
    (clock, metrics): (&SharedClock, &Arc<Metrics>),
    background: &mut JoinSet<()>,
) -> anyhow::Result<Option<Outbox>> {
    let Some(mail) = &config.mail else {
        tracing::info!("no [mail]: codes, links and new passwords by mail are off");
        return Ok(None);
    };
    let from = mail.from.clone();
    let mailer: Arc<dyn Mailer> = match &mail.transport {
        MailTransport::Smtp(server) => Arc::new(SmtpMailer::new(server, from).context("[mail]")?),
        MailTransport::File(directory) => {
            tracing::warn!(directory = %directory.display(), "mails are written to files, and sent to nobody");
            Arc::new(FileMailer::new(directory.clone(), from, clock.clone()))
        }
    };
    let (outbox, sending) = Outbox::new(mail.queue, mailer, Arc::clone(metrics));
    background.spawn(sending);
    Ok(Some(outbox))
}
