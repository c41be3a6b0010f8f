//! Mails as files, one each: for development, and for tests.

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::io::AsyncWriteExt as _;

use super::{MailError, Mailer, Message, Sender, formed};
use crate::clock::SharedClock;
use crate::id::RequestId;

/// Writes mails into a directory.
#[derive(Clone, Debug)]
pub struct FileMailer {
    directory: PathBuf,
    sender: Sender,
    clock: SharedClock,
}

impl FileMailer {
    /// Mails from `sender` into `directory`, which is made where it is missing.
    pub const fn new(directory: PathBuf, sender: Sender, clock: SharedClock) -> Self {
        Self {
            directory,
            sender,
            clock,
        }
    }
}

#[async_trait]
impl Mailer for FileMailer {
    /// The names sort by time. Whoever looks for `.eml` never sees half a mail.
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        let content = formed(&self.sender, message)?.formatted();
        let name = RequestId::new(self.clock.now());
        let path = self.directory.join(name.to_string());
        let written = write(&self.directory, &path, &content).await;
        written.map_err(|error| MailError::Away(error.into()))
    }
}

/// Codes are in it: for the owner of the process alone.
async fn write(directory: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    tokio::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .await?;
    let mut file = tokio::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .await?;
    file.write_all(content).await?;
    file.flush().await?;
    tokio::fs::rename(path, path.with_extension("eml")).await
}
