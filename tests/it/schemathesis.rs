//! The real binary against its own description: a fuzzer makes calls from the document that is served,
//! good ones and bad ones, and holds each answer against it.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use tokio::process::Command;

use crate::support::doorward::{ADMIN, Doorward, Setup, USER};

/// Nothing here comes too soon, and hashes cost as little as they may.
const SETTINGS: &str = r#"
[passwords]
memory_kib = 7168
iterations = 1

[limits]
sign_in = "off"
sign_in_address = "off"
sign_in_account = "off"
admin_sign_in = "off"
admin_sign_in_address = "off"
admin_sign_in_account = "off"
refresh = "off"
refresh_address = "off"
reset = "off"
reset_address = "off"
code = "off"
code_address = "off"
code_account = "off"
sign_up = "off"
api_key = "off"

[accounts]
sign_up = true

[mail]
file = "mails"
from = "gate@example.com"
"#;

/// Calls that end the credential with which they are made, at times.
const ENDINGS: [&str; 3] = ["signOut", "endSession", "deleteAccount"];

/// What is not looked for. A call that fits the description may be refused all the same: a password is
/// weak, a state outdated. A header that is missing is 428 or 403, not 406. And what was revoked is not
/// gone: it can still be read.
const NOT_LOOKED_FOR: &str =
    "positive_data_acceptance,missing_required_header,use_after_free,ensure_resource_availability";

/// Longer than all of it takes on a machine that is busy with other tests.
const DEADLINE: Duration = Duration::from_mins(4);

async fn gateway() -> Doorward {
    gateway_with(SETTINGS).await
}

async fn gateway_with(settings: &str) -> Doorward {
    Doorward::with(Setup {
        more: settings.to_owned(),
        ..Setup::default()
    })
    .await
}

/// Runs the fuzzer over a part of the description.
async fn fuzz(gateway: &Doorward, token: &str, part: &[&str]) -> Output {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let tool = clients.join(".venv/bin/schemathesis");
    let document = "/.doorward/api/openapi.json";
    let place = format!("localhost:{}", gateway.address.port());
    let run = Command::new(tool)
        .arg("run")
        .arg(format!("https://{place}{document}"))
        .arg("--tls-verify")
        .arg(gateway.path("ca.pem"))
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--max-examples", "10", "--seed", "1"])
        .args(["--generation-database", "none", "--continue-on-failure"])
        .args(["--exclude-checks", NOT_LOOKED_FOR, "--no-color"])
        .args(part)
        .env("SCHEMATHESIS_HOOKS", clients.join("schemathesis_hooks.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(gateway.directory.path())
        .kill_on_drop(true)
        .output();
    let run = tokio::time::timeout(DEADLINE, run).await;
    run.expect("the fuzzer takes too long")
        .expect("schemathesis is installed, as tests/clients/requirements.txt says")
}

fn assert_sound(output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    let warned = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{warned}");
    assert!(
        said.contains("No issues found") || said.contains(" passed"),
        "{said}"
    );
    // Otherwise it would only have seen that strangers are refused.
    assert!(!said.contains("Authentication failed"), "{said}");
}

#[tokio::test]
async fn the_admin_api_answers_as_it_is_described() {
    let gateway = gateway().await;
    // Neither may end while it is used: users and their sessions by a key, keys by a session.
    let key = [
        "api-key",
        "create",
        "fuzz",
        "--service",
        "fuzz",
        "--role",
        "admin",
        "--scope",
        "read,write,admin",
    ];
    let key = gateway.command(&key, "");
    assert!(key.status.success(), "{key:?}");
    let key = String::from_utf8(key.stdout).unwrap();
    let path = "/.doorward/api/admin/users";
    gateway
        .until(http::StatusCode::OK, (path, Some(key.trim())))
        .await;
    // So that there are sessions to be found, and ended.
    gateway.sign_in(USER).await;
    let users = "/admin/(users|sessions|audit)";
    let users = fuzz(&gateway, key.trim(), &["--include-path-regex", users]).await;
    assert_sound(&users);
    // The users may all be gone by now.
    let gateway = self::gateway().await;
    let token = gateway.sign_in(ADMIN).await.access;
    let keys = fuzz(
        &gateway,
        &token,
        &["--include-path-regex", "/admin/(api|signing)-keys"],
    )
    .await;
    assert_sound(&keys);
}

#[tokio::test]
async fn the_login_api_answers_as_it_is_described() {
    let gateway = gateway().await;
    let token = gateway.sign_in(USER).await.access;
    let not_admin = "/admin/(users|sessions|audit|api-keys|signing-keys)";
    let phases = "examples,coverage,fuzzing";
    let mut part = vec!["--exclude-path-regex", not_admin, "--phases", phases];
    part.extend(
        ENDINGS
            .iter()
            .flat_map(|id| ["--exclude-operation-id", *id]),
    );
    assert_sound(&fuzz(&gateway, &token, &part).await);
    let mails = std::fs::read_dir(gateway.path("mails")).unwrap();
    assert!(mails.count() > 0, "what needs mail was never done");
    for id in ENDINGS {
        let token = gateway.sign_in(USER).await.access;
        let part = ["--include-operation-id", id, "--phases", phases];
        let output = fuzz(&gateway, &token, &part).await;
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{id}: {said}");
    }
}

#[tokio::test]
async fn what_comes_too_soon_is_refused_as_it_is_described() {
    let quota = ["\"off\"", "\"1/1h\""];
    let gateway = gateway_with(&SETTINGS.replace(quota[0], quota[1])).await;
    let limited = "/(sign-in|sign-up|code|password/forgot)$";
    let part = ["--include-path-regex", limited, "--phases", "coverage"];
    let output = fuzz(&gateway, "none", &part).await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let limited = gateway.metrics().await;
    let limited = limited
        .lines()
        .filter(|line| line.starts_with("doorward_limited"));
    let limited: String = limited.collect();
    for purpose in ["sign-in", "admin-sign-in", "sign-up", "reset"] {
        assert!(
            limited.contains(&format!("\"{purpose}\"")),
            "{purpose}: {limited}"
        );
    }
}
