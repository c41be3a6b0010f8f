//! Sessions: how long they last, and where they are.

use super::shared::{PATH, SECRET_KIND, TEXT, count, key, span};
use crate::config::reference::Default::{Required, Value, Words};
use crate::config::reference::Form::{Inline, Single};
use crate::config::reference::{Kind, Table};

/// `[sessions]`
pub static SESSIONS: Table = Table {
    path: "sessions",
    form: Single,
    meaning: "Where sessions are kept, and how long they live.",
    keys: &[
        key(
            "store",
            Kind::Words(
                "a redis://, rediss:// or unix:// URL, or a table such as { url = \"redis://…\", password = { env = \"NAME\" } }",
            ),
            Words("embedded: a SQLite file in `state.directory`"),
            "Redis, so that several replicas share the sessions.",
        ),
        key(
            "access_ttl",
            span("1s", "1d"),
            Value("\"15m\""),
            "How long an access token holds; shorter than `refresh_ttl`.",
        ),
        key(
            "refresh_ttl",
            IDLE,
            Words("by kind of client, in the tables below"),
            "How long a session lives that is not refreshed.",
        ),
        key(
            "max_age",
            AGE,
            Words("by kind of client, in the tables below"),
            "How long a session lives at the most after its sign-in, however often it is refreshed. A \
             session keeps the end that it was opened with.",
        ),
        key(
            "refresh_grace",
            span("0s", "5m"),
            Value("\"30s\""),
            "How long a refresh token that was just used gets the same answer again (a lost answer, \
             two tabs at once); shorter than `access_ttl`.",
        ),
        key(
            "max_staleness",
            span("1s", "1h"),
            Value("\"30s\""),
            "How long a replica trusts its memory of ended sessions without a word from the store; \
             then protected routes answer 503.",
        ),
    ],
    later: &[],
};

const IDLE: Kind = span("1s", "400d");
const AGE: Kind = span("1s", "3650d");

/// `[sessions.web]`
pub static SESSIONS_WEB: Table = Table {
    path: "sessions.web",
    form: Single,
    meaning: "The sessions of browsers whose users did not ask to be remembered: the cookies go when \
              the browser is closed.",
    keys: &[
        key(
            "refresh_ttl",
            IDLE,
            Words("that of `[sessions]`; without one `\"12h\"`"),
            "As in `[sessions]`.",
        ),
        key(
            "max_age",
            AGE,
            Words("that of `[sessions]`; without one `\"7d\"`"),
            "As in `[sessions]`.",
        ),
    ],
    later: &[],
};

/// `[sessions.remembered]`
pub static SESSIONS_REMEMBERED: Table = Table {
    path: "sessions.remembered",
    form: Single,
    meaning: "The sessions of browsers whose users did (`\"remember\": true` at sign-in): the cookies \
              stay.",
    keys: &[
        key(
            "refresh_ttl",
            IDLE,
            Words("that of `[sessions]`; without one `\"7d\"`"),
            "As in `[sessions]`.",
        ),
        key(
            "max_age",
            AGE,
            Words("that of `[sessions]`; without one `\"30d\"`"),
            "As in `[sessions]`.",
        ),
    ],
    later: &[],
};

/// `[sessions.native]`
pub static SESSIONS_NATIVE: Table = Table {
    path: "sessions.native",
    form: Single,
    meaning: "The sessions of programs, such as apps on phones.",
    keys: &[
        key(
            "refresh_ttl",
            IDLE,
            Words("that of `[sessions]`; without one `\"30d\"`"),
            "As in `[sessions]`.",
        ),
        key(
            "max_age",
            AGE,
            Words("that of `[sessions]`; without one `\"365d\"`"),
            "As in `[sessions]`.",
        ),
    ],
    later: &[],
};

/// `sessions.store` as a table.
pub static SESSION_STORE: Table = Table {
    path: "sessions.store",
    form: Inline,
    meaning: "The session store: one server by `url`, a master and its replicas by `sentinels`, or a \
              `cluster`. `store = { url = …, password = … }`.",
    keys: &[
        key(
            "url",
            Kind::Words("a redis://, rediss:// or unix:// URL without a password"),
            Words("none: `sentinels` or `cluster`"),
            "`redis://[user@]host[:port][/database]`; `rediss://` over TLS; `unix:///path` of a socket.",
        ),
        key(
            "sentinels",
            Kind::Words("a list of hosts with ports, such as [\"sentinel-1:26379\"]"),
            Words("none: `url` or `cluster`"),
            "The Sentinels. What more than half of them call the master, is the master.",
        ),
        key(
            "master",
            TEXT,
            Required,
            "What the Sentinels call the master; with `sentinels` only.",
        ),
        key(
            "cluster",
            Kind::Words("a list of hosts with ports, such as [\"redis-1:6379\"]"),
            Words("none: `url` or `sentinels`"),
            "Some nodes of a Redis Cluster, of which one at least must be there at any time.",
        ),
        key(
            "user",
            TEXT,
            Words("none"),
            "The ACL user; with a redis:// URL it stands in the URL.",
        ),
        key(
            "password",
            SECRET_KIND,
            Words("none"),
            "The password of the Redis servers.",
        ),
        key(
            "sentinel_user",
            TEXT,
            Words("none"),
            "The ACL user of the Sentinels.",
        ),
        key(
            "sentinel_password",
            SECRET_KIND,
            Words("none"),
            "The password of the Sentinels.",
        ),
        key(
            "database",
            count(0, 65535, "database"),
            Value("0"),
            "The database, with `sentinels` or a socket; with a redis:// URL it stands in the URL, and a \
             Cluster has only 0.",
        ),
        key(
            "tls",
            Kind::Boolean,
            Value("false"),
            "Whether Sentinels and servers, or the nodes of the Cluster, are spoken to over TLS; with a \
             URL its scheme says so.",
        ),
        key(
            "ca",
            PATH,
            Words("the authorities of the system"),
            "The authorities that sign the servers' certificates, a PEM file.",
        ),
        key(
            "client_cert",
            PATH,
            Words("none"),
            "The certificate by which the servers know the gateway, a PEM file; with `client_key`.",
        ),
        key(
            "client_key",
            PATH,
            Words("none"),
            "The key of `client_cert`, a PEM file.",
        ),
        key(
            "key_prefix",
            TEXT,
            Value("\"doorward:\""),
            "What every key of ours begins with.",
        ),
    ],
    later: &[],
};
