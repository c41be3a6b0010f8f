//! The real clients: the official SDK, and a browser.

use std::process::Output;

use crate::support::doorward::{ADMIN, Doorward, PASSWORD, Setup, USER};

fn dialect() -> Setup {
    Setup {
        more: "[[dialects]]\nshape = \"insforge\"\n".to_owned(),
        ..Setup::default()
    }
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
