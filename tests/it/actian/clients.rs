//! The official client and real gRPC, over TLS through the real binary, to a real gRPC service.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::support::doorward::{Doorward, Setup};

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");
const ADMIN_PASSWORD: &str = crate::support::doorward::PASSWORD;

fn python(script: &str) -> Command {
    let python = Path::new(CLIENTS).join(".venv/bin/python");
    let mut command = Command::new(python);
    command
        .arg(script)
        .current_dir(CLIENTS)
        .env_remove("ACTIAN_VECTORAI_API_KEY")
        .kill_on_drop(true);
    command
}

/// A gRPC service that says what it sees.
struct Service {
    port: u16,
    /// Read at once: a pipe that is full would hold the service up.
    said: UnboundedReceiver<Value>,
    _process: Child,
}

impl Service {
    async fn start() -> Self {
        let mut process = python("grpc_server.py")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the packages of tests/clients/requirements.txt are installed");
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = said.next_line().await.unwrap().unwrap();
        let (tell, heard) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = said.next_line().await {
                let Ok(()) = tell.send(serde_json::from_str(&line).unwrap()) else {
                    return;
                };
            }
        });
        Self {
            port: port.parse().unwrap(),
            said: heard,
            _process: process,
        }
    }

    async fn next(&mut self) -> Value {
        let said = tokio::time::timeout(Duration::from_secs(30), self.said.recv());
        let said = said.await.expect("the service says something in time");
        said.unwrap()
    }
}

async fn gateway(service: &Service) -> Doorward {
    let more = format!(
        r#"
[[dialects]]
shape = "actian"
token_secret = {{ file = "jwt-secret" }}

[[upstreams]]
name = "vectors"
servers = ["http://127.0.0.1:{}"]
protocol = "http2"

[[upstreams]]
name = "away"
servers = ["http://127.0.0.1:1"]
protocol = "http2"

[[routes]]
path = "/vdss.Sample/**"
require = "signed-in"
upstream = "vectors"

[[routes]]
path = "/vdss.Sample/Large"
require = "signed-in"
upstream = "vectors"
forward_credentials = true

[[routes]]
path = "/away.Service/**"
require = "signed-in"
upstream = "away"
"#,
        service.port
    );
    let setup = Setup {
        more,
        files: vec![("jwt-secret", format!("{SECRET}\n"))],
        ..Setup::default()
    };
    Doorward::with(setup).await
}

async fn run(gateway: &Doorward, script: &str, environment: &[(&str, &str)]) {
    let port = gateway.address.port();
    let output = python(script)
        .env("CA", gateway.path("ca.pem"))
        .env("TARGET", format!("localhost:{port}"))
        .env("BASE_URL", format!("https://localhost:{port}"))
        .env("PASSWORD", ADMIN_PASSWORD)
        .envs(environment.iter().copied())
        .output();
    let output = tokio::time::timeout(Duration::from_mins(2), output);
    let output = output.await.expect("the client ends in time").unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
}

/// A key of the administrator with these permissions.
async fn key(gateway: &Doorward, name: &str, permission: &str) -> String {
    let body = json!({ "password": ADMIN_PASSWORD });
    let login = gateway.post("/auth/admin/login", None, &body).await;
    let token = login.json()["token"].as_str().unwrap().to_owned();
    let body = json!({ "name": name, "permission": permission });
    let made = gateway.post("/auth/api_key", Some(&token), &body).await;
    made.json()["api_key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_official_client_finds_all_of_its_auth() {
    let service = Service::start().await;
    let gateway = gateway(&service).await;
    run(&gateway, "actian.py", &[]).await;
}

#[tokio::test]
async fn grpc_passes_in_every_kind_of_call() {
    let mut service = Service::start().await;
    let gateway = gateway(&service).await;
    let key = key(&gateway, "rw", "read,write").await;
    run(&gateway, "grpc_client.py", &[("KEY", &key)]).await;
    let mut calls = 0;
    loop {
        let said = service.next().await;
        if said["cancelled"] == true {
            break;
        }
        calls += 1;
        let metadata = said["metadata"].as_array().unwrap();
        let value = |name: &str| {
            let mut pairs = metadata.iter().filter(|pair| pair[0] == name);
            pairs.next().map(|pair| pair[1].clone())
        };
        // The credential stays here, unless the route says otherwise.
        let forwarded = said["method"] == "/vdss.Sample/Large";
        assert_eq!(value("api-key").is_some(), forwarded, "{said}");
        assert_eq!(value("authorization").is_some(), forwarded, "{said}");
        assert_eq!(value("x-auth-email").unwrap(), "admin@example.com");
    }
    assert_eq!(calls, 259);
}

#[tokio::test]
async fn grpc_that_is_refused_is_told_in_grpc_and_reaches_no_service() {
    let mut service = Service::start().await;
    let gateway = gateway(&service).await;
    let key_text = key(&gateway, "rw", "read,write").await;
    let reader = key(&gateway, "r", "read").await;
    let environment = [("KEY", &*key_text), ("READER", &reader)];
    run(&gateway, "grpc_refused.py", &environment).await;
    assert!(gateway.sample.seen().is_empty());
    // The first that the service sees is a call that is not refused.
    run(&gateway, "grpc_client.py", &[("KEY", &key_text)]).await;
    let first = service.next().await;
    assert_eq!(first["method"], "/vdss.Sample/Echo");
    let metadata = first["metadata"].as_array().unwrap();
    let name = |pair: &Value| pair[0].as_str().unwrap().to_owned();
    let names: Vec<_> = metadata.iter().map(name).collect();
    assert!(
        names.iter().any(|name| name == "x-auth-subject"),
        "{names:?}"
    );
}

#[tokio::test]
async fn a_call_in_both_directions_ends_with_its_key_on_both_sides() {
    let mut service = Service::start().await;
    let gateway = gateway(&service).await;
    let body = json!({ "password": ADMIN_PASSWORD });
    let login = gateway.post("/auth/admin/login", None, &body).await;
    let token = login.json()["token"].as_str().unwrap().to_owned();
    let body = json!({ "name": "talker", "permission": "write" });
    let made = gateway.post("/auth/api_key", Some(&token), &body).await;
    let made = made.json();
    let mut client = python("grpc_talk.py")
        .env("CA", gateway.path("ca.pem"))
        .env("TARGET", format!("localhost:{}", gateway.address.port()))
        .env("KEY", made["api_key"].as_str().unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(client.stdout.take().unwrap()).lines();
    let mut next = async || {
        let line = tokio::time::timeout(Duration::from_secs(30), said.next_line());
        line.await
            .expect("the client says something in time")
            .unwrap()
    };
    assert_eq!(next().await.as_deref(), Some("talking"));
    assert_eq!(service.next().await["method"], "/vdss.Sample/Stay");
    let rotate = format!("/auth/api_key/{}/rotate", made["id"]);
    let rotated = gateway.post(&rotate, Some(&token), &Value::Null).await;
    assert_eq!(rotated.status, 200, "{}", rotated.text);
    assert_eq!(next().await.as_deref(), Some("cut off"));
    assert_eq!(service.next().await["cancelled"], true);
}
