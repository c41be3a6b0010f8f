//! Files with mistakes, and what is said of them: tables of snippet and lines.

use super::mistakes;

mod accounts;
mod outside;
mod routing;
mod stores;
mod together;

/// Texts with exactly these mistakes.
type Cases = &'static [(&'static str, &'static [&'static str])];

#[track_caller]
fn check(cases: Cases) {
    for (text, expected) in cases {
        assert_eq!(mistakes(text), *expected, "\n{text}");
    }
}

/// As [`check`], where an upstream `shop` stands above each text, on lines 1 to 3.
#[track_caller]
fn check_beside_shop(cases: Cases) {
    for (text, expected) in cases {
        let text = format!("{}{text}", super::SHOP);
        assert_eq!(mistakes(&text), *expected, "\n{text}");
    }
}

#[test]
fn a_text_that_is_no_toml_is_told_line_by_line() {
    check(SYNTAX);
}

const SYNTAX: Cases = &[
    (
        "[server
listen = []",
        &["1:8: unclosed table, expected `]`"],
    ),
    (
        "[server]
max_connections = 10
max_connections = 20",
        &["3:1: duplicate key"],
    ),
    (
        "[server]
max_connections = ",
        &["2:19: string values must be quoted, expected literal string"],
    ),
    (
        "[sessions]
store = hunter2
access_ttl = 5
[[routes]]
require = admin",
        &[
            "2:9: string values must be quoted, expected literal string",
            r#"3:14: sessions.access_ttl: found a whole number, expected a span of time from "1s" to "1d""#,
            "5:11: string values must be quoted, expected literal string",
        ],
    ),
    (
        "[users]
[users]",
        &["2:2: duplicate key"],
    ),
    ("x = 'a", &["1:7: invalid literal string, expected `'`"]),
];

#[test]
fn an_unknown_name_is_answered_with_the_nearest_known_one() {
    check(UNKNOWN);
}

const UNKNOWN: Cases = &[
    (
        "[serverr]",
        &[r#"1:2: serverr: unknown table; did you mean "server"?"#],
    ),
    (
        r#"[session]
access_ttl = "5m""#,
        &[r#"1:2: session: unknown table; did you mean "sessions"?"#],
    ),
    (
        "[server]
lissten = []",
        &[r#"2:1: server.lissten: unknown key; did you mean "listen"?"#],
    ),
    (
        r#"[server]
refresh_grace = "5s""#,
        &["2:1: server.refresh_grace: unknown key; refresh_grace belongs to [sessions]"],
    ),
    (
        "[ops]
foo = 1",
        &["2:1: ops.foo: unknown key; known here: listen"],
    ),
    (
        "[tls]
certificate = 1",
        &[r#"2:1: tls.certificate: unknown key; did you mean "certificates"?"#],
    ),
    (
        "[pages]",
        &[
            "1:2: pages: unknown table; known here: server, tls, state, sessions, users, passwords, limits, accounts, mail, tokens, issuers, upstreams, routes, dialects, api_keys, headers, ops, log, audit",
        ],
    ),
    (
        r#""a\u001b b" = 1"#,
        &[
            r#"1:1: "a\u{1b} b": a key outside of any table; known here: server, tls, state, sessions, users, passwords, limits, accounts, mail, tokens, issuers, upstreams, routes, dialects, api_keys, headers, ops, log, audit"#,
        ],
    ),
];

#[test]
fn a_value_of_the_wrong_type_or_size_is_told_what_is_expected() {
    check(TYPES);
}

const TYPES: Cases = &[
    (
        "server = 5",
        &["1:10: server: found a whole number, expected a table"],
    ),
    (
        "[[server]]",
        &["1:1: server: found a list, expected a table"],
    ),
    (
        "[routes]",
        &["1:1: routes: found a table, expected [[routes]]"],
    ),
    (
        "routes = [1]",
        &["1:11: routes[0]: found a whole number, expected a table"],
    ),
    (
        "[server]
max_connections = 0",
        &["2:19: server.max_connections: found 0, expected a whole number from 1 to 1000000"],
    ),
    (
        "[server]
max_connections = -1",
        &["2:19: server.max_connections: found -1, expected a whole number from 1 to 1000000"],
    ),
    (
        "[server]
max_connections = 99999999999999999999",
        &[
            "2:19: server.max_connections: found a number beyond 64 bits, expected a whole number from 1 to 1000000",
        ],
    ),
    (
        r#"[server]
max_connections = "10""#,
        &["2:19: server.max_connections: found a text, expected a whole number from 1 to 1000000"],
    ),
    (
        "[server]
max_connections = 1.5",
        &[
            "2:19: server.max_connections: found a number with a point, expected a whole number from 1 to 1000000",
        ],
    ),
    (
        "[server]
threads = 0",
        &["2:11: server.threads: found 0, expected a whole number from 1 to 1024"],
    ),
    (
        "[server]
idle_timeout = 75",
        &[
            r#"2:16: server.idle_timeout: found a whole number, expected a span of time from "1s" to "1h""#,
        ],
    ),
    (
        r#"[server]
idle_timeout = "75""#,
        &[r#"2:16: server.idle_timeout: found "75", expected a span of time from "1s" to "1h""#],
    ),
    (
        r#"[server]
idle_timeout = "2h""#,
        &[r#"2:16: server.idle_timeout: found "2h", expected a span of time from "1s" to "1h""#],
    ),
];
