//! The `gateway.toml` of the repository: as it is, and with every setting that it leaves out.

use toml::de::{DeTable, DeValue};

use super::{AUTHORITY, Around, PAIR, read_in};
use crate::config::reference::{Default, Form, TABLES, Table};
use crate::config::{Config, SessionStoreConfig, UserStoreConfig};
use crate::policy::Requirement;

const SHIPPED: &str = include_str!("../../../gateway.toml");

/// Takes the `#` from every line that is a setting and not for people.
fn uncommented() -> String {
    let line = |line: &'static str| match line.strip_prefix('#') {
        Some(setting) if !setting.is_empty() && !setting.starts_with(' ') => setting,
        _ => line,
    };
    let lines: Vec<_> = SHIPPED.lines().map(line).collect();
    lines.join("\n")
}

/// Users are kept in one place: the other is taken out again.
fn with_store() -> String {
    let text = uncommented();
    let (before, rest) = text.split_once("[users.supabase]").unwrap();
    let (_, after) = rest.split_once("[passwords]").unwrap();
    format!("{before}[passwords]{after}")
}

fn with_supabase() -> String {
    uncommented().replace("store = { url = \"postgres", "#store = { url = \"postgres")
}

fn read(text: &str) -> Config {
    let around = Around::default()
        .variable("REDIS_PASSWORD", "hunter2")
        .variable("DATABASE_PASSWORD", "hunter2")
        .variable("SMTP_PASSWORD", "hunter2")
        .file("/etc/doorward/mail-ca.crt", AUTHORITY)
        .variable(
            "SUPABASE_JWT_SECRET",
            "a secret of more than thirty-two bytes",
        )
        .variable("SUPABASE_ANON_KEY", "anon")
        .variable("ADMIN_SECRET", "an admin secret of at least 32 bytes")
        .variable(
            "SUPABASE_SERVICE_KEY",
            "another secret of more than thirty-two bytes",
        )
        .file("/etc/doorward/db-ca.crt", AUTHORITY)
        .file("/etc/doorward/tls.crt", PAIR.0.as_bytes())
        .file("/etc/doorward/tls.key", PAIR.1.as_bytes())
        .file("/etc/doorward/redis-ca.pem", AUTHORITY)
        .file("/etc/doorward/redis.crt", b"PEM")
        .file("/etc/doorward/redis.key", b"PEM")
        .file("/etc/doorward/ca.pem", AUTHORITY)
        .file("/run/secrets/doorward-keys.json", PAIR.1.as_bytes())
        .file("/var/lib/doorward/breached.list", b"a list");
    match read_in(&around, text) {
        Ok(config) => config,
        Err(mistakes) => panic!("{mistakes}"),
    }
}

#[test]
fn the_shipped_file_has_no_mistakes() {
    let config = read(SHIPPED);
    assert_eq!(config.routes.len(), 3);
    assert!(matches!(
        config.sessions.store,
        SessionStoreConfig::Embedded
    ));
    assert!(config.ops.is_none() && config.listen.certificates.is_empty());
}

#[test]
fn the_shipped_file_has_no_mistakes_with_every_setting_taken() {
    let config = read(&with_store());
    // Three as shipped, one with two hosts, four more.
    assert_eq!(config.routes.len(), 9);
    assert!(matches!(
        config.sessions.store,
        SessionStoreConfig::Redis(_)
    ));
    assert!(matches!(config.users.store, UserStoreConfig::Postgres(_)));
    assert!(
        matches!(config.routes.last(), Some(route) if matches!(route.requirement, Requirement::Networks(_)))
    );
    assert!(config.mail.is_some());
    assert_eq!(config.listen.threads, 4);
    assert_eq!(config.issuers.len(), 1);
    assert_eq!(config.dialects.len(), 4);
}

#[test]
fn the_shipped_file_has_no_mistakes_with_users_elsewhere() {
    let users = read(&with_supabase()).users;
    assert!(matches!(users.store, UserStoreConfig::Supabase(_)));
}

/// So does the audit log.
const OTHER_AUDIT_LOG: &str = "audit = { syslog = \"unix:/dev/log\" }";

/// The dotted paths of all keys, without indexes.
fn paths(value: &DeValue<'_>, at: &str, into: &mut Vec<String>) {
    match value {
        DeValue::Table(entries) => {
            for (name, value) in entries {
                let path = format!("{at}.{name}");
                paths(value.get_ref(), &path, into);
                into.push(path);
            }
        }
        DeValue::Array(items) => items
            .iter()
            .for_each(|item| paths(item.get_ref(), at, into)),
        _ => {}
    }
}

/// A key has one value; the other places for sessions are shown in lines for people.
fn other_stores() -> impl Iterator<Item = &'static str> {
    let shown = SHIPPED.lines().filter_map(|line| line.strip_prefix("# "));
    shown.filter(|line| line.starts_with("store = "))
}

#[test]
fn the_other_stores_that_the_shipped_file_shows_have_no_mistakes() {
    assert_eq!(other_stores().count(), 3);
    for store in other_stores() {
        let with = SHIPPED.replacen("[sessions]", &format!("[sessions]\n{store}"), 1);
        assert!(matches!(
            read(&with).sessions.store,
            SessionStoreConfig::Redis(_)
        ));
    }
}

#[test]
fn the_shipped_file_shows_every_key() {
    let text = uncommented();
    let mut shown = Vec::new();
    let tree = DeTable::parse(&text).unwrap().into_inner();
    paths(&DeValue::Table(tree), "", &mut shown);
    assert!(SHIPPED.contains(&format!("# {OTHER_AUDIT_LOG}\n")));
    for other in other_stores().chain([OTHER_AUDIT_LOG]) {
        let tree = DeTable::parse(other).unwrap().into_inner();
        paths(&DeValue::Table(tree), "", &mut shown);
    }
    for table in TABLES {
        for key in table.keys {
            let whole = format!(".{}.{}", table.path, key.name);
            let tail = format!(".{}", key.name);
            let found = match table.form {
                Form::Inline => shown.iter().any(|path| path.ends_with(&tail)),
                Form::Single | Form::List => shown.contains(&whole),
            };
            // Stands instead of another key, and is told of there.
            let instead = whole == ".mail.file" && SHIPPED.contains("`file`");
            assert!(found || instead, "{whole}");
        }
    }
}

#[test]
fn the_shipped_file_sets_what_would_count_without_it() {
    let tree = DeTable::parse(SHIPPED).unwrap().into_inner();
    // What asks for something is left out whole.
    let asks = |table: &Table| {
        table
            .keys
            .iter()
            .any(|key| key.default == Default::Required)
    };
    let single = TABLES.iter().filter(|table| table.form == Form::Single);
    for table in single.filter(|table| !asks(table)) {
        let entries = tree
            .get(table.path)
            .and_then(|table| table.get_ref().as_table());
        for (key, entries) in table.keys.iter().zip(std::iter::repeat(entries)) {
            let set = entries.and_then(|entries| entries.get(key.name));
            match (key.default, set) {
                (Default::Value(default), Some(set)) => {
                    assert_eq!(
                        SHIPPED.get(set.span()),
                        Some(default),
                        "{}.{}",
                        table.path,
                        key.name
                    );
                }
                (Default::Value(_), None) => panic!("{}.{} is not shown", table.path, key.name),
                (Default::Words(_), None) => {}
                (Default::Words(_) | Default::Required, _) => {
                    panic!("{}.{} has no fixed default", table.path, key.name)
                }
            }
        }
    }
}
