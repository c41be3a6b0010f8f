//! A real Redis server of a test's own: on a free port, in a directory of its own, gone with its value.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use doorward::sessions::redis::{RedisConfig, RedisSessions};
use tempfile::TempDir;

/// A running server.
#[derive(Debug)]
pub(crate) struct RedisServer {
    address: SocketAddr,
    directory: TempDir,
    process: Option<Child>,
}

impl RedisServer {
    /// Starts a server that keeps nothing on disk.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        // A port is free until somebody takes it, so a start may fail; another port then.
        for _ in 0..20 {
            let address = free_address();
            if let Some(process) = run(address, &directory) {
                return Self {
                    address,
                    directory,
                    process: Some(process),
                };
            }
        }
        panic!("no redis-server came up on any of 20 free ports");
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The sessions that it keeps.
    pub(crate) fn sessions(&self) -> RedisSessions {
        sessions_at(self.address, "doorward:")
    }

    /// Kills it, as `kill -9` does; all that it held is lost.
    pub(crate) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("the server can be killed");
            process.wait().expect("the server ends");
        }
    }

    /// Starts it again on the same port, empty.
    pub(crate) fn start_again(&mut self) {
        self.stop();
        self.process = run(self.address, &self.directory);
        assert!(self.process.is_some(), "the port is still ours");
    }

    /// Runs a command on it, past the code under test.
    pub(crate) async fn command(&self, words: &[&str]) -> redis::Value {
        let client = redis::Client::open(format!("redis://{}", self.address)).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut connection).await.unwrap()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The sessions that the server behind `address` keeps under `key_prefix`.
pub(crate) fn sessions_at(address: SocketAddr, key_prefix: &str) -> RedisSessions {
    let config = RedisConfig {
        url: format!("redis://{address}").parse().unwrap(),
        password: None,
        key_prefix: key_prefix.to_owned(),
    };
    RedisSessions::connect(&config).expect("a good address")
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address")
}

/// Starts a server and waits until it says that it is ready; `None` where it ended instead.
fn run(address: SocketAddr, directory: &TempDir) -> Option<Child> {
    let mut process = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &address.port().to_string()])
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
        .arg("--dir")
        .arg(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("these tests need a redis-server in PATH (Debian: apt-get install redis-server)");
    let stdout = BufReader::new(process.stdout.take().expect("its output is piped"));
    let mut lines = stdout.lines().map_while(Result::ok);
    if lines.any(|line| line.contains("Ready to accept connections")) {
        // It would block on a full pipe if nobody read on.
        std::thread::spawn(move || lines.for_each(drop));
        return Some(process);
    }
    process.wait().expect("the server ends");
    None
}
