//! `sessions.store`: one Redis server, Sentinels or a Cluster, and how they are spoken to.

use std::path::PathBuf;

use url::Url;

use super::SessionStoreConfig;
use super::reader::{Complaint, Read, Section, Value, all};
use super::reference::tables;
use super::values::{authorities_file, exactly_one, readable_file, secret};
use crate::sessions::redis::RedisConfig;
use crate::sessions::redis::place::{
    ClientCertificate, Login, Node, NotANode, Place, Sentinel, TlsFiles, Transport,
};

/// A URL alone, or a table.
pub(super) fn session_store(value: &Value<'_>) -> Read<SessionStoreConfig> {
    let redis = match value.table() {
        Some(_) => table(&value.section(&tables::SESSION_STORE)?)?,
        None => by_url(&Section::empty(value, &tables::SESSION_STORE), value)?,
    };
    Ok(SessionStoreConfig::Redis(Box::new(redis)))
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
    let fits = without(store, "url", &[&SENTINEL_KEYS[..], &IN_URL].concat());
    let (login, transport) = (url_login(store, value, &url), url_transport(store, &url));
    let (database, key_prefix) = (database(value, &url), store.text("key_prefix"));
    fits?;
    let host = url.host_str().unwrap_or_default();
    Ok(RedisConfig {
        place: Place::Server {
            node: Node {
                host: host.trim_matches(['[', ']']).to_owned(),
                port: url.port().unwrap_or(6379),
            },
            transport: transport?,
            database: database?,
        },
        login: login?,
        key_prefix: key_prefix?.to_owned(),
    })
}

fn url_login(store: &Section<'_>, value: &Value<'_>, url: &Url) -> Read<Option<Login>> {
    let password = store.optional("password", secret)?;
    match (url.username(), password) {
        ("", None) => Ok(None),
        // A name alone is nothing to sign in with: most likely it is the password.
        (_, None) => Err(value.note(password_in_url().wider())),
        (user, Some(password)) => Ok(Some(Login {
            user: (!user.is_empty()).then(|| decoded(user)),
            password,
        })),
    }
}

fn url_transport(store: &Section<'_>, url: &Url) -> Read<Transport> {
    match url.scheme() {
        "rediss" => tls_files(store).map(Transport::Tls),
        _ => plain(store, "write the URL with rediss://"),
    }
}

fn by_socket(store: &Section<'_>, url: &Url) -> Read<RedisConfig> {
    let misfits = [&SENTINEL_KEYS[..], &TLS_KEYS].concat();
    let fits = without(store, "a Unix socket", &misfits);
    let (login, database) = (login(store, LOGIN), store.integer("database"));
    let key_prefix = store.text("key_prefix");
    fits?;
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
    let misfits = [&SENTINEL_KEYS[..], &[ONE_DATABASE]].concat();
    let fits = without(store, "cluster", &misfits);
    let (nodes, login) = (nodes(store, "cluster"), login(store, LOGIN));
    let (transport, key_prefix) = (transport(store), store.text("key_prefix"));
    fits?;
    Ok(RedisConfig {
        place: Place::Cluster {
            nodes: nodes?,
            transport: transport?,
        },
        login: login?,
        key_prefix: key_prefix?.to_owned(),
    })
}

/// A key that has no place beside another one, and what to write instead.
type Misfit = (&'static str, &'static str);

const SENTINEL_KEYS: [Misfit; 3] = [
    ("master", "it belongs to sentinels"),
    ("sentinel_user", "it belongs to sentinels"),
    ("sentinel_password", "it belongs to sentinels"),
];
const TLS_KEYS: [Misfit; 4] = [
    ("tls", "a socket has no TLS"),
    ("ca", "a socket has no TLS"),
    ("client_cert", "a socket has no TLS"),
    ("client_key", "a socket has no TLS"),
];
const IN_URL: [Misfit; 3] = [
    ("tls", "the scheme says it: write rediss://"),
    ("database", "write it into the URL: redis://host:6379/2"),
    ("user", "write it into the URL: redis://user@host:6379"),
];
const ONE_DATABASE: Misfit = ("database", "a Cluster has no other than 0");

fn without(store: &Section<'_>, what: &str, misfits: &[Misfit]) -> Read<()> {
    let refused = misfits.iter().map(|(name, hint)| {
        let complaint = Complaint::new(format!("found beside {what}"));
        refuse(store, name, complaint.hint(*hint))
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
        node.map_err(|NotANode| {
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
    let authorities = store.optional("ca", authorities_file);
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
        number => number.parse().map_err(|_unread| {
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
