//! A real PostgreSQL server of a test's own: on a free port, in a directory of its own, gone with its
//! value.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use doorward::database::{Database, postgres};
use doorward::secret::SecretText;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};
use tempfile::TempDir;

/// The password of the one user of every such server.
pub(crate) const PASSWORD: &str = "p@ss:w/rd %";

/// The user and group that the server runs as where we are root, which it refuses to be.
const NOBODY: u32 = 65534;

/// A running server.
#[derive(Debug)]
pub(crate) struct PostgresServer {
    address: SocketAddr,
    directory: TempDir,
    process: Option<Child>,
}

impl PostgresServer {
    /// Makes a server with an empty database, and starts it.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        give_away(directory.path());
        make(directory.path());
        for _ in 0..20 {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
            let address = listener.local_addr().expect("its address");
            drop(listener);
            // A port is free until somebody takes it, so a start may fail; another port then.
            if let Some(process) = run(address, directory.path()) {
                return Self {
                    address,
                    directory,
                    process: Some(process),
                };
            }
        }
        panic!("no PostgreSQL came up on any of 20 free ports");
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How it is reached.
    pub(crate) fn config(&self) -> postgres::Config {
        let url = format!("postgres://postgres@{}/postgres", self.address);
        postgres::Config {
            url: url.parse().expect("a good URL"),
            password: Some(SecretText::new(PASSWORD.to_owned())),
            ca: None,
            max_connections: 10,
        }
    }

    /// The database on it.
    pub(crate) fn database(&self) -> Database {
        Database::postgres(&self.config()).expect("a good address")
    }

    /// A database of its own on it, empty.
    pub(crate) async fn empty_database(&self, name: &str) -> Database {
        let mut config = self.config();
        // PostgreSQL cuts names at 63 bytes.
        let name: String = name.chars().take(63).collect();
        let mut admin = config.url.clone();
        admin
            .set_password(Some(PASSWORD))
            .expect("a URL with a host");
        let mut connection = AnyConnection::connect(admin.as_str())
            .await
            .expect("the server answers");
        let create = AssertSqlSafe(format!("CREATE DATABASE \"{name}\""));
        connection.execute(create).await.expect("a new name");
        config.url.set_path(&name);
        config.max_connections = 4;
        Database::postgres(&config).expect("a good address")
    }

    /// Ends it at once, without an orderly shutdown.
    pub(crate) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let quit = Command::new("kill")
                .args(["-QUIT", &process.id().to_string()])
                .status();
            assert!(
                quit.expect("kill can be run").success(),
                "the server was still there"
            );
            process.wait().expect("the server ends");
        }
    }

    /// Starts it again on the same port, with all that it had acknowledged.
    pub(crate) fn start_again(&mut self) {
        self.stop();
        self.process = run(self.address, self.directory.path());
        assert!(self.process.is_some(), "the port is still ours");
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn make(directory: &Path) {
    let password_file = directory.join("password");
    std::fs::write(&password_file, PASSWORD).expect("a file can be written");
    give_away(&password_file);
    let made = tool("initdb", directory)
        .args([
            "--no-sync",
            "--username",
            "postgres",
            "--auth",
            "scram-sha-256",
        ])
        .args(["--encoding", "UTF8", "--locale", "C"])
        .arg("--pwfile")
        .arg(&password_file)
        .arg("--pgdata")
        .arg(directory.join("data"))
        .stdout(Stdio::null())
        .status();
    assert!(
        made.expect("initdb can be run").success(),
        "initdb made no database"
    );
}

/// Starts the server and waits until it says that it is ready; `None` where it ended instead.
fn run(address: SocketAddr, directory: &Path) -> Option<Child> {
    let mut process = tool("postgres", directory)
        .arg("-D")
        .arg(directory.join("data"))
        .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
        .arg("-c")
        .arg(format!("port={}", address.port()))
        .arg("-c")
        .arg(format!("unix_socket_directories={}", directory.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server can be run");
    let stderr = BufReader::new(process.stderr.take().expect("its output is piped"));
    let mut lines = stderr.lines().map_while(Result::ok);
    if lines.any(|line| line.contains("database system is ready to accept connections")) {
        // It would block on a full pipe if nobody read on.
        std::thread::spawn(move || lines.for_each(drop));
        return Some(process);
    }
    process.wait().expect("the server ends");
    None
}

/// One of the programs of PostgreSQL, run as somebody whom it accepts.
fn tool(name: &str, directory: &Path) -> Command {
    let mut command = Command::new(programs().join(name));
    command.current_dir(directory);
    if we_are_root(directory) {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// Debian keeps them out of `PATH`, in a directory for each version.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let directories = versions.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all: Vec<_> = directories.chain(std::env::split_paths(&path)).collect();
    all.into_iter()
        .find(|directory| directory.join("initdb").exists())
        .expect("these tests need PostgreSQL (Debian: apt-get install postgresql)")
}

fn give_away(path: &Path) {
    if we_are_root(path) {
        chown(path, Some(NOBODY), Some(NOBODY)).expect("root may give away a file");
    }
}

/// Whatever we have just made belongs to us; what was given away, only root can have given.
fn we_are_root(path: &Path) -> bool {
    let owner = std::fs::metadata(path).expect("it is there").uid();
    owner == 0 || owner == NOBODY && std::fs::metadata("/proc/self").is_ok_and(|us| us.uid() == 0)
}
