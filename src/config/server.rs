//! `[server]`, `[tls]`, `[ops]`: where the gateway listens.

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

use super::reader::{Complaint, Read, Section, Value, all};
use super::reference::tables;
use super::values::{address, is_loopback, networks, origin, readable_file};
use crate::listen::{self, CertificateFiles};
use crate::net::Networks;
use crate::units::parse_duration;

/// What the three tables say.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) listen: listen::Config,
    pub(super) hsts: Option<Duration>,
    pub(super) trusted_proxies: Networks,
    pub(super) ops: Option<SocketAddr>,
}

pub(super) fn read(root: &Section<'_>) -> Read<Server> {
    let certificates = certificates(root);
    let ops = root.section("ops", &tables::OPS);
    let ops = ops.and_then(|ops| ops.optional("listen", listener));
    let server = root.section("server", &tables::SERVER)?;
    let listeners = listeners(&server, ops);
    let trusted_proxies = server.read("trusted_proxies", networks);
    let listen = listen(
        &server,
        listeners.as_ref().map_err(|noted| *noted),
        certificates,
    );
    let hsts = server.optional("hsts", hsts);
    let listen = listen?;
    Ok(Server {
        hsts: hsts?.unwrap_or(Hsts::Usual).told(&listen),
        listen,
        trusted_proxies: trusted_proxies?,
        ops: listeners?.ops,
    })
}

/// What the file says of `Strict-Transport-Security` (RFC 6797).
#[derive(Clone, Copy, Debug)]
enum Hsts {
    Usual,
    Off,
    For(Duration),
}

impl Hsts {
    const USUAL: Duration = Duration::from_hours(365 * 24);
    const LONGEST: Duration = Duration::from_hours(730 * 24);

    /// What browsers are told. With the certificate that we sign ourselves, nothing: it would lock a
    /// developer's `localhost`, all ports of it, into https.
    fn told(self, listen: &listen::Config) -> Option<Duration> {
        if listen.certificates.is_empty() {
            return None;
        }
        match self {
            Self::Off => None,
            Self::Usual => (!is_loopback(&listen.public_url)).then_some(Self::USUAL),
            Self::For(span) => Some(span),
        }
    }
}

fn hsts(value: &Value<'_>) -> Read<Hsts> {
    let expected = "a span of time up to \"730d\", or \"off\"";
    value.parsed(expected, |text| match text {
        "off" => Some(Hsts::Off),
        span => {
            let span = parse_duration(span).ok()?;
            (span <= Hsts::LONGEST).then_some(Hsts::For(span))
        }
    })
}

fn listen(
    server: &Section<'_>,
    listeners: Read<&Listeners>,
    certificates: Read<Vec<CertificateFiles>>,
) -> Read<listen::Config> {
    let public_url = server.optional("public_url", public_url);
    let max_connections = server.integer("max_connections");
    let max_connections_per_address = server.integer("max_connections_per_address");
    let handshake_timeout = server.duration("handshake_timeout");
    let header_timeout = server.duration("header_timeout");
    let idle_timeout = server.duration("idle_timeout");
    let drain_timeout = server.duration("drain_timeout");
    let threads = threads(server);
    let listeners = listeners?;
    Ok(listen::Config {
        listen: listeners.listen.clone(),
        redirect_http: listeners.redirect_http.clone(),
        public_url: match public_url? {
            Some(url) => url,
            None => localhost(server, &listeners.listen)?,
        },
        certificates: certificates?,
        max_connections: max_connections?,
        max_connections_per_address: max_connections_per_address?,
        handshake_timeout: handshake_timeout?,
        header_timeout: header_timeout?,
        idle_timeout: idle_timeout?,
        drain_timeout: drain_timeout?,
        threads: threads?,
    })
}

fn threads(server: &Section<'_>) -> Read<usize> {
    match server.get("threads") {
        Some(_) => server.integer("threads").map(|count| count as usize),
        None => Ok(server.reader().environment().cores().max(1)),
    }
}

fn public_url(value: &Value<'_>) -> Read<Url> {
    let expected = "an https origin, such as \"https://gw.example.com\"";
    origin(value, &["https"], expected)
}

/// The public URL of a gateway that somebody tries out on their own machine.
fn localhost(server: &Section<'_>, listen: &[SocketAddr]) -> Read<Url> {
    let port = listen.first().map_or(443, SocketAddr::port);
    Url::parse(&format!("https://localhost:{port}")).map_err(|_no_url| {
        let complaint = Complaint::new("missing").expected(server.expected("public_url"));
        server.note("public_url", complaint)
    })
}

fn certificates(root: &Section<'_>) -> Read<Vec<CertificateFiles>> {
    let tls = root.section("tls", &tables::TLS)?;
    let certificates = tls.sections("certificates", &tables::CERTIFICATES)?;
    all(certificates.into_iter().map(|certificate| {
        let certificate = certificate?;
        let cert = certificate.read("cert", readable_file);
        let key = certificate.read("key", readable_file);
        let files = CertificateFiles {
            cert: cert?,
            key: key?,
        };
        usable(&certificate, &files).map(|()| files)
    }))
}

/// Files that can be read may still hold no certificate, or the key of another.
fn usable(certificate: &Section<'_>, files: &CertificateFiles) -> Read<()> {
    let environment = certificate.reader().environment();
    listen::tls::check(files, |path| environment.read_file(path)).map_err(|error| {
        let name = if error.file == files.key {
            "key"
        } else {
            "cert"
        };
        let complaint = Complaint::new(format!("found a file that {}", error.problem));
        certificate.note(name, complaint.wider())
    })
}

/// The addresses of all listeners, no two of which are in each other's way.
#[derive(Debug)]
struct Listeners {
    listen: Vec<SocketAddr>,
    redirect_http: Vec<SocketAddr>,
    ops: Option<SocketAddr>,
}

/// An address and where the file has it.
#[derive(Clone, Debug)]
struct Listener<'a> {
    address: SocketAddr,
    value: Value<'a>,
}

fn listener<'a>(value: &Value<'a>) -> Read<Listener<'a>> {
    address(value).map(|address| Listener {
        address,
        value: value.clone(),
    })
}

fn listeners(server: &Section<'_>, ops: Read<Option<Listener<'_>>>) -> Read<Listeners> {
    let listen = server.value("listen").and_then(|value| {
        value.at_least_one("a list of addresses with port, at least one")?;
        server.list("listen", listener)
    });
    let redirect_http = server.list("redirect_http", listener);
    let (listen, redirect_http, ops) = (listen?, redirect_http?, ops?);
    let together: Vec<_> = listen.iter().chain(&redirect_http).chain(&ops).collect();
    apart(&together)?;
    let addresses = |listeners: Vec<Listener<'_>>| {
        let addresses = listeners.into_iter().map(|listener| listener.address);
        addresses.collect::<Vec<_>>()
    };
    Ok(Listeners {
        listen: addresses(listen),
        redirect_http: addresses(redirect_http),
        ops: ops.map(|ops| ops.address),
    })
}

/// Notes each listener that an earlier one leaves no room for.
fn apart(listeners: &[&Listener<'_>]) -> Read<()> {
    let clashes = listeners.iter().enumerate().filter_map(|(index, later)| {
        let mut earlier = listeners.iter().take(index);
        let earlier = earlier.find(|earlier| clash(earlier.address, later.address))?;
        let complaint = Complaint::new(format!("found {}", later.address))
            .expected("an address of its own")
            .hint(format!("{} listens there", earlier.value.entry().key));
        Some(Err(later.value.note(complaint.wider())))
    });
    all(clashes).map(|_: Vec<()>| ())
}

/// Whether the system would refuse the second of the two. Port 0 stands for any free port.
fn clash(one: SocketAddr, other: SocketAddr) -> bool {
    let covers = |one: SocketAddr, other: SocketAddr| {
        // `[::]` takes IPv4 connections, too.
        one.ip().is_unspecified() && (one.is_ipv6() || other.is_ipv4())
    };
    let same_host = one.ip() == other.ip() || covers(one, other) || covers(other, one);
    one.port() == other.port() && one.port() != 0 && same_host
}
