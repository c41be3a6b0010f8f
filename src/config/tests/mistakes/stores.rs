//! Stores, their passwords, and what must fit together.

use super::{Cases, check};

#[test]
fn a_store_keeps_its_password_elsewhere() {
    check(STORES);
}

#[test]
fn a_limit_is_so_many_in_a_span_of_time() {
    check(LIMITS);
}

const LIMITS: Cases = &[(
    r#"[limits]
sign_in = "10"
sign_up = 10
max_delay = "2d""#,
    &[
        r#"2:11: limits.sign_in: found "10", expected "off", or so many from 1 to 1000000 in a span of time from "1s" to "1d", such as "10/1m""#,
        r#"3:11: limits.sign_up: found a whole number, expected "off", or so many from 1 to 1000000 in a span of time from "1s" to "1d", such as "10/1m""#,
        r#"4:13: limits.max_delay: found "2d", expected a span of time from "1s" to "1d""#,
    ],
)];

const STORES: Cases = &[
    (
        r#"[sessions]
store = "redis://:hunter2@redis""#,
        &[
            r#"2:9: sessions.store: found a URL with a user or password in it; write store = { url = "redis://…", password = { env = "NAME" } }, or { file = … }; a user name may stay in the URL beside that"#,
        ],
    ),
    (
        r#"[sessions]
store = "redis://hunter2@redis""#,
        &[
            r#"2:9: sessions.store: found a URL with a user or password in it; write store = { url = "redis://…", password = { env = "NAME" } }, or { file = … }; a user name may stay in the URL beside that"#,
        ],
    ),
    (
        r#"[sessions]
store = "http://redis""#,
        &[
            "2:9: sessions.store: found a URL of another scheme, expected redis://host:port/database, rediss://… or unix:///path",
        ],
    ),
    (
        r#"[sessions]
store = "redis://redis/x""#,
        &[
            "2:9: sessions.store: found a URL whose database is no number, expected redis://host:port/database, rediss://… or unix:///path",
        ],
    ),
    (
        r#"[sessions]
store = { url = "redis://redis", password = "hunter2" }"#,
        &[
            r#"2:45: sessions.store.password: found a literal value, expected { env = "NAME" } or { file = "/path" }; a secret is never written into this file; put it into an environment variable or a file and name that"#,
        ],
    ),
    (
        r#"[sessions]
store = { url = "redis://redis", password = { env = "UNSET" } }"#,
        &["2:53: sessions.store.password.env: the environment variable UNSET is not set"],
    ),
    (
        r#"[sessions]
store = { url = "redis://redis", password = { env = "hunter2" } }"#,
        &["2:53: sessions.store.password.env: the environment variable is not set"],
    ),
    (
        r#"[sessions]
store = { url = "redis://redis", password = { env = "EMPTY" } }"#,
        &["2:53: sessions.store.password.env: the environment variable EMPTY is empty"],
    ),
    (
        r#"[sessions]
store = { url = "redis://redis", password = { file = "/etc/dw/empty" } }"#,
        &["2:54: sessions.store.password.file: found an empty file"],
    ),
    (
        r#"[sessions]
store = { url = "redis://redis", password = { file = "nothing" } }"#,
        &[
            "2:54: sessions.store.password.file: found a file that cannot be read (entity not found)",
        ],
    ),
    (
        r#"[sessions]
store = { url = "redis://redis", password = { file = "binary" } }"#,
        &["2:54: sessions.store.password.file: found a file that is no UTF-8 text"],
    ),
    (
        r#"[sessions]
store = { url = "redis://redis", password = { } }"#,
        &[
            r#"2:45: sessions.store.password: found neither env nor file, expected { env = "NAME" } or { file = "/path" }"#,
        ],
    ),
    (
        r#"[sessions]
store = { url = "redis://redis", password = { env = "SECRET", file = "secret" } }"#,
        &[
            r#"2:45: sessions.store.password: found both env and file, expected { env = "NAME" } or { file = "/path" }"#,
        ],
    ),
    (
        r#"[sessions]
store = { password = { value = "hunter2" } }"#,
        &[
            "2:9: sessions.store: found none of them, expected exactly one of url, sentinels, cluster",
        ],
    ),
    (
        r#"[users]
store = "postgres://u:hunter2@db/x""#,
        &[
            "2:9: users.store: found a URL with a password in it; write store = { url = \"postgres://…\", password = { env = \"NAME\" } }, or { file = … }",
        ],
    ),
    (
        r#"[users]
store = { url = "postgres://db", ca = "none.crt", max_connections = 0 }"#,
        &[
            "2:17: users.store.url: found a URL without a database, expected postgres://user@host:port/database",
            "2:39: users.store.ca: found a file that cannot be read (entity not found)",
            "2:69: users.store.max_connections: found 0, expected a whole number from 1 to 1000",
        ],
    ),
    (
        r#"[users]
store = "postgres://db/x?sslmode=disable""#,
        &[
            "2:9: users.store: found a URL with a query, expected postgres://user@host:port/database; a password and a `ca` stand beside the URL: store = { url = …, password = …, ca = … }",
        ],
    ),
    (
        r#"[users]
store = "mysql://db"
require_verified_email = "yes""#,
        &[
            "2:9: users.store: found a URL of another scheme, expected postgres://user@host:port/database",
            "3:26: users.require_verified_email: found a text, expected true or false",
        ],
    ),
];

#[test]
fn what_one_kind_of_redis_has_another_has_not() {
    check(KINDS);
}

const KINDS: Cases = &[
    (
        r#"[sessions]
store = "unix://run/redis.sock""#,
        &[
            "2:9: sessions.store: found a URL of a socket with a host, expected redis://host:port/database, rediss://… or unix:///path",
        ],
    ),
    (
        r#"[sessions]
store = "redis:///2""#,
        &[
            "2:9: sessions.store: found a URL without a host, expected redis://host:port/database, rediss://… or unix:///path",
        ],
    ),
    (
        r#"[sessions]
store = { url = "redis://redis", cluster = ["redis:6379"] }"#,
        &[
            "2:9: sessions.store: found url and cluster, expected exactly one of url, sentinels, cluster",
        ],
    ),
    (
        r#"[sessions]
store = { url = "redis://redis", tls = true }"#,
        &["2:40: sessions.store.tls: found beside url; the scheme says it: write rediss://"],
    ),
    (
        r#"[sessions]
store = { url = "redis://redis", database = 2 }"#,
        &[
            "2:45: sessions.store.database: found beside url; write it into the URL: redis://host:6379/2",
        ],
    ),
    (
        r#"[sessions]
store = { url = "redis://redis", user = "me" }"#,
        &[
            "2:41: sessions.store.user: found beside url; write it into the URL: redis://user@host:6379",
        ],
    ),
    (
        r#"[sessions]
store = { url = "redis://redis", ca = "tls.crt" }"#,
        &["2:39: sessions.store.ca: found without TLS; write the URL with rediss://"],
    ),
    (
        r#"[sessions]
store = { url = "rediss://redis", ca = "nothing" }"#,
        &["2:40: sessions.store.ca: found a file that cannot be read (entity not found)"],
    ),
    (
        r#"[sessions]
store = { url = "rediss://redis", client_cert = "tls.crt" }"#,
        &["2:49: sessions.store.client_cert: found without client_key"],
    ),
    (
        r#"[sessions]
store = { url = "unix:///run/redis.sock", master = "mymaster", tls = true }"#,
        &[
            "2:52: sessions.store.master: found beside a Unix socket; it belongs to sentinels",
            "2:70: sessions.store.tls: found beside a Unix socket; a socket has no TLS",
        ],
    ),
    (
        r#"[sessions]
store = { sentinels = ["sentinel:26379"] }"#,
        &["2:9: sessions.store.master: missing, expected a text that is not empty"],
    ),
    (
        r#"[sessions]
store = { sentinels = [], master = "mymaster", user = "me", client_key = "tls.key" }"#,
        &[
            r#"2:23: sessions.store.sentinels: found an empty list, expected a list of hosts with ports, such as ["sentinel-1:26379"]"#,
            "2:55: sessions.store.user: found without password",
            "2:74: sessions.store.client_key: found without TLS; write tls = true beside it",
        ],
    ),
    (
        r#"[sessions]
store = { cluster = ["redis://:hunter2@redis:6379", "redis"], database = 1, sentinel_user = "me" }"#,
        &[
            r#"2:22: sessions.store.cluster[0]: found a text of another form, expected a host and a port, such as "redis-1:6379""#,
            r#"2:53: sessions.store.cluster[1]: found a text of another form, expected a host and a port, such as "redis-1:6379""#,
            "2:74: sessions.store.database: found beside cluster; a Cluster has no other than 0",
            "2:93: sessions.store.sentinel_user: found beside cluster; it belongs to sentinels",
        ],
    ),
];

#[test]
fn lifetimes_and_limits_must_fit_together() {
    check(LIFETIMES);
}

const LIFETIMES: Cases = &[
    (
        r#"[state]
directory = """#,
        &["2:13: state.directory: found an empty text, expected a path"],
    ),
    (
        r#"[sessions]
access_ttl = "7d"
refresh_ttl = "1d""#,
        &[r#"2:14: sessions.access_ttl: found "7d", expected a span of time from "1s" to "1d""#],
    ),
    (
        r#"[sessions]
access_ttl = "1h"
refresh_ttl = "30m""#,
        &["2:14: sessions.access_ttl: not shorter than refresh_ttl"],
    ),
    (
        r#"[sessions]
access_ttl = "1m"
refresh_grace = "1m""#,
        &["3:17: sessions.refresh_grace: not shorter than access_ttl"],
    ),
    (
        r#"[sessions]
refresh_ttl = "8d""#,
        &["2:15: sessions.refresh_ttl: longer than the max_age of web sessions; set max_age too"],
    ),
    (
        r#"[sessions.native]
refresh_ttl = "2d"
max_age = "1d""#,
        &[
            "2:15: sessions.native.refresh_ttl: longer than the max_age of native sessions; set max_age too",
        ],
    ),
    (
        "[passwords]
memory_kib = 1",
        &["2:14: passwords.memory_kib: found 1, expected a whole number from 7168 to 1048576"],
    ),
    (
        "[passwords]
memory_kib = 1048576
max_concurrent = 64",
        &[
            "2:14: passwords.memory_kib: 64 hashes of 1048576 KiB at once take 67108864 KiB, expected at most 16 GiB together",
        ],
    ),
    (
        "[passwords]
breached = \"nowhere\"",
        &[
            "2:12: passwords.breached: found a file that cannot be read (entity not found); make it with `doorward passwords compile`",
        ],
    ),
    (
        "[passwords]
breached = \"damaged\"",
        &[
            "2:12: passwords.breached: found a file that is damaged, or was not written to its end; make it with `doorward passwords compile`",
        ],
    ),
    (
        r#"[users]
store = "postgres://me@db/doorward"
[users.supabase]
url = "https://p.supabase.co"
anon_key = { env = "SECRET" }"#,
        &[
            "2:9: users.store: found beside users.supabase; users are kept in one place: leave one of the two out",
        ],
    ),
    (
        r#"[users.supabase]
url = "http://p.supabase.co"
anon_key = "ey..."
row_key = "service"
table = "users?select=*"
admin = { column = "is_admin", claim = "role", equals = true }"#,
        &[
            r#"2:7: users.supabase.url: found a plain http URL of another machine, expected an https URL, such as "https://project.supabase.co""#,
            r#"3:12: users.supabase.anon_key: found a literal value, expected { env = "NAME" } or { file = "/path" }; a secret is never written into this file; put it into an environment variable or a file and name that"#,
            r#"4:11: users.supabase.row_key: found "service" without a service_key"#,
            r#"5:9: users.supabase.table: found "users?select=*", expected a name of letters, digits and "_""#,
            "6:9: users.supabase.admin: found column and claim, expected exactly one of column, claim",
        ],
    ),
    (
        "[users.supabase]",
        &[
            r#"1:1: users.supabase.url: missing, expected an https URL, such as "https://project.supabase.co""#,
            r#"1:1: users.supabase.anon_key: missing, expected { env = "NAME" } or { file = "/path" }"#,
        ],
    ),
];
