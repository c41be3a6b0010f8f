//! Values that several tables have: addresses, networks, URLs, paths, secrets.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use http::HeaderValue;
use ipnet::IpNet;
use url::{Host, Url};

use super::reader::{Complaint, Noted, Read, Section, Value, all};
use super::reference::tables;
use crate::net::Networks;
use crate::secret::{SecretBytes, SecretText};
use crate::token::key::KeySet;
use crate::trust::Trust;

/// An address with port.
pub(super) fn address(value: &Value<'_>) -> Read<SocketAddr> {
    value.parsed("an address with port, such as \"0.0.0.0:8443\"", |text| {
        text.parse().ok()
    })
}

/// A list of networks; a lone address is a network of one.
pub(super) fn networks(value: &Value<'_>) -> Read<Networks> {
    let items = value.items("a list of networks, such as [\"10.0.0.0/8\"]")?;
    all(items.iter().map(network)).map(Networks::new)
}

/// A list of networks, at least one.
pub(super) fn some_networks(value: &Value<'_>) -> Read<Networks> {
    value.at_least_one("a list of networks, at least one")?;
    networks(value)
}

fn network(value: &Value<'_>) -> Read<IpNet> {
    let network: IpNet = value.parsed("a network, such as \"10.0.0.0/8\"", |text| {
        let lone = || text.parse::<IpAddr>().ok().map(IpNet::from);
        text.parse().ok().or_else(lone)
    })?;
    // `10.1.2.3/8` is nearly always a slip of one of its two halves, and one of them opens a door.
    if network.trunc() != network {
        let complaint = Complaint::new(format!("found \"{network}\", an address within a network"));
        return Err(value.note(complaint.expected(format!("\"{}\"", network.trunc()))));
    }
    Ok(canonical(network))
}

/// `::ffff:10.0.0.0/104` as `10.0.0.0/8`: addresses are compared in IPv4 clothes, and a network in
/// IPv6 clothes would never hold one.
fn canonical(network: IpNet) -> IpNet {
    const MAPPED_BITS: u8 = 96;
    let address = network.addr().to_canonical();
    let bits = network.prefix_len().checked_sub(MAPPED_BITS);
    match (network, address, bits) {
        (IpNet::V6(_), IpAddr::V4(_), Some(bits)) => IpNet::new(address, bits).unwrap_or(network),
        _ => network,
    }
}

/// A path, made absolute to the directory of the file.
pub(super) fn path(value: &Value<'_>) -> Read<PathBuf> {
    let text = value.filled_text("a path")?;
    Ok(value.reader().path(text))
}

/// A path to a file that can be read and holds something. What it holds is left to its reader.
pub(super) fn readable_file(value: &Value<'_>) -> Read<PathBuf> {
    let path = path(value)?;
    file_bytes(value, &path).map(|_| path)
}

fn file_bytes(value: &Value<'_>, path: &std::path::Path) -> Read<SecretBytes> {
    let found = match value.reader().environment().read_file(path) {
        Ok(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => "found an empty file".to_owned(),
        Ok(bytes) => return Ok(SecretBytes::new(bytes)),
        Err(error) => format!("found a file that cannot be read ({error})"),
    };
    Err(value.note(Complaint::new(found).wider()))
}

/// The authorities whose certificates are in a file.
pub(super) fn authorities(value: &Value<'_>) -> Read<Trust> {
    let bytes = file_bytes(value, &path(value)?)?;
    Trust::from_pem(bytes.expose()).map_err(|error| {
        let complaint = Complaint::new(format!("found a file that cannot be used ({error})"));
        value.note(complaint.expected("the certificates of authorities, as PEM"))
    })
}

/// The file of the same, for those who read it anew each time.
pub(super) fn authorities_file(value: &Value<'_>) -> Read<PathBuf> {
    authorities(value)?;
    path(value)
}

/// A file with the public keys of an issuer.
pub(super) fn key_set_file(value: &Value<'_>) -> Read<PathBuf> {
    let path = path(value)?;
    let bytes = file_bytes(value, &path)?;
    match KeySet::from_jwks(bytes.expose()) {
        Ok(_keys) => Ok(path),
        Err(error) => {
            let complaint = Complaint::new(format!("found a file that cannot be used ({error})"));
            Err(value.note(complaint.expected("a JSON Web Key Set")))
        }
    }
}

/// How a secret is written, for hints.
const SECRET: &str = "{ env = \"NAME\" } or { file = \"/path\" }";

/// A secret, from where `{ env = … }` or `{ file = … }` says.
pub(super) fn secret(value: &Value<'_>) -> Read<SecretText> {
    if value.table().is_none() {
        let hint = "a secret is never written into this file; put it into an environment variable \
                    or a file and name that";
        let found = Complaint::new("found a literal value").expected(SECRET);
        return Err(value.note(found.hint(hint)));
    }
    let section = value.section(&tables::SECRET)?;
    let env = section.optional("env", variable)?;
    let file = section.optional("file", secret_file)?;
    match (env, file) {
        (Some(secret), None) | (None, Some(secret)) => Ok(secret),
        (Some(_), Some(_)) => {
            Err(section.note_here(Complaint::new("found both env and file").expected(SECRET)))
        }
        (None, None) => {
            section.all_known()?;
            let complaint = Complaint::new("found neither env nor file").expected(SECRET);
            Err(section.note_here(complaint))
        }
    }
}

fn variable(value: &Value<'_>) -> Read<SecretText> {
    let name = value.filled_text("the name of an environment variable")?;
    let found = match value.reader().environment().variable(name) {
        Some(text) if text.trim().is_empty() => "is empty",
        Some(text) => return Ok(SecretText::new(text)),
        None => "is not set",
    };
    let complaint = Complaint::new(format!("the environment variable{} {found}", shown(name)));
    Err(value.note(complaint.wider()))
}

/// The name of a variable, if it looks like one: what else stands here may be the secret itself.
fn shown(name: &str) -> String {
    let usual = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if name.chars().all(usual) {
        format!(" {name}")
    } else {
        String::new()
    }
}

fn secret_file(value: &Value<'_>) -> Read<SecretText> {
    let bytes = file_bytes(value, &path(value)?)?;
    let Ok(text) = std::str::from_utf8(bytes.expose()) else {
        return Err(value.note(Complaint::new("found a file that is no UTF-8 text").wider()));
    };
    // Editors and `echo` end a file with a line break that nobody meant to be part of the secret.
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok(SecretText::from(text.strip_suffix('\r').unwrap_or(text)))
}

/// A URL with a host, of one of these schemes. Never shown: it may have a password in it.
pub(super) fn url(value: &Value<'_>, schemes: &[&str], expected: &str) -> Read<Url> {
    let wrong = |found: &str| Err(value.note(Complaint::new(found).expected(expected)));
    match Url::parse(value.text(expected)?) {
        Err(_) => wrong("found a text that is no URL"),
        Ok(url) if !schemes.contains(&url.scheme()) => wrong("found a URL of another scheme"),
        Ok(url) if url.host_str().is_none_or(str::is_empty) => wrong("found a URL without a host"),
        Ok(url) => Ok(url),
    }
}

/// A URL of scheme, host and perhaps port, and nothing else.
pub(super) fn origin(value: &Value<'_>, schemes: &[&str], expected: &str) -> Read<Url> {
    let url = url(value, schemes, expected)?;
    let found = match () {
        () if !url.username().is_empty() || url.password().is_some() => "with a user or password",
        () if url.query().is_some() => "with a query",
        () if url.fragment().is_some() => "with a fragment",
        () if url.path() != "/" => "with a path",
        () => return Ok(url),
    };
    let complaint = Complaint::new(format!("found a URL {found}")).expected(expected);
    Err(value.note(complaint))
}

/// Whether the URL points at this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Notes that an earlier item of the same list says the same.
pub(super) fn twice(value: &Value<'_>) -> Noted {
    value.note(Complaint::new("found twice").expected("each once"))
}

/// The one of `names` that a table has; none or several are a mistake.
pub(super) fn exactly_one(section: &Section<'_>, names: &[&'static str]) -> Read<&'static str> {
    let found = match section.given(names).as_slice() {
        [name] => return Ok(name),
        [] => {
            section.all_known()?;
            "found none of them".to_owned()
        }
        several => format!("found {}", several.join(" and ")),
    };
    let expected = format!("exactly one of {}", names.join(", "));
    Err(section.note_here(Complaint::new(found).expected(expected)))
}

/// In the spelling in which browsers send it (RFC 6454 §6.2): comparing is then comparing bytes.
pub(super) fn allowed_origin(value: &Value<'_>) -> Read<HeaderValue> {
    let expected =
        "an origin such as \"https://app.example.com\"; a wildcard would let every page in";
    let url = origin(value, &["https", "http"], expected)?;
    let origin = HeaderValue::from_str(&url.origin().ascii_serialization());
    origin.map_err(|_no_text| value.wrong_type(expected))
}
