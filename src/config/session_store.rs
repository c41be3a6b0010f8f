//! `sessions.store`: one Redis server, Sentinels or a Cluster, and how they are spoken to.

use std::path::PathBuf;

use url::Url;

use super::SessionStoreConfig;
use super::reader::{Complaint, Read, Section, Value, all};
use super::reference::tables;
use super::values::{exactly_one, readable_file, secret};
use crate::sessions::redis::RedisConfig;
use crate::sessions::redis::place::{
    ClientCertificate, Login, Node, Place, Sentinel, TlsFiles, Transport,
};

/// A URL alone, or a table.
pub(super) fn session_store(value: &Value<'_>) -> Read<SessionStoreConfig> {
    let redis = match value.table() {
        Some(_) => table(&value.section(&tables::SESSION_STORE)?)?,
        None => by_url(&Section::empty(value, &tables::SESSION_STORE), value)?,
    };
    Ok(SessionStoreConfig::Redis(redis))
}

fn table(store: &Section<'_>) -> Read<RedisConfig> {
    match exactly_one(store, &["url", "sentinels", "cluster"])? {
        "sentinels" => by_sentinels(store),
        "cluster" => by_cluster(store),
        _ => by_url(store, &store.value("url")?),
    }
}

fn by_url(store: &Section<'_>, value: &Value<'_>) -> Read<RedisConfig> {
    let url = redis_url(value)?;
    if url.scheme() == "unix" {
        return by_socket(store, &url);
    }
    let fits = without(store, "url", &SENTINEL_KEYS);
    let in_url = [
        ("tls", "the scheme says it: write rediss://"),
        ("database", "write it into the URL: redis://host:6379/2"),
        ("user", "write it into the URL: redis://user@host:6379"),
    ];
    for (name, hint) in in_url {
        refuse(store, name, Complaint::new("found beside url").hint(hint))?;
    }
    let password = store.optional("password", secret);
    let transport = match url.scheme() {
        "rediss" => tls_files(store).map(Transport::Tls),
        _ => plain(store, "write the URL with rediss://"),
    };
    let key_prefix = store.text("key_prefix");
    fits?;
    let login = match (url.username(), password?) {
        ("", None) => None,
        ("", Some(password)) => Some(Login {
            user: None,
            password,
        }),
        // A name alone is nothing to sign in with: most likely it is the password.
        (_, None) => return Err(value.note(password_in_url().wider())),
        (user, Some(password)) => Some(Login {
            user: Some(decoded(user)),
            password,
        }),
    };
    Ok(RedisConfig {
        place: Place::Server {
            node: Node {
                host: url
                    .host_str()
                    .unwrap_or_default()
                    .trim_matches(['[', ']'])
                    .to_owned(),
                port: url.port().unwrap_or(6379),
            },
            transport: transport?,
            database: database(value, &url)?,
        },
        login,
        key_prefix: key_prefix?.to_owned(),
    })
}

fn by_socket(store: &Section<'_>, url: &Url) -> Read<RedisConfig> {
    let fits = without(store, "a Unix socket", &SENTINEL_KEYS);
    let no_tls = without(store, "a Unix socket", &TLS_KEYS);
    let (login, database) = (login(store, LOGIN), store.integer("database"));
    let key_prefix = store.text("key_prefix");
    fits?;
    no_tls?;
    Ok(RedisConfig {
        place: Place::Socket {
            path: PathBuf::from(decoded(url.path())),
            database: database?,
        },
        login: login?,
        key_prefix: key_prefix?.to_owned(),
    })
}

fn by_sentinels(store: &Section<'_>) -> Read<RedisConfig> {
    let sentinels = nodes(store, "sentinels");
    let master = store.text("master");
    let (ours, theirs) = (login(store, LOGIN), login(store, SENTINEL_LOGIN));
    let (transport, database) = (transport(store), store.integer("database"));
    let key_prefix = store.text("key_prefix");
    Ok(RedisConfig {
        place: Place::Sentinel(Sentinel {
            sentinels: sentinels?,
            master: master?.to_owned(),
            login: theirs?,
            transport: transport?,
            database: database?,
        }),
        login: ours?,
        key_prefix: key_prefix?.to_owned(),
    })
}

fn by_cluster(store: &Section<'_>) -> Read<RedisConfig> {
    let fits = without(store, "cluster", &SENTINEL_KEYS);
    let one_database = Complaint::new("found beside cluster").hint("a Cluster has no other than 0");
    let one_database = refuse(store, "database", one_database);
    let (nodes, login) = (nodes(store, "cluster"), login(store, LOGIN));
    let (transport, key_prefix) = (transport(store), store.text("key_prefix"));
    fits?;
    one_database?;
    Ok(RedisConfig {
        place: Place::Cluster {
            nodes: nodes?,
            transport: transport?,
        },
        login: login?,
        key_prefix: key_prefix?.to_owned(),
    })
}

/// Keys that only Sentinels have a use for.
const SENTINEL_KEYS: [&str; 3] = ["master", "sentinel_user", "sentinel_password"];
const TLS_KEYS: [&str; 4] = ["tls", "ca", "client_cert", "client_key"];

fn without(store: &Section<'_>, what: &str, names: &[&'static str]) -> Read<()> {
    let refused = names.iter().map(|name| {
        let complaint = Complaint::new(format!("found beside {what}"));
        let hint = match SENTINEL_KEYS.contains(name) {
            true => "it belongs to sentinels",
            false => "a socket has no TLS",
        };
        refuse(store, name, complaint.hint(hint))
    });
    all(refused).map(drop)
}

fn refuse(store: &Section<'_>, name: &'static str, complaint: Complaint) -> Read<()> {
    match store.get(name) {
        Some(value) => Err(value.note(complaint)),
        None => Ok(()),
    }
}

fn nodes(store: &Section<'_>, name: &'static str) -> Read<Vec<Node>> {
    let expected = store.expected(name);
    let items = store.value(name)?.at_least_one(&expected)?;
    all(items.iter().map(|item| {
        let expected = "a host and a port, such as \"redis-1:6379\"";
        // Not shown: it may be a URL with a password in it.
        let node = item.text(expected)?.parse();
        node.map_err(|_| {
            item.note(Complaint::new("found a text of another form").expected(expected))
        })
    }))
}

/// The keys of a user and a password.
const LOGIN: [&str; 2] = ["user", "password"];
const SENTINEL_LOGIN: [&str; 2] = ["sentinel_user", "sentinel_password"];

fn login(store: &Section<'_>, [user, password]: [&'static str; 2]) -> Read<Option<Login>> {
    let secret = store.optional(password, secret);
    let name = match store.get(user) {
        Some(_) => Some(store.text(user)?.to_owned()),
        None => None,
    };
    match (name, secret?) {
        (user, Some(password)) => Ok(Some(Login { user, password })),
        (None, None) => Ok(None),
        (Some(_), None) => {
            let complaint = Complaint::new(format!("found without {password}"));
            Err(store.note(user, complaint.wider()))
        }
    }
}

fn transport(store: &Section<'_>) -> Read<Transport> {
    if store.boolean("tls")? {
        tls_files(store).map(Transport::Tls)
    } else {
        plain(store, "write tls = true beside it")
    }
}

/// Files without TLS would be a check that nobody makes.
fn plain(store: &Section<'_>, hint: &str) -> Read<Transport> {
    for name in ["ca", "client_cert", "client_key"] {
        refuse(store, name, Complaint::new("found without TLS").hint(hint))?;
    }
    Ok(Transport::Plain)
}

fn tls_files(store: &Section<'_>) -> Read<TlsFiles> {
    let authorities = store.optional("ca", readable_file);
    let cert = store.optional("client_cert", readable_file);
    let key = store.optional("client_key", readable_file);
    let client = match (cert?, key?) {
        (Some(cert), Some(key)) => Some(ClientCertificate { cert, key }),
        (None, None) => None,
        (Some(_), None) => {
            let complaint = Complaint::new("found without client_key");
            return Err(store.note("client_cert", complaint.wider()));
        }
        (None, Some(_)) => {
            let complaint = Complaint::new("found without client_cert");
            return Err(store.note("client_key", complaint.wider()));
        }
    };
    Ok(TlsFiles {
        authorities: authorities?,
        client,
    })
}

fn redis_url(value: &Value<'_>) -> Read<Url> {
    let text = value.text(EXPECTED)?;
    let wrong = |found: &str| Err(value.note(Complaint::new(found).expected(EXPECTED)));
    let Ok(url) = Url::parse(text) else {
        return wrong("found a text that is no URL");
    };
    if url.password().is_some() {
        return Err(value.note(password_in_url()));
    }
    let has_host = url.host_str().is_some_and(|host| !host.is_empty());
    match (url.scheme(), has_host) {
        ("redis" | "rediss", false) => wrong("found a URL without a host"),
        ("unix", true) => wrong("found a URL of a socket with a host"),
        ("unix", false) if url.path().len() < 2 => wrong("found a URL without a path"),
        ("redis" | "rediss" | "unix", _) if url.query().is_some() => {
            wrong("found a URL with a query")
        }
        ("redis" | "rediss" | "unix", _) if url.fragment().is_some() => {
            wrong("found a URL with a fragment")
        }
        ("redis" | "rediss" | "unix", _) => Ok(url),
        _ => wrong("found a URL of another scheme"),
    }
}

const EXPECTED: &str = "redis://host:port/database, rediss://… or unix:///path";

fn database(value: &Value<'_>, url: &Url) -> Read<u32> {
    match url.path().trim_start_matches('/') {
        "" => Ok(0),
        number => number.parse().map_err(|_| {
            let complaint = Complaint::new("found a URL whose database is no number");
            value.note(complaint.expected(EXPECTED))
        }),
    }
}

fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part)
        .decode_utf8_lossy()
        .into_owned()
}

fn password_in_url() -> Complaint {
    Complaint::new("found a URL with a user or password in it").hint(
        "write store = { url = \"redis://…\", password = { env = \"NAME\" } }, or { file = … }; a \
         user name may stay in the URL beside that",
    )
}
