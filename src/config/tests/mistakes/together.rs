//! Many mistakes at once, secrets, and texts that nobody would write.

use std::path::Path;

use proptest::prelude::*;

use super::super::{SHOP, around, mistakes, read};
use crate::config::reference::{Form, TABLES, Table};
use crate::config::{Checks, load};

#[test]
fn every_mistake_of_a_file_is_told_at_once_and_in_order() {
    let text = r#"
[server]
lisen = ["0.0.0.0:8443"]
idle_timeout = 75

[sessions]
store = "redis://:hunter2@redis"
access_ttl = "15 minutes"

[[upstreams]]
name = "shop"
servers = ["127.0.0.1:3000"]

[[routes]]
path = "/**"
upstream = "shopp"
"#;
    let expected = [
        r#"3:1: server.lisen: unknown key; did you mean "listen"?"#,
        r#"4:16: server.idle_timeout: found a whole number, expected a span of time from "1s" to "1h""#,
        r#"7:9: sessions.store: found a URL with a user or password in it; write store = { url = "redis://…", password = { env = "NAME" } }, or { file = … }; a user name may stay in the URL beside that"#,
        r#"8:14: sessions.access_ttl: found "15 minutes", expected a span of time from "1s" to "1d""#,
        r#"12:12: upstreams[0].servers[0]: found a text that is no URL, expected an http or https origin, such as "http://10.0.0.5:3000""#,
        r#"14:1: routes[0].require: missing, expected "public", "signed-in", "admin" or a table such as { roles = ["staff"] }"#,
        r#"16:12: routes[0].upstream: no upstream is named "shopp"; did you mean "shop"?"#,
    ];
    assert_eq!(mistakes(text), expected);
}

#[test]
fn what_follows_from_a_syntax_error_is_not_told() {
    let broken_value =
        format!("{SHOP}[[routes]]\npath = \"/\"\nrequire = admin\nupstrem = \"shop\"\n");
    let expected = [
        "6:11: string values must be quoted, expected literal string",
        r#"7:1: routes[0].upstrem: unknown key; did you mean "upstream"?"#,
    ];
    assert_eq!(mistakes(&broken_value), expected);
    let broken_head = "[server]\nthreads = 0\n[sessions\naccess_ttl = \"1m\"\n";
    let expected = [
        "2:11: server.threads: found 0, expected a whole number from 1 to 1024",
        "3:10: unclosed table, expected `]`",
    ];
    assert_eq!(mistakes(broken_head), expected);
}

#[test]
fn a_file_that_cannot_be_read_is_a_mistake_without_a_line() {
    let check = |path: &str, expected: &str| {
        let told =
            load(Path::new(path), &around(), Checks::NONE).map_err(|mistakes| mistakes.to_string());
        assert_eq!(told.err().as_deref(), Some(expected));
    };
    check("/nowhere", "/nowhere: cannot be read (entity not found)");
    check(
        "/etc/dw/binary",
        "/etc/dw/binary: is no UTF-8 text from byte 0 on",
    );
}

#[test]
fn a_key_that_has_no_place_is_told_once() {
    for table in TABLES.iter().filter(|table| !table.path.is_empty()) {
        let text = text_with(table, "zzz", "1");
        let told = mistakes(&text);
        let about = told.iter().filter(|line| line.contains("zzz: unknown key"));
        assert_eq!(about.count(), 1, "{text}{told:#?}");
    }
}

#[test]
fn a_table_that_is_none_is_told_once() {
    let tables = TABLES.iter().filter(|table| table.form == Form::Single);
    for table in tables.filter(|table| !table.path.is_empty()) {
        let told = mistakes(&format!("{} = 1\n", table.path));
        assert_eq!(told.len(), 1, "{}: {told:#?}", table.path);
    }
}

/// A text that puts `value` under `key` of `table`.
fn text_with(table: &Table, key: &str, value: &str) -> String {
    let pair = format!("{key} = {value}");
    match (table.form, table.path) {
        (Form::Single, path) => format!("[{path}]\n{pair}\n"),
        (Form::List, path) => format!("[[{path}]]\n{pair}\n"),
        (Form::Inline, "sessions.store") => {
            let beside = beside_in_store(key);
            format!("[sessions]\nstore = {{ {beside}{pair} }}\n")
        }
        (Form::Inline, "users.store") => format!("[users]\nstore = {{ {pair} }}\n"),
        (Form::Inline, "users.supabase.admin") => {
            format!("[users.supabase]\nadmin = {{ {pair} }}\n")
        }
        (Form::Inline, "issuers.jwks") => format!("[[issuers]]\njwks = {{ {pair} }}\n"),
        (Form::Inline, "issuers.admin") => format!("[[issuers]]\nadmin = {{ {pair} }}\n"),
        (Form::Inline, "routes.require") => format!("[[routes]]\nrequire = {{ {pair} }}\n"),
        (Form::Inline, "routes.require.claims") => {
            format!("[[routes]]\nrequire = {{ claims = {{ {pair} }} }}\n")
        }
        (Form::Inline, "log file") => format!("[log]\naccess = {{ {pair} }}\n"),
        (Form::Inline, "log.audit") => format!("[log]\naudit = {{ {pair} }}\n"),
        (Form::Inline, "secret") => format!("[tokens]\nkeys = {{ {pair} }}\n"),
        (Form::Inline, other) => panic!("where does {other} stand?"),
    }
}

/// What must stand beside a key of `sessions.store` for it to be read.
fn beside_in_store(key: &str) -> &'static str {
    match key {
        "url" | "sentinels" | "cluster" => "",
        "master" => "sentinels = [\"s:1\"], tls = true, ",
        "tls" => "sentinels = [\"s:1\"], master = \"m\", ",
        _ => "sentinels = [\"s:1\"], master = \"m\", tls = true, ",
    }
}

fn every_key() -> impl Iterator<Item = (&'static Table, &'static str)> {
    let tables = TABLES.iter();
    tables.flat_map(|table| table.keys.iter().map(|key| (*table, key.name)))
}

/// No key takes a date: a key that the reader forgets lets one pass.
#[test]
fn every_key_of_the_reference_is_read() {
    for (table, key) in every_key() {
        let text = text_with(table, key, "1979-05-27");
        let told = mistakes(&text);
        let found = |line: &&String| line.contains(&format!("{key}: found "));
        assert!(told.iter().find(found).is_some(), "{text}{told:#?}");
    }
}

/// Wherever a secret is put by mistake, and in whatever clothes, it is not repeated.
#[test]
fn no_mistake_shows_a_password() {
    let clothes = [
        "redis://u:hunter2@h",
        "https://u:hunter2@h/",
        "redis//u:hunter2@h",
        "postgres://u:hunter2@h/x",
        "https://h/?key=hunter2#hunter2",
    ];
    let secret_places = [
        "store",
        "url",
        "sentinels",
        "cluster",
        "password",
        "sentinel_password",
        "public_url",
        "servers",
        "jwks",
        "keys",
    ];
    let places = every_key().filter(|(_, key)| secret_places.contains(key));
    for ((table, key), clothes) in places.flat_map(|place| clothes.map(|text| (place, text))) {
        for value in [
            format!("\"{clothes}\""),
            format!("[\"{clothes}\"]"),
            clothes.to_owned(),
        ] {
            let text = text_with(table, key, &value);
            let told = mistakes(&text);
            assert!(!told.is_empty(), "{text}");
            assert!(!told.concat().contains("hunter2"), "{text}{told:#?}");
        }
    }
}

/// Pieces of configuration, in any order: deeper into the reader than random letters get.
fn piece() -> impl Strategy<Value = String> {
    let words = every_key()
        .map(|(_, key)| key.to_owned())
        .collect::<Vec<_>>();
    let heads = TABLES.iter().map(|table| table.path).collect::<Vec<_>>();
    let marks = [
        "=",
        "\n",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\"10s\"",
        "\"x\"",
        "\"é\"",
        "1",
        "-1",
        "true",
        "1e9",
        "1979-05-27",
        "\"redis://x\"",
        "{ env = \"SECRET\" }",
        "'",
        "\"\"\"",
        "#",
        "\\u",
        "\u{feff}",
    ];
    prop_oneof![
        proptest::sample::select(words).prop_map(|key| format!("\n{key} = ")),
        proptest::sample::select(heads).prop_map(|path| format!("\n[[{path}]]\n")),
        proptest::sample::select(marks.to_vec()).prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        let _any = read(&text).map_err(|mistakes| mistakes.to_string());
    }

    #[test]
    fn no_pile_of_pieces_makes_the_reader_panic(pieces in proptest::collection::vec(piece(), 0..40)) {
        let _any = read(&pieces.concat()).map_err(|mistakes| mistakes.to_string());
    }
}
