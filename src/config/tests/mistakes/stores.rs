//! Stores, their passwords, and what must fit together.

use super::{Cases, check};

#[test]
fn a_store_keeps_its_password_elsewhere() {
    check(STORES);
}

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
            "2:9: sessions.store: found a URL of another scheme, expected redis://host:port/database or rediss://…",
        ],
    ),
    (
        r#"[sessions]
store = "redis://redis/x""#,
        &[
            "2:9: sessions.store: found a URL whose database is no number, expected redis://host:port/database or rediss://…",
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
            "2:9: sessions.store.url: missing, expected a redis:// or rediss:// URL without a password",
            "2:24: sessions.store.password.value: unknown key; known here: env, file",
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
];
