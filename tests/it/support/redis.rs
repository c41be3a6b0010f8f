//! A real Redis server of a test's own, or a Valkey: on a free port, in a directory of its own, gone with its value.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use doorward::sessions::redis::place::{Node, Place, Transport};
use doorward::sessions::redis::{RedisConfig, RedisSessions};
use tempfile::TempDir;

const REDIS: &str = "redis-server";
const VALKEY: &str = "valkey-server";

/// A running server.
#[derive(Debug)]
pub(crate) struct RedisServer {
    program: &'static str,
    address: SocketAddr,
    directory: TempDir,
    settings: Vec<String>,
    process: Option<Child>,
}

impl RedisServer {
    /// Starts a server that keeps nothing on disk.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server that loses nothing that it acknowledged.
    pub(crate) fn start_durable() -> Self {
        Self::start_with(&["--appendonly", "yes", "--appendfsync", "always"])
    }

    /// Starts a server that copies another one, and waits until it has all that the other has.
    pub(crate) async fn start_replica_of(master: &Self) -> Self {
        let at_once = ["CONFIG", "SET", "repl-diskless-sync-delay", "0"];
        master.command(&at_once).await;
        let replica = Self::start();
        let port = master.address.port().to_string();
        replica.command(&["REPLICAOF", "127.0.0.1", &port]).await;
        master.wait_for_replica().await;
        replica
    }

    /// Waits until a replica has all that was written so far.
    pub(crate) async fn wait_for_replica(&self) {
        let client = redis::Client::open(format!("redis://{}", self.address)).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        // A write of its own: `WAIT` counts from the last one of its connection.
        let mut write = redis::cmd("SETEX");
        write.arg("written").arg(1).arg("");
        let mut wait = redis::cmd("WAIT");
        wait.arg(1).arg(400);
        for _ in 0..50 {
            write.exec_async(&mut connection).await.unwrap();
            let copies: u32 = wait.query_async(&mut connection).await.unwrap();
            if copies == 1 {
                return;
            }
        }
        panic!("no replica has caught up");
    }

    /// Starts a Valkey, where there is one.
    #[expect(
        clippy::print_stderr,
        reason = "so that nobody takes its absence for a pass"
    )]
    pub(crate) fn start_valkey() -> Option<Self> {
        let there = Command::new(VALKEY).arg("--version").output();
        if there.is_err() {
            eprintln!("no {VALKEY} in PATH, so this test ran without it");
            return None;
        }
        Some(Self::start_program(VALKEY, &[]))
    }

    /// Starts a server with more settings; each `PORT` in them is another free port.
    pub(crate) fn start_with(settings: &[&str]) -> Self {
        Self::start_program(REDIS, settings)
    }

    fn start_program(program: &'static str, settings: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        // A port is free until somebody takes it, so a start may fail; another port then.
        for _ in 0..20 {
            let address = free_address();
            let settings: Vec<_> = settings.iter().map(|word| with_port(word)).collect();
            if let Some(process) = run(program, (address, &directory), &settings) {
                return Self {
                    program,
                    address,
                    directory,
                    settings,
                    process: Some(process),
                };
            }
        }
        panic!("no {program} came up on any of 20 free ports");
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same, as a node.
    pub(crate) fn node(&self) -> Node {
        node(self.address)
    }

    /// Its Unix socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("redis.sock")
    }

    /// The value of one of the settings that it was started with.
    pub(crate) fn setting(&self, name: &str) -> &str {
        let at = self.settings.iter().position(|word| word == name);
        &self.settings[at.expect("it was started with it") + 1]
    }

    /// The sessions that it keeps.
    pub(crate) fn sessions(&self) -> RedisSessions {
        sessions_at(self.address, "doorward:")
    }

    /// Kills it, as `kill -9` does.
    pub(crate) fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            end(process);
        }
    }

    /// Stops it without an end: its connections stay, and it says nothing.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.as_ref().expect("it runs").id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Starts it again on the same port, with what it kept.
    pub(crate) fn start_again(&mut self) {
        self.stop();
        self.process = run(
            self.program,
            (self.address, &self.directory),
            &self.settings,
        );
        assert!(self.process.is_some(), "the port is still ours");
    }

    /// Runs a command on it, past the code under test.
    pub(crate) async fn command(&self, words: &[&str]) -> redis::Value {
        let answer = self.try_command(words).await;
        answer.unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// The same, where the server may refuse.
    pub(crate) async fn try_command(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        let client = redis::Client::open(format!("redis://{}", self.address))?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut connection).await
    }

    /// Waits until a replica has all that was written so far.
    pub(crate) async fn replicated(&self) {
        let client = redis::Client::open(format!("redis://{}", self.address)).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        connection.set_response_timeout(std::time::Duration::from_secs(20));
        // A write of this connection's own, as WAIT waits for those alone.
        let mut pipe = redis::pipe();
        pipe.cmd("PUBLISH").arg("mark").arg("mark").ignore();
        pipe.cmd("WAIT").arg(1).arg(10_000);
        let (replicas,): (u64,) = pipe.query_async(&mut connection).await.unwrap();
        assert!(replicas >= 1, "no replica has it");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The sessions that the server behind `address` keeps under `key_prefix`.
pub(crate) fn sessions_at(address: SocketAddr, key_prefix: &str) -> RedisSessions {
    RedisSessions::connect(&config_at(address, key_prefix))
}

/// The server behind `address`, without a password.
pub(crate) fn config_at(address: SocketAddr, key_prefix: &str) -> RedisConfig {
    RedisConfig {
        place: Place::Server {
            node: node(address),
            transport: Transport::Plain,
            database: 0,
        },
        login: None,
        key_prefix: key_prefix.to_owned(),
    }
}

pub(crate) fn node(address: SocketAddr) -> Node {
    Node {
        host: address.ip().to_string(),
        port: address.port(),
    }
}

pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address")
}

fn with_port(word: &str) -> String {
    match word {
        "PORT" => free_address().port().to_string(),
        word => word.to_owned(),
    }
}

fn run(
    program: &str,
    (address, directory): (SocketAddr, &TempDir),
    settings: &[String],
) -> Option<Child> {
    let mut command = Command::new(program);
    command
        .args(["--bind", "127.0.0.1", "--port", &address.port().to_string()])
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
        .arg("--unixsocket")
        .arg(directory.path().join("redis.sock"))
        .arg("--dir")
        .arg(directory.path())
        .args(settings);
    run_until(command, "Ready to accept connections")
}

/// Starts a server and waits until it says that it is ready; `None` where it ended instead.
pub(crate) fn run_until(mut command: Command, ready: &str) -> Option<Child> {
    let mut process = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("these tests need a redis-server in PATH (Debian: apt-get install redis-server)");
    let stdout = BufReader::new(process.stdout.take().expect("its output is piped"));
    let mut lines = stdout.lines().map_while(Result::ok);
    if lines.any(|line| line.contains(ready)) {
        // It would block on a full pipe if nobody read on.
        std::thread::spawn(move || lines.for_each(drop));
        return Some(process);
    }
    process.wait().expect("the server ends");
    None
}

/// Kills a process of ours.
pub(crate) fn end(mut process: Child) {
    process.kill().expect("the server can be killed");
    process.wait().expect("the server ends");
}

/// Asks again and again until the answer is yes.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    while !is_so().await {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
