//! `[[upstreams]]`, `[[routes]]`: what goes where.

use http::Method;
use url::Url;

use super::mistake::Entry;
use super::reader::{Complaint, Read, Section, Value, all, quoted, suggestion};
use super::reference::tables;
use super::requirement::requirement;
use super::values::{allowed_origin, authorities, origin, twice};
use crate::proxy::{Protocol, UpstreamConfig};
use crate::route::pattern::{HostPattern, Methods, PathPattern};
use crate::route::{Credentials, Matcher, RouteConfig};

/// The upstreams, and every name that an entry claims, sound or not, so that a mistake in an upstream
/// does not look like a mistake in all of its routes.
#[derive(Debug)]
pub(super) struct Upstreams<'a> {
    pub(super) configs: Read<Vec<UpstreamConfig>>,
    names: Vec<&'a str>,
}

pub(super) fn upstreams<'a>(root: &Section<'a>) -> Upstreams<'a> {
    let mut names = Vec::new();
    let sections = root.sections("upstreams", &tables::UPSTREAMS);
    let configs = sections.and_then(|sections| {
        all(sections.into_iter().map(|section| {
            let section = section?;
            let name = upstream_name(&section, &mut names);
            upstream(&section, name)
        }))
    });
    Upstreams { configs, names }
}

fn upstream_name<'a>(section: &Section<'a>, names: &mut Vec<&'a str>) -> Read<&'a str> {
    let value = section.value("name")?;
    let expected = section.expected("name");
    let name = value.text(&expected)?;
    let known = names.contains(&name);
    names.push(name);
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
        return Err(value.wrong(&expected));
    }
    if known {
        let complaint = Complaint::new(format!("a second upstream named {}", quoted(name)));
        return Err(value.note(complaint.expected("each name once").wider()));
    }
    Ok(name)
}

fn upstream(section: &Section<'_>, name: Read<&str>) -> Read<UpstreamConfig> {
    let servers = section.read("servers", servers);
    let trust = section.optional("ca", authorities);
    let protocol = section.read("protocol", |value| {
        let choices = [("http1", Protocol::Http1), ("http2", Protocol::Http2)];
        value.one_of("\"http1\" or \"http2\"", &choices)
    });
    let connect_timeout = section.duration("connect_timeout");
    let response_timeout = section.duration("response_timeout");
    let idle_timeout = section.duration("idle_timeout");
    Ok(UpstreamConfig {
        name: name?.to_owned(),
        servers: servers?,
        connect_timeout: connect_timeout?,
        response_timeout: response_timeout?,
        idle_timeout: idle_timeout?,
        trust: trust?.unwrap_or_default(),
        protocol: protocol?,
    })
}

fn servers(value: &Value<'_>) -> Read<Vec<Url>> {
    let items = value.at_least_one("a list of http or https origins, at least one")?;
    let mut seen = Vec::new();
    all(items.iter().map(|item| {
        let expected = "an http or https origin, such as \"http://10.0.0.5:3000\"";
        let server = origin(item, &["http", "https"], expected)?;
        if seen.contains(&server) {
            return Err(twice(item));
        }
        seen.push(server.clone());
        Ok(server)
    }))
}

/// The routes, each with the entry of the file that it comes from.
pub(super) fn routes(
    root: &Section<'_>,
    upstreams: &Upstreams<'_>,
) -> Read<Vec<(RouteConfig, Entry)>> {
    let sections = root.sections("routes", &tables::ROUTES)?;
    let routes = all(sections.into_iter().map(|section| {
        let section = section?;
        let route = route(&section, &upstreams.names)?;
        let routes = route.into_iter().map(move |route| (route, section.entry()));
        Ok(routes.collect::<Vec<_>>())
    }))?;
    Ok(routes.into_iter().flatten().collect())
}

/// One route for each host that an entry names.
fn route(section: &Section<'_>, upstreams: &[&str]) -> Read<Vec<RouteConfig>> {
    let hosts = section.optional("host", hosts);
    let path = section.read("path", path);
    let methods = section.optional("methods", methods);
    let requirement = section.read("require", requirement);
    let upstream = section.read("upstream", |value| upstream_index(value, upstreams));
    let credentials = section.boolean("forward_credentials");
    let allowed_origins = section.optional("allowed_origins", |value| {
        let items = value.items(&section.expected("allowed_origins"))?;
        all(items.iter().map(allowed_origin))
    });
    let (path, methods, requirement) = (path?, methods?, requirement?);
    let credentials = if credentials? {
        Credentials::Forwarded
    } else {
        Credentials::Kept
    };
    let (upstream, allowed_origins) = (upstream?, allowed_origins?);
    let hosts = hosts?.unwrap_or_else(|| vec![HostPattern::Any]);
    let routes = hosts.into_iter().map(|host| RouteConfig {
        matcher: Matcher {
            host,
            path: path.clone(),
            methods: methods.clone().unwrap_or(Methods::Any),
        },
        requirement: requirement.clone(),
        upstream,
        credentials,
        allowed_origins: allowed_origins.clone(),
    });
    Ok(routes.collect())
}

fn hosts(value: &Value<'_>) -> Read<Vec<HostPattern>> {
    let items = value.one_or_more("a host, \"*.\" and a domain, or a list of them")?;
    let mut seen = Vec::new();
    all(items.iter().map(|item| {
        let host = host(item)?;
        if seen.contains(&host) {
            return Err(twice(item));
        }
        seen.push(host.clone());
        Ok(host)
    }))
}

/// A host or `*.` and a domain. Every host is said by leaving the key out.
pub(super) fn host(value: &Value<'_>) -> Read<HostPattern> {
    let expected = "a host, or \"*.\" and a domain";
    let text = value.filled_text(expected)?;
    HostPattern::parse(text).map_err(|error| {
        let found = format!("found {}: {error}", quoted(text));
        value.note(Complaint::new(found).expected(expected))
    })
}

fn path(value: &Value<'_>) -> Read<PathPattern> {
    let expected = "a path pattern, such as \"/admin/**\"";
    let text = value.filled_text(expected)?;
    if text == "/.doorward" || text.starts_with("/.doorward/") {
        let complaint = Complaint::new(format!("found {}", quoted(text)));
        return Err(value.note(complaint.hint("the gateway's own pages live under /.doorward/")));
    }
    PathPattern::parse(text).map_err(|error| {
        let found = format!("found {}: {error}", quoted(text));
        value.note(Complaint::new(found).expected(expected))
    })
}

fn methods(value: &Value<'_>) -> Read<Methods> {
    let items = value.at_least_one("a list of methods, such as [\"GET\", \"POST\"]")?;
    let mut seen = Vec::new();
    let methods = all(items.iter().map(|item| {
        let method = method(item)?;
        if seen.contains(&method) {
            return Err(twice(item));
        }
        seen.push(method.clone());
        Ok(method)
    }))?;
    Ok(Methods::Only(methods))
}

/// Methods are case-sensitive (RFC 9110 §9.1): `get` would be a method that no client sends.
fn method(value: &Value<'_>) -> Read<Method> {
    value.parsed("a method in capitals, such as \"GET\"", |text| {
        let capitals = text.chars().all(|c| c.is_ascii_uppercase() || c == '-');
        Method::from_bytes(text.as_bytes())
            .ok()
            .filter(|_| capitals)
    })
}

fn upstream_index(value: &Value<'_>, names: &[&str]) -> Read<usize> {
    let expected = "the name of an upstream";
    let name = value.filled_text(expected)?;
    names
        .iter()
        .position(|known| *known == name)
        .ok_or_else(|| {
            let hint = suggestion(name, names.iter().copied())
                .unwrap_or_else(|| format!("known upstreams: {}", known(names)));
            let complaint = Complaint::new(format!("no upstream is named {}", quoted(name)));
            value.note(complaint.hint(hint).wider())
        })
}

fn known(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    }
}
