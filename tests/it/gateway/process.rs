//! The process: exit codes, what it says, how it stops.

use std::process::Command;

use http::StatusCode;
use tempfile::TempDir;

use crate::support::doorward::{Doorward, USER, command};
use crate::support::redis::until;

#[tokio::test]
async fn sigterm_ends_it_well() {
    let mut gateway = Doorward::start().await;
    assert_eq!(gateway.terminate().await.code(), Some(0));
}

#[test]
fn mistakes_in_the_configuration_are_exit_code_two() {
    let directory = TempDir::new().unwrap();
    std::fs::write(
        directory.path().join("gateway.toml"),
        "[servre]\n[[routes]]\n",
    )
    .unwrap();
    for arguments in [["serve"], ["check"]] {
        let output = command(&directory, &arguments, "");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(
            said.contains("did you mean") && said.contains("gateway.toml:1:"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_taken_port_is_exit_code_one_and_named() {
    let gateway = Doorward::start().await;
    let taken = gateway.address;
    let directory = TempDir::new().unwrap();
    let config = format!("[server]\nlisten = [\"{taken}\"]\n[state]\ndirectory = \"state\"\n");
    std::fs::write(directory.path().join("gateway.toml"), config).unwrap();
    let output = command(&directory, &["serve"], "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&taken.to_string()), "{said}");
}

#[test]
fn words_that_mean_nothing_are_exit_code_one() {
    let output = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .arg("sevre")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let help = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .arg("--help")
        .output()
        .unwrap();
    assert_eq!(help.status.code(), Some(0));
}

/// What is in flight when the gateway is told to stop is finished, and only then does it end.
#[tokio::test]
async fn a_request_in_flight_is_finished_before_the_end() {
    let mut gateway = Doorward::start().await;
    let user = gateway.sign_in(USER).await;
    let answered = gateway.get("/slow", Some(&user.access));
    let stopped = async {
        gateway.sample.received(1).await;
        gateway.signal("-TERM");
        until("readiness says that it drains", async || {
            let (ready, said) = gateway.page("/readyz").await;
            ready == StatusCode::SERVICE_UNAVAILABLE && said.contains("draining")
        })
        .await;
        gateway.sample.release();
    };
    let (answer, ()) = tokio::join!(answered, stopped);
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.json()["path"], "/slow", "read whole");
    assert_eq!(gateway.ended().await.code(), Some(0));
    // It waited for the request, and was not merely slower in ending than the request was.
    let said = gateway.said();
    assert!(
        said.contains("stopped") && !said.contains("cut off"),
        "{said}"
    );
}

#[tokio::test]
async fn a_request_whose_client_has_gone_is_logged_as_one_that_nobody_answered() {
    let gateway = Doorward::start().await;
    let user = gateway.sign_in(USER).await;
    {
        let asked = gateway.get("/slow", Some(&user.access));
        tokio::select! {
            answer = asked => panic!("answered: {}", answer.text),
            () = gateway.sample.received(1) => {}
        }
    }
    let mut line = None;
    until("a line of it", async || {
        let log = std::fs::read_to_string(gateway.path("access.log")).unwrap();
        let slow = log.lines().find(|line| line.contains("\"/slow\""));
        line = slow.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        line.is_some()
    })
    .await;
    let line = line.unwrap();
    assert_eq!(line["status"], 499, "{line}");
    assert_eq!(line["reason"], "client-gone", "{line}");
}
