//! Mails over SMTP, with TLS.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::time::timeout;

use super::{MailError, Mailer, Message, Sender, formed};
use crate::secret::SecretText;

/// How long a server may take to be connected.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a mail may take altogether. lettre bounds the connecting alone: a server that falls silent
/// would hold its place in the outbox for good.
const SEND_TIMEOUT: Duration = Duration::from_mins(1);

/// Which server, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The host; its certificate must be for this name.
    pub host: String,
    /// The port.
    pub port: u16,
    /// When TLS begins.
    pub security: Security,
    /// User and password, where the server asks for them.
    pub credentials: Option<(String, SecretText)>,
    /// The certificates that the server's must come from, as PEM; none: those of the system.
    pub ca: Option<PathBuf>,
}

/// When TLS begins. Never without it but to a relay on the same machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// At once (`smtps`, RFC 8314).
    Tls,
    /// After `STARTTLS`, which the server must offer (RFC 3207).
    StartTls,
    /// Not at all: for a relay on the loopback address.
    LoopbackOnly,
}

/// The TLS of a mail server cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum BadCertificates {
    /// The file cannot be read.
    #[error("the certificates for the mail server cannot be read")]
    Unreadable(#[from] std::io::Error),
    /// There is none.
    #[error("there is no certificate in the file for the mail server")]
    None,
    /// They cannot be read or used.
    #[error("the certificates for the mail server cannot be used")]
    Unusable(#[from] lettre::transport::smtp::Error),
}

/// Sends mails to a server.
#[derive(Clone, Debug)]
pub struct SmtpMailer {
    sender: Sender,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl SmtpMailer {
    /// Mails from `sender` by this server. It is connected to when there is something to send.
    pub fn new(config: &Config, sender: Sender) -> Result<Self, BadCertificates> {
        let tls = match config.security {
            Security::Tls => Tls::Wrapper(tls(config)?),
            Security::StartTls => Tls::Required(tls(config)?),
            Security::LoopbackOnly => Tls::None,
        };
        let domain = sender.0.email.domain().to_owned();
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&*config.host)
            .port(config.port)
            .tls(tls)
            .hello_name(ClientId::Domain(domain))
            .timeout(Some(CONNECT_TIMEOUT));
        if let Some((user, password)) = &config.credentials {
            let password = password.expose().to_owned();
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self {
            sender,
            transport: builder.build(),
        })
    }
}

fn tls(config: &Config) -> Result<TlsParameters, BadCertificates> {
    let mut parameters = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.ca {
        let pem = &std::fs::read(path)?;
        if CertificateDer::pem_slice_iter(pem).next().is_none() {
            return Err(BadCertificates::None);
        }
        parameters = parameters
            .certificate_store(CertificateStore::None)
            .add_root_certificate(Certificate::from_pem(pem)?);
    }
    Ok(parameters.build_rustls()?)
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        let mail = formed(&self.sender, message)?;
        match timeout(SEND_TIMEOUT, self.transport.send(mail)).await {
            Ok(Ok(_taken_on)) => Ok(()),
            // 5xx: the server has understood and will not (RFC 5321 §4.2.1).
            Ok(Err(error)) if error.is_permanent() => Err(MailError::Refused(error.into())),
            Ok(Err(error)) => Err(MailError::Away(error.into())),
            Err(late) => Err(MailError::Away(late.into())),
        }
    }
}
