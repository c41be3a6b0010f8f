//! `[[dialects]]`, `[headers]`, `[log]`, `[audit]`: what clients, upstreams and operators see.

use http::HeaderName;
use url::{Host, Url};

use super::mistake::Entry;
use super::reader::{Complaint, Read, Section, Value, all, quoted};
use super::reference::tables;
use super::routing::host;
use super::values::{allowed_origin, path, secret};
use super::{ApiKeys, AuditConfig, DialectConfig, LogConfig, LogTarget, Shape, Targets};
use crate::keys::shared_secret::LEAST_BYTES;
use crate::logs::SyslogServer;
use crate::path::NormalPath;
use crate::proxy::IdentityHeaders;
use crate::route::pattern::HostPattern;
use crate::secret::SecretText;

/// The dialects, each with the entry of the file that it comes from.
pub(super) fn dialects(root: &Section<'_>) -> Read<Vec<(DialectConfig, Entry)>> {
    let sections = root.sections("dialects", &tables::DIALECTS)?;
    all(sections.into_iter().map(|section| {
        let section = section?;
        Ok((dialect(&section)?, section.entry()))
    }))
}

fn dialect(section: &Section<'_>) -> Read<DialectConfig> {
    let shape = section.read("shape", shape);
    let host = section.optional("host", host);
    let prefix = section.optional("prefix", prefix);
    let allowed_origins = section.list("allowed_origins", allowed_origin);
    let given_secret = section.optional("token_secret", long_secret);
    let public = section.list("api_keys", secret);
    let service = section.optional("service_key", long_secret);
    let pages = section.list("redirect_urls", page);
    let admin_secret = section.optional("admin_secret", long_secret);
    let shape = shape?;
    refuse_strange(section, shape)?;
    let token_secret = match given_secret {
        Ok(None) if shape == Shape::Actian => usual_secret(section),
        given => given,
    };
    Ok(DialectConfig {
        shape,
        host: host?.unwrap_or(HostPattern::Any),
        prefix: prefix?.unwrap_or_default(),
        allowed_origins: allowed_origins?,
        token_secret: token_secret?,
        keys: ApiKeys {
            public: public?,
            service: service?,
        },
        targets: Targets::new(pages?),
        admin_secret: admin_secret?,
    })
}

/// Keys that mean nothing to the shape: whoever wrote them expects something of them.
fn refuse_strange(section: &Section<'_>, shape: Shape) -> Read<()> {
    let strange: &[&str] = match shape {
        Shape::InsForge => &[
            "prefix",
            "token_secret",
            "service_key",
            "redirect_urls",
            "admin_secret",
        ],
        Shape::Vaniyk => &["api_keys", "service_key", "redirect_urls"],
        Shape::Strikebet | Shape::Actian => {
            &["api_keys", "service_key", "redirect_urls", "admin_secret"]
        }
        Shape::Supabase => &["admin_secret"],
    };
    let given = section.given(strange);
    match given.first() {
        Some(name) => Err(section.note(name, Complaint::new("not a setting of this shape"))),
        None => Ok(()),
    }
}

/// Where the original looks for its secret.
const ACTIAN_SECRET: &str = "ACTIAN_VECTORAI_JWT_SECRET";

/// The secret of the `actian` dialect that stands where the original has it, if it does.
fn usual_secret(section: &Section<'_>) -> Read<Option<SecretText>> {
    let variable = section.reader().environment().variable(ACTIAN_SECRET);
    let secret = variable.filter(|text| !text.is_empty());
    match secret.map(SecretText::new) {
        Some(secret) if secret.expose().len() < LEAST_BYTES => {
            let found = format!("the environment variable {ACTIAN_SECRET} is too short");
            let expected = format!("at least {LEAST_BYTES} bytes");
            Err(section.note("token_secret", Complaint::new(found).expected(expected)))
        }
        secret => Ok(secret),
    }
}

fn shape(value: &Value<'_>) -> Read<Shape> {
    let expected = "\"insforge\", \"supabase\", \"vaniyk\", \"strikebet\" or \"actian\"";
    let shapes = [
        ("insforge", Shape::InsForge),
        ("supabase", Shape::Supabase),
        ("vaniyk", Shape::Vaniyk),
        ("strikebet", Shape::Strikebet),
        ("actian", Shape::Actian),
    ];
    value.one_of(expected, &shapes)
}

/// Plain segments, spelt as request paths are.
fn prefix(value: &Value<'_>) -> Read<String> {
    let expected = "a path without \"*\" and without a slash at its end, such as \"/shop\"";
    value.parsed(expected, |text| {
        let plain = text.starts_with('/') && text.len() > 1 && !text.ends_with('/');
        // `{` has a meaning in the paths of routers.
        let plain = plain && !text.contains(['*', '{', '}']);
        let path = NormalPath::parse(text).ok().filter(|_| plain)?;
        (path.as_str() == text).then(|| text.to_owned())
    })
}

fn page(value: &Value<'_>) -> Read<Url> {
    let expected = "an https URL without \"#\", such as \"https://app.example.com/welcome\"";
    value.parsed(expected, Targets::page)
}

/// A secret that signs or opens everything: long enough not to be found by trying.
fn long_secret(value: &Value<'_>) -> Read<SecretText> {
    let secret = secret(value)?;
    if secret.expose().len() < LEAST_BYTES {
        let complaint = Complaint::new("found a secret that is too short");
        let expected = format!("at least {LEAST_BYTES} bytes");
        return Err(value.note(complaint.expected(expected)));
    }
    Ok(secret)
}

pub(super) fn headers(root: &Section<'_>) -> Read<IdentityHeaders> {
    let headers = root.section("headers", &tables::HEADERS)?;
    let mut seen = Vec::new();
    let mut read = |name| headers.read(name, |value| header(value, &mut seen));
    let subject = read("subject");
    let email = read("email");
    let roles = read("roles");
    let session = read("session");
    Ok(IdentityHeaders {
        subject: subject?,
        email: email?,
        roles: roles?,
        session: session?,
    })
}

/// Headers that mean something of their own: to overwrite or drop them would break requests, or
/// change what others make of them. Every `proxy-`, `sec-`, `content-`, `if-`, `access-control-`
/// and `x-forwarded-` header is one, too.
const TAKEN: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "cookie",
    "date",
    "early-data",
    "expect",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "keep-alive",
    "max-forwards",
    "origin",
    "pragma",
    "prefer",
    "priority",
    "range",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "warning",
    "www-authenticate",
    "x-real-ip",
    "x-request-id",
    "x-original-url",
    "x-rewrite-url",
    "x-http-method-override",
];

const TAKEN_FAMILIES: &[&str] = &[
    "proxy-",
    "sec-",
    "content-",
    "if-",
    "access-control-",
    "x-forwarded-",
];

/// A header name that is taken by nobody; `_` counts as `-`, as many upstreams read it.
pub(super) fn header(value: &Value<'_>, seen: &mut Vec<String>) -> Read<HeaderName> {
    let expected = "a header name of its own, such as \"X-Auth-Subject\"";
    let name: HeaderName = value.parsed(expected, |text| text.parse().ok())?;
    let folded = name.as_str().replace('_', "-");
    let standard = TAKEN.contains(&folded.as_str())
        || TAKEN_FAMILIES
            .iter()
            .any(|family| folded.starts_with(family));
    if standard {
        let complaint = Complaint::new(format!(
            "found {}, which has a meaning of its own",
            quoted(&folded)
        ));
        return Err(value.note(complaint.expected(expected)));
    }
    if seen.contains(&folded) {
        let complaint = Complaint::new(format!("found {} twice", quoted(&folded)));
        return Err(value.note(complaint.expected(expected)));
    }
    seen.push(folded);
    Ok(name)
}

/// How long entries of the audit trail are kept.
pub(super) fn audit(root: &Section<'_>) -> Read<AuditConfig> {
    let keep = root.section("audit", &tables::AUDIT)?.duration("keep")?;
    Ok(AuditConfig { keep })
}

pub(super) fn log(root: &Section<'_>) -> Read<LogConfig> {
    let log = root.section("log", &tables::LOG)?;
    let access = log.read("access", log_target);
    let audit = log.read("audit", audit_target);
    Ok(LogConfig {
        access: access?,
        audit: audit?,
    })
}

fn log_target(value: &Value<'_>) -> Read<LogTarget> {
    if value.table().is_some() {
        let section = value.section(&tables::LOG_FILE)?;
        return section.read("file", path).map(LogTarget::File);
    }
    plain_target(value, "\"stdout\", \"off\" or { file = \"/path\" }")
}

fn audit_target(value: &Value<'_>) -> Read<LogTarget> {
    let expected = "\"stdout\", \"off\", { file = \"/path\" } or { syslog = \"unix:/dev/log\" }";
    if value.table().is_none() {
        return plain_target(value, expected);
    }
    let section = value.section(&tables::LOG_AUDIT)?;
    section.all_known()?;
    match *section.given(&["file", "syslog"]) {
        ["file"] => section.read("file", path).map(LogTarget::File),
        ["syslog"] => section.read("syslog", syslog).map(LogTarget::Syslog),
        _ => Err(section.note_here(Complaint::new("found not one of the two").expected(expected))),
    }
}

fn syslog(value: &Value<'_>) -> Read<SyslogServer> {
    let expected = "\"unix:/dev/log\", \"udp://host:514\" or \"tcp://host:601\"";
    value.parsed(expected, |text| {
        if let Some(path) = text.strip_prefix("unix:") {
            return path
                .starts_with('/')
                .then(|| SyslogServer::Unix(path.into()));
        }
        let (kind, address) = text.split_once("://")?;
        let (host, port) = address.rsplit_once(':')?;
        port.parse::<u16>().ok().filter(|port| *port != 0)?;
        Host::parse(host).ok()?;
        match kind {
            "udp" => Some(SyslogServer::Udp(address.to_owned())),
            "tcp" => Some(SyslogServer::Tcp(address.to_owned())),
            _ => None,
        }
    })
}

fn plain_target(value: &Value<'_>, expected: &str) -> Read<LogTarget> {
    let choices = [("stdout", Target::Stdout), ("off", Target::Off)];
    value.one_of(expected, &choices).map(|target| match target {
        Target::Stdout => LogTarget::Stdout,
        Target::Off => LogTarget::Off,
    })
}

#[derive(Clone, Copy, Debug)]
enum Target {
    Stdout,
    Off,
}
