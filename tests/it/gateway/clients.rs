//! The real clients: the official SDK, and a browser.

use std::process::Output;

use crate::support::doorward::{ADMIN, Doorward, PASSWORD, Setup, USER};

/// The key that apps carry.
const ANON: &str = "anon_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

const SETTINGS: &str = r#"
[users]
require_verified_email = true

[accounts]
sign_up = true

[mail]
file = "mails"
from = "Doorward <no-reply@example.com>"

[[dialects]]
shape = "insforge"
api_keys = [{ file = "anon.key" }]
"#;

fn dialect() -> Setup {
    Setup {
        more: SETTINGS.to_owned(),
        files: vec![("anon.key", ANON.to_owned())],
        ..Setup::default()
    }
}

/// A new admin key, as clients of InsForge know one.
fn admin_key(gateway: &Doorward) -> String {
    let create = [
        "api-key",
        "create",
        "sdk",
        "--service",
        "sdk",
        "--role",
        "admin",
    ];
    let made = gateway.command(&[&create[..], &["--kind", "ik"]].concat(), "");
    assert!(made.status.success(), "{made:?}");
    let said = String::from_utf8(made.stdout).unwrap();
    let mut words = said.split_whitespace();
    let key = words.find(|word| word.starts_with("ik_"));
    key.unwrap().to_owned()
}

async fn node(gateway: &Doorward, script: &str) -> Output {
    tokio::process::Command::new("node")
        .arg(script)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients"))
        .env("NODE_EXTRA_CA_CERTS", gateway.path("ca.pem"))
        .env(
            "BASE_URL",
            format!("https://localhost:{}", gateway.address.port()),
        )
        .env("EMAIL", USER)
        .env("PASSWORD", PASSWORD)
        .env("ADMIN_USERNAME", "admin")
        .env("ADMIN_EMAIL", ADMIN)
        .env("ADMIN_PASSWORD", PASSWORD)
        .env("ANON_KEY", ANON)
        .env("ADMIN_KEY", admin_key(gateway))
        .env("MAILS", gateway.path("mails"))
        .kill_on_drop(true)
        .output()
        .await
        .expect("node is installed: ./dev test does it")
}

fn assert_well(output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
}

#[tokio::test]
async fn the_insforge_sdk_signs_in_refreshes_and_signs_out() {
    let gateway = Doorward::with(dialect()).await;
    assert_well(&node(&gateway, "insforge.mjs").await);
    // What was refused on the way, no service has seen.
    let seen = gateway.sample.seen();
    assert_eq!(seen.len(), 3, "{seen:?}");
    for request in &seen {
        let subject = request.all("x-auth-subject");
        match request.target.as_str() {
            "/notes" => assert_eq!(request.all("x-auth-email"), [USER]),
            "/public/notes" => assert!(subject.is_empty()),
            "/admin/notes" => assert_eq!(subject, ["service:sdk"]),
            other => panic!("a service was asked for {other}"),
        }
    }
}

#[tokio::test]
async fn the_insforge_sdk_lives_on_a_page_in_a_browser() {
    let gateway = Doorward::with(dialect()).await;
    assert_well(&node(&gateway, "insforge_browser.mjs").await);
    // Beside the pages themselves, the one request whose token held.
    let seen = gateway.sample.seen();
    let mut asked = seen.iter().filter(|request| request.target == "/notes");
    let notes = asked.next().unwrap();
    assert_eq!(notes.all("x-auth-email"), [USER]);
    // The SDK's own cookie, which its script reads, is no credential.
    let cookies = notes.all("cookie");
    assert!(cookies.iter().all(|cookie| !cookie.contains("refresh")));
    assert!(notes.all("authorization").is_empty());
    assert!(asked.next().is_none());
}

#[tokio::test]
async fn a_browser_signs_in_and_meets_the_wall() {
    let gateway = Doorward::start().await;
    assert_well(&node(&gateway, "browser.mjs").await);
    let seen = gateway.sample.seen();
    assert!(!seen.is_empty());
    for request in &seen {
        assert!(
            request
                .all("cookie")
                .iter()
                .all(|cookie| !cookie.contains("doorward"))
        );
        if request.target.starts_with("/admin/") {
            assert_eq!(request.all("x-auth-email"), [ADMIN], "{}", request.target);
        }
    }
}
