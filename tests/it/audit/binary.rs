//! The real binary: what it records, what a kill costs, and what `doorward audit` says of it.

use std::process::Output;

use http::StatusCode;
use serde_json::Value;

use super::*;
use crate::support::doorward::{Doorward, Setup, USER, command};

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn audit(gateway: &Doorward, arguments: &[&str]) -> String {
    let output = gateway.command(&[&["audit"], arguments].concat(), "");
    assert!(output.status.success(), "{output:?}");
    text(&output)
}

fn entries(gateway: &Doorward, arguments: &[&str]) -> Vec<Value> {
    let found = audit(gateway, &[&["query", "--json"], arguments].concat());
    let lines = found
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// Waits until so many entries are found: they are written behind the answers.
async fn until_found(gateway: &Doorward, (count, arguments): (usize, &[&str])) -> Vec<Value> {
    let mut interval = tokio::time::interval(Duration::from_millis(50));
    for _ in 0..400 {
        interval.tick().await;
        let found = entries(gateway, arguments);
        if found.len() >= count {
            return found;
        }
    }
    panic!("never found");
}

fn broken(gateway: &Doorward, arguments: &[&str]) -> String {
    let output = gateway.command(&[&["audit", "verify"], arguments].concat(), "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    text(&output)
}

#[tokio::test]
async fn a_sign_in_and_a_command_are_found_with_who_and_whence() {
    let gateway = Doorward::start().await;
    gateway.sign_in(USER).await;
    let found = until_found(&gateway, (1, &["--action", "sign-in", "--since", "1h"])).await;
    assert_eq!(found[0]["actor"], USER);
    assert_eq!(found[0]["outcome"], "success");
    assert_eq!(found[0]["address"], "127.0.0.1");
    let user = found[0]["user"].as_str().unwrap();
    assert!(found[0]["session"].is_string() && found[0]["request_id"].is_string());
    assert!(
        gateway
            .command(&["user", "disable", USER], "")
            .status
            .success()
    );
    assert_eq!(
        gateway.try_sign_in(USER).await.status,
        StatusCode::FORBIDDEN
    );
    let changed = &entries(&gateway, &["--user", user, "--action", "change-user"])[0];
    assert!(
        changed["actor"].as_str().unwrap().starts_with("cli:"),
        "{changed}"
    );
    assert_eq!(changed["reason"], "command-line");
    let refused = until_found(&gateway, (1, &["--outcome", "refused"])).await;
    assert_eq!(refused[0]["reason"], "account-disabled");
    let tail = audit(&gateway, &["tail", "1"]);
    assert!(tail.contains("sign-in refused account-disabled"), "{tail}");
}

#[tokio::test]
async fn what_the_command_line_changes_is_kept_without_a_log_file() {
    let gateway = Doorward::start().await;
    let config = std::fs::read_to_string(gateway.path("gateway.toml")).unwrap();
    let config = config.replace("audit = { file = \"audit.log\" }", "audit = \"off\"");
    std::fs::write(gateway.path("gateway.toml"), config).unwrap();
    let before = entries(&gateway, &[]).len();
    for command in [
        &["key", "rotate"][..],
        &["user", "roles", USER, "--add", "editor"],
    ] {
        assert!(gateway.command(command, "").status.success());
    }
    let found = entries(&gateway, &["--limit", "2"]);
    let actions: Vec<_> = found.iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["change-user", "rotate-keys"]);
    assert_eq!(entries(&gateway, &[]).len(), before + 2);
    audit(&gateway, &["verify"]);
}

#[tokio::test]
async fn a_kill_costs_at_most_the_last_moment_and_the_trail_still_verifies() {
    let mut gateway = Doorward::start().await;
    for _ in 0..5 {
        gateway.sign_in(USER).await;
    }
    until_found(&gateway, (5, &["--action", "sign-in"])).await;
    gateway.sign_in(USER).await;
    gateway.kill_and_start_again().await;
    let found = entries(&gateway, &["--action", "sign-in"]).len();
    assert!((5..=6).contains(&found), "{found}");
    gateway.sign_in(USER).await;
    assert!(gateway.terminate().await.success());
    assert_eq!(entries(&gateway, &["--action", "sign-in"]).len(), found + 1);
    let log = gateway.path("audit.log");
    let said = audit(&gateway, &["verify", "--file", log.to_str().unwrap()]);
    assert!(said.contains("lines are as they were written"), "{said}");
    assert!(said.contains("entries are as they were written"), "{said}");
    assert!(said.contains("known from elsewhere"), "{said}");
}

#[tokio::test]
async fn hands_laid_on_the_table_or_the_log_show_with_exit_code_one() {
    let mut gateway = Doorward::start().await;
    gateway.sign_in(USER).await;
    assert!(gateway.terminate().await.success());
    let head = audit(&gateway, &["head"]);
    let (seq, _) = head.split_once(':').unwrap();
    audit(&gateway, &["verify", "--head", head.trim()]);
    let log = gateway.path("audit.log");
    let log_name = log.to_str().unwrap();
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replacen("signed-in", "refreshed", 1)).unwrap();
    let said = broken(&gateway, &["--file", log_name]);
    assert!(said.contains("was changed"), "{said}");
    std::fs::write(&log, &text).unwrap();
    let database = sqlite(&gateway.path("state")).await;
    let pool = database.pool().await.unwrap();
    // The end as it was before the last entry would need its seal of then.
    let delete = "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)";
    sqlx::query(delete).execute(pool).await.unwrap();
    let missing = format!("broken: entries {seq} to {seq} are missing\n");
    assert_eq!(broken(&gateway, &[]), missing);
    assert!(broken(&gateway, &["--head", head.trim()]).contains(&missing));
    assert!(broken(&gateway, &["--file", log_name]).ends_with(&missing));
}

#[tokio::test]
async fn the_audit_log_goes_to_a_syslog_server() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let server = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    server
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let gateway = Doorward::with(Setup::default()).await;
    let config = std::fs::read_to_string(gateway.path("gateway.toml")).unwrap();
    let syslog = format!("audit = {{ syslog = \"unix:{}\" }}", path.display());
    let config = config.replace("audit = { file = \"audit.log\" }", &syslog);
    std::fs::write(gateway.path("gateway.toml"), config).unwrap();
    assert!(
        gateway
            .command(&["user", "disable", USER], "")
            .status
            .success()
    );
    let mut buffer = [0; 8192];
    let length = server.recv(&mut buffer).unwrap();
    let message = std::str::from_utf8(&buffer[..length]).unwrap();
    assert!(message.starts_with("<85>1 "), "{message}");
    let line = message.split_once(" - ").unwrap().1;
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["action"], "change-user");
    assert!(line["seq"].is_i64() && line["hash"].is_string());
}

#[test]
fn a_look_at_the_wrong_place_is_told_and_makes_nothing_there() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("gateway.toml");
    std::fs::write(file, "[state]\ndirectory = \"elsewhere\"\n").unwrap();
    for verb in ["verify", "head"] {
        let output = command(&directory, &["audit", verb], "");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("keys.json"), "{said}");
        assert!(!directory.path().join("elsewhere").exists());
    }
}
