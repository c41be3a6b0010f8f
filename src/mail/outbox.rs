//! The outbox: mails that wait for the mail server, so that no request does.
//!
//! In memory, and bounded. What a killed process had not sent is lost, which is harmless: whoever
//! waits for a code asks for another.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use super::{MailError, Mailer, Message};
use crate::metrics::Metrics;

/// How many mails are under way at once: a slow server must not hold up all for one.
const AT_ONCE: usize = 4;

/// The waits between the tries of one mail, a minute together. A greylisting server lets the second or
/// third in; for one that is away longer, a code that arrives is of little use.
const WAITS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(15),
    Duration::from_secs(40),
];

/// All places are taken: the mail server is away, or there is a flood (503).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many mails are waiting")]
pub struct Full;

/// Takes mails in.
#[derive(Clone, Debug)]
pub struct Outbox {
    places: mpsc::Sender<Message>,
    metrics: Arc<Metrics>,
}

/// A place for one mail. Dropped, it is free again.
#[derive(Debug)]
pub struct Place(mpsc::OwnedPermit<Message>);

impl Outbox {
    /// An outbox of `size` places, and what sends the mails on: to be run for as long as it is used.
    pub fn new(
        size: usize,
        mailer: Arc<dyn Mailer>,
        metrics: Arc<Metrics>,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (places, queue) = mpsc::channel(size.max(1));
        let outbox = Self {
            places,
            metrics: Arc::clone(&metrics),
        };
        (outbox, send_all(queue, mailer, metrics))
    }

    /// A place, taken before it is known whether there will be a mail: so that a full outbox looks the
    /// same whoever's address it is.
    pub fn place(&self) -> Result<Place, Full> {
        match self.places.clone().try_reserve_owned() {
            Ok(permit) => Ok(Place(permit)),
            Err(_full_or_closed) => {
                self.metrics.mail("queue-full");
                tracing::warn!("the outbox is full; somebody was told to come back");
                Err(Full)
            }
        }
    }
}

impl Place {
    /// Puts a mail into it.
    pub fn fill(self, message: Message) {
        self.0.send(message);
    }
}

async fn send_all(queue: mpsc::Receiver<Message>, mailer: Arc<dyn Mailer>, metrics: Arc<Metrics>) {
    let mails = futures_util::stream::unfold(queue, async |mut queue| {
        let mail = queue.recv().await?;
        Some((mail, queue))
    });
    let sending = mails.for_each_concurrent(AT_ONCE, |mail| send(mail, &*mailer, &metrics));
    sending.await;
}

/// Tries until the mail is gone, will never go, or has waited too long.
async fn send(mail: Message, mailer: &dyn Mailer, metrics: &Metrics) {
    let mut waits = WAITS.iter();
    let outcome = loop {
        let fate = match mailer.send(&mail).await {
            Ok(()) => break "sent",
            Err(error) => fate_after(&error, waits.next()),
        };
        match fate {
            Fate::Ended(outcome) => break outcome,
            Fate::AgainAfter(wait) => {
                metrics.mail("retried");
                tokio::time::sleep(wait).await;
            }
        }
    };
    metrics.mail(outcome);
}

/// What becomes of a mail that was not sent.
enum Fate {
    Ended(&'static str),
    AgainAfter(Duration),
}

/// The log has the reason; the recipient is nobody's business there.
fn fate_after(error: &MailError, wait: Option<&Duration>) -> Fate {
    let (fate, what) = match (error, wait) {
        (MailError::Refused(_), _) => (Fate::Ended("refused"), "was refused"),
        (MailError::Away(_), None) => (Fate::Ended("given-up"), "was given up"),
        (MailError::Away(_), Some(wait)) => (Fate::AgainAfter(*wait), "could not be sent yet"),
    };
    tracing::warn!(?error, "a mail {what}");
    fate
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use async_trait::async_trait;
    use parking_lot::Mutex;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::user::Email;

    type Answer = fn() -> Result<(), MailError>;

    /// Gives the answers in order, and then never one again.
    struct Scripted {
        answers: Mutex<Vec<Answer>>,
        asked: Semaphore,
    }

    impl fmt::Debug for Scripted {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Scripted")
        }
    }

    #[async_trait]
    impl Mailer for Scripted {
        async fn send(&self, _: &Message) -> Result<(), MailError> {
            self.asked.add_permits(1);
            let answer = self.answers.lock().pop();
            match answer {
                Some(answer) => answer(),
                None => std::future::pending().await,
            }
        }
    }

    fn message() -> Message {
        Message {
            to: Email::parse("ann@example.com").unwrap(),
            subject: String::new(),
            text: String::new(),
            html: String::new(),
        }
    }

    fn away() -> Result<(), MailError> {
        Err(MailError::Away("away".into()))
    }

    /// What is counted when one mail has met these answers, the last one first.
    async fn counted(answers: &[Answer]) -> String {
        let mailer = Arc::new(Scripted {
            answers: Mutex::new(answers.to_vec()),
            asked: Semaphore::new(0),
        });
        let metrics = Arc::new(Metrics::new());
        let (outbox, sending) = Outbox::new(1, mailer, Arc::clone(&metrics));
        outbox.place().unwrap().fill(message());
        drop(outbox);
        sending.await;
        metrics.encode().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_comes_back_gets_the_mail() {
        let page = counted(&[|| Ok(()), away, away]).await;
        assert!(page.contains(r#"mails_total{outcome="sent"} 1"#), "{page}");
        assert!(page.contains(r#"{outcome="retried"} 2"#), "{page}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stays_away_is_given_up() {
        let page = counted(&[away as Answer; 5]).await;
        assert!(page.contains(r#"{outcome="given-up"} 1"#), "{page}");
        assert!(!page.contains(r#"{outcome="sent"}"#), "{page}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_mail_that_is_refused_is_not_tried_again() {
        let page = counted(&[|| Err(MailError::Refused("no".into()))]).await;
        assert!(page.contains(r#"{outcome="refused"} 1"#), "{page}");
        assert!(!page.contains("retried"), "{page}");
    }

    #[tokio::test]
    async fn a_full_outbox_says_so_and_has_room_again_when_a_place_is_given_up() {
        let mailer = Arc::new(Scripted {
            answers: Mutex::default(),
            asked: Semaphore::new(0),
        });
        let metrics = Arc::new(Metrics::new());
        let (outbox, _not_running) = Outbox::new(2, mailer, Arc::clone(&metrics));
        let (one, _two) = (outbox.place().unwrap(), outbox.place().unwrap());
        assert_eq!(outbox.place().map(drop), Err(Full));
        let page = metrics.encode().unwrap();
        assert!(page.contains(r#"{outcome="queue-full"} 1"#), "{page}");
        drop(one);
        assert!(outbox.place().is_ok());
    }

    #[tokio::test]
    async fn one_slow_mail_does_not_hold_up_the_others() {
        let mailer = Arc::new(Scripted {
            answers: Mutex::default(),
            asked: Semaphore::new(0),
        });
        let (outbox, sending) = Outbox::new(8, Arc::clone(&mailer) as _, Arc::default());
        outbox.place().unwrap().fill(message());
        outbox.place().unwrap().fill(message());
        tokio::select! {
            () = sending => panic!("it ended"),
            asked_twice = mailer.asked.acquire_many(2) => drop(asked_twice),
        }
    }
}
