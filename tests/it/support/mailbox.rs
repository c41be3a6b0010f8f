//! A mailer that keeps what it is given, for tests to read.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use doorward::mail::{MailError, Mailer, Message};
use parking_lot::Mutex;
use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct Mailbox {
    mails: Mutex<Vec<Message>>,
    came: Notify,
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailbox")
    }
}

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        self.mails.lock().push(message.clone());
        self.came.notify_one();
        Ok(())
    }
}

impl Mailbox {
    /// Takes the next mail out; waits for it.
    pub(crate) async fn next(&self) -> Message {
        let wait = async {
            loop {
                if !self.mails.lock().is_empty() {
                    return self.mails.lock().remove(0);
                }
                self.came.notified().await;
            }
        };
        let mail = tokio::time::timeout(Duration::from_secs(20), wait).await;
        mail.expect("a mail comes")
    }

    /// How many have come and were not taken.
    pub(crate) fn count(&self) -> usize {
        self.mails.lock().len()
    }
}

/// The six digits of a mail.
pub(crate) fn digits(text: &str) -> String {
    let (_, rest) = text.split_once("Your code: ").expect("a code");
    rest.chars().take(6).collect()
}

/// The token of the link in a mail.
pub(crate) fn token(text: &str) -> String {
    let (_, rest) = text.split_once("token=").expect("a link");
    rest.chars().take(43).collect()
}
