//! `[mail]`: how mails are sent.

use std::path::PathBuf;

use url::Url;

use super::reader::{Complaint, Read, Section, Value};
use super::reference::tables;
use super::values::{authorities_file, is_loopback, path, secret, url};
use super::{MailConfig, MailTransport};
use crate::mail::Sender;
use crate::mail::smtp::{self, Security};
use crate::secret::SecretText;

/// The table, which the rules of accounts look into, too.
pub(super) fn section<'a>(root: &Section<'a>) -> Read<Section<'a>> {
    root.section("mail", &tables::MAIL)
}

pub(super) fn mail(mail: Read<&Section<'_>>) -> Read<Option<MailConfig>> {
    let mail = mail?;
    let server = mail.optional("smtp", smtp_url);
    let password = mail.optional("password", secret);
    let ca = mail.optional("ca", authorities_file);
    let file = mail.optional("file", path);
    let from = mail.optional("from", sender);
    let queue = mail.integer("queue");
    let (server, file, from) = (server?, file?, from?);
    let transport = match (server, file) {
        (None, None) => return needless(mail, &["password", "ca", "from"]).map(|()| None),
        (Some(_), Some(_)) => {
            let complaint = Complaint::new("found both smtp and file").expected("one of them");
            return Err(mail.note("file", complaint));
        }
        (Some(url), None) => MailTransport::Smtp(server_of(mail, &url, (password?, ca?))?),
        (None, Some(directory)) => {
            needless(mail, &["password", "ca"])?;
            MailTransport::File(directory)
        }
    };
    let Some(from) = from else {
        let complaint = Complaint::new("missing").expected(mail.expected("from"));
        return Err(mail.note("from", complaint.wider()));
    };
    Ok(Some(MailConfig {
        transport,
        from,
        queue: queue? as usize,
    }))
}

/// Keys that say nothing without a server: most likely that one was forgotten.
fn needless(mail: &Section<'_>, names: &[&'static str]) -> Read<()> {
    match mail.given(names).first() {
        None => Ok(()),
        Some(name) => {
            let complaint =
                Complaint::new("found without smtp").hint("smtp = \"smtps://host:465\"");
            Err(mail.note(name, complaint.wider()))
        }
    }
}

fn smtp_url(value: &Value<'_>) -> Read<Url> {
    let expected = "smtps://user@host:465, or smtp://user@host:587";
    let url = url(value, &["smtps", "smtp"], expected)?;
    let found = match () {
        () if url.password().is_some() => {
            let complaint = Complaint::new("found a URL with a password in it");
            return Err(value.note(complaint.hint("write password = { env = \"NAME\" } beside it")));
        }
        () if url.query().is_some() || url.fragment().is_some() => "found a URL with a query",
        () if !matches!(url.path(), "" | "/") => "found a URL with a path",
        () => return Ok(url),
    };
    Err(value.note(Complaint::new(found).expected(expected)))
}

fn server_of(
    mail: &Section<'_>,
    url: &Url,
    (password, ca): (Option<SecretText>, Option<PathBuf>),
) -> Read<smtp::Config> {
    let user = percent_encoding::percent_decode_str(url.username()).decode_utf8_lossy();
    let credentials = match (&*user, password) {
        ("", None) => None,
        ("", Some(_)) => {
            let complaint =
                Complaint::new("found without a user").hint("smtp = \"smtps://user@…\"");
            return Err(mail.note("password", complaint.wider()));
        }
        (_, None) => {
            let complaint = Complaint::new("found a user without a password");
            let hint = "password = { env = \"NAME\" }";
            return Err(mail.note("smtp", complaint.hint(hint).wider()));
        }
        (user, Some(password)) => Some((user.to_owned(), password)),
    };
    let security = match url.scheme() {
        "smtps" => Security::Tls,
        _ if is_loopback_host(url) && credentials.is_none() && ca.is_none() => {
            Security::LoopbackOnly
        }
        _ => Security::StartTls,
    };
    let port = match security {
        Security::Tls => 465,
        Security::StartTls => 587,
        Security::LoopbackOnly => 25,
    };
    Ok(smtp::Config {
        host: url.host_str().unwrap_or_default().to_owned(),
        port: url.port().unwrap_or(port),
        security,
        credentials,
        ca,
    })
}

/// Hosts of these schemes are plain texts to the parser of URLs, addresses as well.
fn is_loopback_host(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    is_loopback(url) || matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

fn sender(value: &Value<'_>) -> Read<Sender> {
    value.parsed(
        "an address, such as \"Example <no-reply@example.com>\"",
        Sender::parse,
    )
}
