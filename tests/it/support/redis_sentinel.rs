//! A real master with two replicas and the three Sentinels that watch them, of a test's own.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::{Child, Command};

use doorward::sessions::redis::place::{Login, Place, Sentinel, Transport};
use doorward::sessions::redis::{RedisConfig, RedisSessions};
use tempfile::TempDir;

use super::redis::{RedisServer, end, free_address, node, run_until, until};

const MASTER: &str = "sessions";
const WATCHWORD: &str = "watchword";

/// What a Sentinel knows of others.
type Known = Vec<HashMap<String, String>>;

/// The servers and their Sentinels.
pub(crate) struct Watched {
    pub(crate) servers: Vec<RedisServer>,
    sentinels: Vec<RunningSentinel>,
}

struct RunningSentinel {
    address: SocketAddr,
    directory: TempDir,
    process: Option<Child>,
}

impl Watched {
    pub(crate) async fn start() -> Self {
        let quick = ["--repl-diskless-sync-delay", "0"];
        let master = RedisServer::start_with(&quick);
        let port = master.address().port().to_string();
        let follows = [&quick[..], &["--replicaof", "127.0.0.1", &port]].concat();
        let replicas = [(); 2].map(|()| RedisServer::start_with(&follows));
        let sentinels = (0..3).map(|_| RunningSentinel::start(master.address()));
        let watched = Self {
            sentinels: sentinels.collect(),
            servers: [master].into_iter().chain(replicas).collect(),
        };
        watched.until_all_is_known().await;
        watched
    }

    async fn until_all_is_known(&self) {
        for sentinel in &self.sentinels {
            until("the Sentinels know all", async || {
                sentinel.knows_all().await
            })
            .await;
        }
    }

    pub(crate) fn config(&self, key_prefix: &str) -> RedisConfig {
        let sentinels = self.sentinels.iter().map(|sentinel| node(sentinel.address));
        RedisConfig {
            place: Place::Sentinel(Sentinel {
                sentinels: sentinels.collect(),
                master: MASTER.to_owned(),
                login: Some(Login {
                    user: None,
                    password: WATCHWORD.into(),
                }),
                transport: Transport::Plain,
                database: 3,
            }),
            login: None,
            key_prefix: key_prefix.to_owned(),
        }
    }

    /// The same, as a line of `[sessions]`, and the file that it names.
    pub(crate) fn setting(&self) -> (String, Vec<(&'static str, String)>) {
        let sentinels = self.sentinels.iter();
        let sentinels: Vec<_> = sentinels.map(|one| one.address.to_string()).collect();
        let line = format!(
            "store = {{ sentinels = {sentinels:?}, master = \"{MASTER}\", database = 3, \
             sentinel_password = {{ file = \"watchword\" }} }}"
        );
        (line, vec![("watchword", WATCHWORD.to_owned())])
    }

    pub(crate) fn sessions(&self, key_prefix: &str) -> RedisSessions {
        RedisSessions::connect(&self.config(key_prefix))
    }

    /// Which server the first Sentinel takes for the master.
    pub(crate) async fn master(&self) -> usize {
        let (_, port): (String, u16) = self.sentinels[0]
            .ask("GET-MASTER-ADDR-BY-NAME")
            .await
            .unwrap();
        let is_it = |server: &RedisServer| server.address().port() == port;
        self.servers.iter().position(is_it).expect("one of ours")
    }

    /// Has the Sentinels make another server the master, without need.
    pub(crate) async fn hand_over(&self) {
        let before = self.master().await;
        until("a Sentinel is ready to fail over", async || {
            self.sentinels[0]
                .ask::<redis::Value>("FAILOVER")
                .await
                .is_ok()
        })
        .await;
        until("another server is the master", async || {
            self.master().await != before
        })
        .await;
    }

    pub(crate) fn stop_sentinel(&mut self, number: usize) {
        end(self.sentinels[number].process.take().expect("it runs"));
    }

    pub(crate) fn start_sentinel_again(&mut self, number: usize) {
        let sentinel = &mut self.sentinels[number];
        sentinel.process = sentinel.run();
        assert!(sentinel.process.is_some(), "the port is still ours");
    }
}

impl RunningSentinel {
    fn start(master: SocketAddr) -> Self {
        for _ in 0..20 {
            let mut sentinel = Self {
                address: free_address(),
                directory: tempfile::tempdir().expect("a temporary directory"),
                process: None,
            };
            std::fs::write(sentinel.file(), sentinel.settings(master)).unwrap();
            sentinel.process = sentinel.run();
            if sentinel.process.is_some() {
                return sentinel;
            }
        }
        panic!("no Sentinel came up on any of 20 free ports");
    }

    fn settings(&self, master: SocketAddr) -> String {
        format!(
            "bind 127.0.0.1\nport {}\ndir {}\nrequirepass {WATCHWORD}\nsentinel sentinel-pass {WATCHWORD}\n\
             sentinel monitor {MASTER} 127.0.0.1 {} 2\nsentinel down-after-milliseconds {MASTER} 500\n\
             sentinel failover-timeout {MASTER} 2000\n",
            self.address.port(),
            self.directory.path().display(),
            master.port(),
        )
    }

    fn file(&self) -> std::path::PathBuf {
        self.directory.path().join("sentinel.conf")
    }

    fn run(&self) -> Option<Child> {
        let mut command = Command::new("redis-server");
        command.arg(self.file()).arg("--sentinel");
        run_until(command, "+monitor")
    }

    async fn knows_all(&self) -> bool {
        let quorum = self.ask::<redis::Value>("CKQUORUM").await.is_ok();
        let others = self.ask::<Known>("SENTINELS").await.unwrap_or_default();
        let replicas = self.ask::<Known>("REPLICAS").await.unwrap_or_default();
        let followed = |replica: &HashMap<String, String>| {
            let is = |field, expected| replica.get(field).is_some_and(|value| value == expected);
            is("flags", "slave") && is("master-link-status", "ok")
        };
        quorum && others.len() == 2 && replicas.len() == 2 && replicas.iter().all(followed)
    }

    async fn ask<T: redis::FromRedisValue>(&self, what: &str) -> redis::RedisResult<T> {
        let client = redis::Client::open(format!("redis://:{WATCHWORD}@{}", self.address))?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut question = redis::cmd("SENTINEL");
        question.arg(what).arg(MASTER);
        question.query_async(&mut connection).await
    }
}

impl Drop for RunningSentinel {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            end(process);
        }
    }
}
