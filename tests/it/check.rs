//! `doorward check` on real files.

use std::fs;
use std::path::{Path, PathBuf};

use doorward::cli::check::{Verdict, run};
use tempfile::TempDir;

/// A directory with a `gateway.toml` of this text.
fn written(text: &str) -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join("gateway.toml");
    fs::write(&file, text).expect("a file");
    (directory, file)
}

/// The verdict, and what is said, without the directory of the file.
fn checked(file: &Path) -> (Verdict, String) {
    let mut out = Vec::new();
    let verdict = run(file, &mut out).expect("memory takes every write");
    let said = String::from_utf8(out).expect("text");
    let directory = format!("{}/", file.parent().expect("a directory").display());
    (verdict, said.replace(&directory, ""))
}

#[test]
fn a_sound_file_is_summed_up_on_one_line() {
    let (_directory, file) = written(
        "[[upstreams]]\nname = \"shop\"\nservers = [\"http://127.0.0.1:3000\"]\n\
         [[routes]]\npath = \"/**\"\nrequire = \"signed-in\"\nupstream = \"shop\"\n",
    );
    let expected = "gateway.toml: ok (1 route, 1 upstream, 0 issuers, 0 dialects, \
                    sessions embedded, no mail, self-signed certificate)\n";
    assert_eq!(checked(&file), (Verdict::Sound, expected.to_owned()));
}

#[test]
fn every_mistake_is_listed_and_counted() {
    let (_directory, file) =
        written("[server]\nlisen = []\n[tokens]\nkeys = { file = \"keys.json\" }\n");
    let expected = "\
gateway.toml:2:1: server.lisen: unknown key; did you mean \"listen\"?
gateway.toml:4:17: tokens.keys.file: found a file that cannot be read (No such file or directory (os error 2))
gateway.toml: 2 mistakes
";
    assert_eq!(checked(&file), (Verdict::Mistaken, expected.to_owned()));
}

#[test]
fn a_secret_file_is_found_beside_the_configuration() {
    let (directory, file) = written("[tokens]\nkeys = { file = \"keys.json\" }\n");
    let key = rcgen::KeyPair::generate().expect("a key").serialize_pem();
    fs::write(directory.path().join("keys.json"), key).expect("a file");
    assert_eq!(checked(&file).0, Verdict::Sound);
}

#[test]
fn a_file_that_is_not_there_is_a_mistake() {
    let (_directory, file) = written("");
    let (verdict, said) = checked(&file.with_file_name("other.toml"));
    assert_eq!(verdict, Verdict::Mistaken);
    assert_eq!(
        said,
        "other.toml: cannot be read (No such file or directory (os error 2))\nother.toml: 1 mistake\n"
    );
}

#[test]
fn the_shipped_file_passes() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("gateway.toml");
    let (verdict, said) = checked(&file);
    assert_eq!(verdict, Verdict::Sound, "{said}");
}

#[test]
fn routes_that_take_the_same_requests_are_mistakes() {
    let (_directory, file) = written(
        r#"[[upstreams]]
name = "shop"
servers = ["http://127.0.0.1:3000"]
[[routes]]
path = "/"
require = "public"
upstream = "shop"
[[routes]]
path = "/"
require = "admin"
upstream = "shop"
[[routes]]
path = "/.well-known/jwks.json"
require = "public"
upstream = "shop"
[[dialects]]
shape = "insforge"
[[routes]]
path = "/api/auth/refresh"
require = "public"
upstream = "shop"
"#,
    );
    let expected = "\
gateway.toml:8:1: routes[1]: takes the same requests as routes[0] (line 4)
gateway.toml:12:1: routes[2]: takes the same requests as /.well-known/jwks.json
gateway.toml:18:1: routes[3]: takes the same requests as dialects[0] (line 16)
gateway.toml: 3 mistakes
";
    assert_eq!(checked(&file), (Verdict::Mistaken, expected.to_owned()));
}

#[test]
fn a_tie_is_told_beside_mistakes_of_other_tables() {
    let (_directory, file) = written(
        r#"[accounts]
sign_up = true
[users]
require_verified_email = true
[log]
access = 1
[[upstreams]]
name = "shop"
servers = ["http://127.0.0.1:3000"]
fiel = "x"
[[dialects]]
shape = "supabase"
[sessions]
access_ttl = "2m"
[[routes]]
path = "/"
require = "public"
upstream = "shop"
[[routes]]
path = "/"
require = "admin"
upstream = "shop"
"#,
    );
    let (verdict, said) = checked(&file);
    assert_eq!(verdict, Verdict::Mistaken);
    let tie = "gateway.toml:19:1: routes[1]: takes the same requests as routes[0] (line 15)\n";
    assert!(said.contains(tie), "{said}");
    assert!(
        said.contains("gateway.toml:2:11: accounts.sign_up: "),
        "{said}"
    );
    assert!(said.ends_with("gateway.toml: 4 mistakes\n"), "{said}");
}

#[test]
fn no_route_takes_the_place_of_an_endpoint_by_its_methods_or_by_a_pattern_below() {
    let (_directory, file) = written(
        r#"[[upstreams]]
name = "shop"
servers = ["http://127.0.0.1:3000"]
[[dialects]]
shape = "insforge"
[[dialects]]
shape = "supabase"
[[routes]]
path = "/api/auth/users/*"
require = "public"
upstream = "shop"
[[routes]]
path = "/api/auth/profiles/*"
methods = ["GET"]
require = "public"
upstream = "shop"
[[routes]]
path = "/api/auth/refresh"
methods = ["POST"]
require = "public"
upstream = "shop"
[[routes]]
path = "/auth/v1/**"
methods = ["POST"]
require = "public"
upstream = "shop"
[[routes]]
path = "/.well-known/jwks.json"
methods = ["GET"]
require = "public"
upstream = "shop"
[[routes]]
path = "/api/auth/oauth/**"
methods = ["GET"]
require = "public"
upstream = "shop"
[[routes]]
path = "/api/auth/oauth/**"
methods = ["POST"]
require = "signed-in"
upstream = "shop"
"#,
    );
    let expected = "\
gateway.toml:8:1: routes[0]: takes the same requests as dialects[0] (line 4)
gateway.toml:12:1: routes[1]: takes the same requests as dialects[0] (line 4)
gateway.toml:17:1: routes[2]: takes the same requests as dialects[0] (line 4)
gateway.toml:22:1: routes[3]: takes the same requests as dialects[1] (line 6)
gateway.toml:27:1: routes[4]: takes the same requests as /.well-known/jwks.json
gateway.toml: 5 mistakes
";
    assert_eq!(checked(&file), (Verdict::Mistaken, expected.to_owned()));
}

#[test]
fn dialects_that_stand_in_each_others_way_are_told_with_both_places() {
    let (directory, file) = written(
        r#"[[dialects]]
shape = "strikebet"
token_secret = { file = "one" }
[[dialects]]
shape = "strikebet"
host = "*.example.com"
token_secret = { file = "other" }
[[dialects]]
shape = "strikebet"
token_secret = { file = "one" }
[[dialects]]
shape = "strikebet"
prefix = "/shop"
"#,
    );
    let secret = "a secret of more than thirty-two bytes";
    fs::write(directory.path().join("one"), secret).expect("a file");
    fs::write(directory.path().join("other"), format!("{secret}!")).expect("a file");
    let tie = "gateway.toml:8:1: dialects[2]: takes the same requests as dialects[0] (line 1)";
    let twin =
        "has the issuer, but not the token_secret, of the same tokens as dialects[0] (line 1)";
    let expected =
        format!("gateway.toml:4:1: dialects[1]: {twin}\n{tie}\n{tie}\ngateway.toml: 3 mistakes\n");
    assert_eq!(checked(&file), (Verdict::Mistaken, expected));
}

#[test]
fn tokens_too_short_for_the_clients_of_a_dialect_are_a_mistake() {
    let text =
        |shape| format!("[sessions]\naccess_ttl = \"2m\"\n[[dialects]]\nshape = \"{shape}\"\n");
    let (_directory, file) = written(&text("supabase"));
    let expected = "\
gateway.toml:3:1: dialects[0]: its clients refresh 90 seconds before a token ends, expected access_ttl in [sessions] of 3m or more
gateway.toml: 1 mistake
";
    assert_eq!(checked(&file), (Verdict::Mistaken, expected.to_owned()));
    let (_directory, file) = written(&text("insforge"));
    assert_eq!(checked(&file).0, Verdict::Sound);
}
