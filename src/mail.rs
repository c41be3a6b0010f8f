//! Mail: what is sent, and by what. What it says is the business of [`auth`](crate::auth).
//!
//! A request never waits for a mail server: mails go through the [`outbox`].

use std::fmt;

use async_trait::async_trait;
use lettre::message::{Mailbox, MultiPart};

use crate::user::Email;

pub mod file;
pub mod outbox;
pub mod smtp;

/// A mail to one person.
#[derive(Clone)]
pub struct Message {
    /// To whom.
    pub to: Email,
    /// In words, on one line.
    pub subject: String,
    /// The mail as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// Codes are in it.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// Who a mail is from: `no-reply@example.com` or `Example <no-reply@example.com>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender(Mailbox);

impl Sender {
    /// Reads a sender; `None` where the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// It will not be, however often it is tried.
    #[error("the mail was refused")]
    Refused(#[source] Source),
    /// The server, or the way to it, is away.
    #[error("the mail server is away")]
    Away(#[source] Source),
}

/// What a mail server or the system said.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// Sends mails.
#[async_trait]
pub trait Mailer: Send + Sync + fmt::Debug {
    /// Sends a mail; returns when somebody else has taken it on.
    async fn send(&self, message: &Message) -> Result<(), MailError>;
}

/// A mail in its form (RFC 5322): plain text, and HTML beside it. Everything in a head is typed or
/// encoded by lettre, so that no line break of an address or subject begins another head.
fn formed(sender: &Sender, message: &Message) -> Result<lettre::Message, MailError> {
    let refused = |source: Source| MailError::Refused(source);
    let address = message.to.as_str().parse();
    let address = address.map_err(|error: lettre::address::AddressError| refused(error.into()))?;
    let body = MultiPart::alternative_plain_html(message.text.clone(), message.html.clone());
    lettre::Message::builder()
        .from(sender.0.clone())
        .to(Mailbox::new(None, address))
        .subject(message.subject.clone())
        // Nobody's holiday note answers it (RFC 3834 §5).
        .header(AutoSubmitted)
        .multipart(body)
        .map_err(|error| refused(error.into()))
}

#[derive(Clone, Copy, Debug)]
struct AutoSubmitted;

impl lettre::message::header::Header for AutoSubmitted {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Source> {
        Ok(Self)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        let value = "auto-generated".to_owned();
        lettre::message::header::HeaderValue::new(Self::name(), value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(to: &str, subject: &str) -> Message {
        Message {
            to: Email::parse(to).unwrap(),
            subject: subject.into(),
            text: "Your code is 012345.\n.\nEnd".into(),
            html: "<p>Your code is <b>012345</b>.</p>".into(),
        }
    }

    fn text(message: &Message) -> Result<String, MailError> {
        let sender = Sender::parse("Dörwärd <no-reply@example.com>").unwrap();
        let formed = formed(&sender, message)?.formatted();
        Ok(String::from_utf8(formed).unwrap())
    }

    #[test]
    fn a_mail_says_the_same_twice_and_comes_from_a_machine() {
        let text = text(&message("ann@example.com", "Your code")).unwrap();
        for part in [
            "To: ann@example.com\r\n",
            "Subject: Your code\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "multipart/alternative",
            "Your code is 012345.\r\n",
            "<b>012345</b>",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn no_head_can_be_smuggled_into_a_mail() {
        let smuggled = text(&message(
            "ann@example.com",
            "Code\r\nBcc: eve@example.com\r\n\r\nbody",
        ));
        let smuggled = smuggled.unwrap();
        let (heads, _) = smuggled.split_once("\r\n\r\n").unwrap();
        assert!(
            !heads.lines().any(|line| line.starts_with("Bcc")),
            "{heads}"
        );
        for odd in [
            "a,eve@example.com",
            "<eve@example.com",
            "\"a\\\"@x\"@example.com",
        ] {
            let Ok(to) = Email::parse(odd) else { continue };
            let odd = Message {
                to,
                ..message("a@b.c", "Code")
            };
            assert!(matches!(text(&odd), Err(MailError::Refused(_))));
        }
    }

    #[test]
    fn debug_shows_no_code() {
        let shown = format!("{:?}", message("a@b.c", "Code"));
        assert!(!shown.contains("012345"), "{shown}");
    }
}
