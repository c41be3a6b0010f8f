//! Mails to a real SMTP server (aiosmtpd) over TLS.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use doorward::mail::smtp::{Config, Security, SmtpMailer};
use doorward::mail::{MailError, Mailer as _, Message, Sender};
use doorward::secret::SecretText;
use doorward::user::Email;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::tls::Authority;

const USER: &str = "doorward";
const PASSWORD: &str = "p@ss:w/rd %";

/// A server of a test's own, which keeps what it takes in a directory.
struct SmtpServer {
    directory: TempDir,
    address: SocketAddr,
    authority: Authority,
    _process: Child,
}

impl SmtpServer {
    /// `mode` is `tls` or `starttls`.
    async fn start(mode: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        authority.issue(directory.path(), "mail", &["localhost"]);
        std::fs::write(directory.path().join("ca.pem"), authority.pem()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/smtp_server.py");
        let mut process = Command::new(python())
            .arg(script)
            .args([mode, USER, PASSWORD])
            .current_dir(directory.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the server can be run: ./dev test installs what it needs");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(Duration::from_secs(30), lines.next_line());
        let line = line.await.expect("the server starts").unwrap();
        let port: u16 = line.expect("it says where").trim().parse().unwrap();
        Self {
            directory,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            authority,
            _process: process,
        }
    }

    fn config(&self, security: Security) -> Config {
        Config {
            host: "localhost".into(),
            port: self.address.port(),
            security,
            credentials: Some((USER.into(), SecretText::from(PASSWORD))),
            ca: Some(self.directory.path().join("ca.pem")),
        }
    }

    /// What it has taken.
    fn taken(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.directory.path()).unwrap().flatten();
        let mails = files.filter(|file| file.path().extension().is_some_and(|end| end == "eml"));
        mails
            .map(|file| std::fs::read_to_string(file.path()).unwrap())
            .collect()
    }
}

/// That of the virtual environment with aiosmtpd in it.
fn python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/.venv/bin/python")
}

fn message(to: &str) -> Message {
    Message {
        to: Email::parse(to).unwrap(),
        subject: "Your cöde".into(),
        text: "Your code: 012345\n.\nend\n".into(),
        html: "<p>Your code: 012345</p>".into(),
    }
}

async fn send(config: &Config, to: &str) -> Result<(), MailError> {
    let sender = Sender::parse("Doorward <no-reply@example.com>").unwrap();
    let mailer = SmtpMailer::new(config, sender).unwrap();
    mailer.send(&message(to)).await
}

#[tokio::test]
async fn a_mail_goes_over_tls_from_the_first_byte_or_by_starttls() {
    for (mode, security) in [("tls", Security::Tls), ("starttls", Security::StartTls)] {
        let server = SmtpServer::start(mode).await;
        send(&server.config(security), "ann@example.com")
            .await
            .unwrap();
        let [mail] = &server.taken()[..] else {
            panic!("{:?}", server.taken())
        };
        for part in [
            "X-Envelope: no-reply@example.com ann@example.com",
            "To: ann@example.com",
            "Your code: 012345",
        ] {
            assert!(mail.contains(part), "{mode} {part}: {mail}");
        }
    }
}

#[tokio::test]
async fn no_mail_goes_to_a_server_of_another_authority() {
    for (mode, security) in [("tls", Security::Tls), ("starttls", Security::StartTls)] {
        let server = SmtpServer::start(mode).await;
        let other = Authority::new();
        assert_ne!(other.pem(), server.authority.pem());
        std::fs::write(server.directory.path().join("ca.pem"), other.pem()).unwrap();
        let sent = send(&server.config(security), "ann@example.com").await;
        assert!(matches!(sent, Err(MailError::Away(_))), "{mode}: {sent:?}");
        assert_eq!(server.taken(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn no_password_is_shown_to_a_server_without_tls() {
    let server = SmtpServer::start("plain").await;
    let sent = send(&server.config(Security::StartTls), "ann@example.com").await;
    assert!(sent.is_err(), "{sent:?}");
    assert_eq!(server.taken(), Vec::<String>::new());
}

#[tokio::test]
async fn a_recipient_that_is_refused_is_told_from_a_server_that_is_away() {
    let server = SmtpServer::start("tls").await;
    let config = server.config(Security::Tls);
    let refused = send(&config, "refused@example.com").await;
    assert!(matches!(refused, Err(MailError::Refused(_))), "{refused:?}");
    let away = Config {
        // Nobody listens on a port that only this has.
        port: free_port(),
        ..config
    };
    let sent = send(&away, "ann@example.com").await;
    assert!(matches!(sent, Err(MailError::Away(_))), "{sent:?}");
    let wrong = Config {
        credentials: Some((USER.into(), SecretText::from("wrong"))),
        ..server.config(Security::Tls)
    };
    let sent = send(&wrong, "ann@example.com").await;
    assert!(sent.is_err(), "{sent:?}");
    assert_eq!(server.taken(), Vec::<String>::new());
}

/// The clock runs ahead where everybody waits, so this takes no minute.
#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_away() {
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = Config {
        host: "127.0.0.1".into(),
        port: mute.local_addr().unwrap().port(),
        security: Security::LoopbackOnly,
        credentials: None,
        ca: None,
    };
    let sent = send(&config, "ann@example.com").await;
    assert!(matches!(sent, Err(MailError::Away(_))), "{sent:?}");
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
