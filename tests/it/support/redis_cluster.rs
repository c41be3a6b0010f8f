//! A real Redis Cluster of a test's own: three masters, each with a replica.

use std::time::Duration;

use doorward::sessions::redis::place::{Place, Transport};
use doorward::sessions::redis::{RedisConfig, RedisSessions};

use super::redis::{RedisServer, until};

const MASTERS: usize = 3;
const SLOTS: usize = 16384;

/// A running Cluster.
pub(crate) struct RedisCluster {
    /// The first three begin as masters, the others as their replicas in turn.
    pub(crate) nodes: Vec<RedisServer>,
}

impl RedisCluster {
    pub(crate) async fn start() -> Self {
        let settings = [
            ["--cluster-enabled", "yes"],
            ["--cluster-node-timeout", "700"],
            // Its usual one, ten thousand above the other, may lie beyond all ports.
            ["--cluster-port", "PORT"],
            ["--repl-diskless-sync-delay", "0"],
        ];
        let start = || RedisServer::start_with(settings.as_flattened());
        let nodes = (0..MASTERS * 2).map(|_| start()).collect();
        let cluster = Self { nodes };
        cluster.give_out_slots().await;
        cluster.meet().await;
        cluster.replicate().await;
        cluster
    }

    async fn give_out_slots(&self) {
        for (number, master) in self.nodes[..MASTERS].iter().enumerate() {
            let first = (SLOTS * number / MASTERS).to_string();
            let last = (SLOTS * (number + 1) / MASTERS - 1).to_string();
            master
                .command(&["CLUSTER", "ADDSLOTSRANGE", &first, &last])
                .await;
            let epoch = (number + 1).to_string();
            master
                .command(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch])
                .await;
        }
    }

    async fn meet(&self) {
        for node in &self.nodes[1..] {
            let (port, bus) = (
                node.address().port().to_string(),
                node.setting("--cluster-port"),
            );
            self.nodes[0]
                .command(&["CLUSTER", "MEET", "127.0.0.1", &port, bus])
                .await;
        }
        until("all nodes know each other", async || {
            let mut known = 0;
            for node in &self.nodes {
                let info = text(node, &["CLUSTER", "INFO"]).await;
                let ready = ["cluster_state:ok", "cluster_known_nodes:6"];
                known += usize::from(ready.iter().all(|line| info.contains(line)));
            }
            known == self.nodes.len()
        })
        .await;
    }

    async fn replicate(&self) {
        for (replica, master) in self.nodes[MASTERS..].iter().zip(&self.nodes) {
            let master = text(master, &["CLUSTER", "MYID"]).await;
            replica.command(&["CLUSTER", "REPLICATE", &master]).await;
        }
        for replica in &self.nodes[MASTERS..] {
            let linked = "master_link_status:up";
            until("a replica follows", async || {
                text(replica, &["INFO", "replication"])
                    .await
                    .contains(linked)
            })
            .await;
        }
        until("all nodes know the replicas", async || {
            let mut replicas = 0;
            for node in &self.nodes {
                replicas += text(node, &["CLUSTER", "NODES"])
                    .await
                    .matches(" slave ")
                    .count()
                    + text(node, &["CLUSTER", "NODES"])
                        .await
                        .matches("myself,slave ")
                        .count();
            }
            replicas == MASTERS * self.nodes.len()
        })
        .await;
    }

    /// The Cluster, named by two of its nodes: who has the slot may be none of them.
    pub(crate) fn config(&self, key_prefix: &str) -> RedisConfig {
        RedisConfig {
            place: Place::Cluster {
                nodes: self.nodes[..2].iter().map(RedisServer::node).collect(),
                transport: Transport::Plain,
            },
            login: None,
            key_prefix: key_prefix.to_owned(),
        }
    }

    /// The same, as a line of `[sessions]`.
    pub(crate) fn setting(&self) -> String {
        let nodes = self.nodes[..2].iter();
        let nodes: Vec<_> = nodes.map(|node| node.address().to_string()).collect();
        format!("store = {{ cluster = {nodes:?} }}")
    }

    /// Whether a replica may take the place of a master that dies: `yes` or `no`.
    pub(crate) async fn may_fail_over(&self, answer: &str) {
        let no_failover = if answer == "yes" { "no" } else { "yes" };
        for replica in &self.nodes[MASTERS..] {
            let may = [
                ["cluster-replica-no-failover", no_failover],
                // However long its master has been gone.
                ["cluster-replica-validity-factor", "0"],
            ];
            let may = [&["CONFIG", "SET"], may.as_flattened()].concat();
            replica.command(&may).await;
        }
    }

    pub(crate) fn sessions(&self, key_prefix: &str) -> RedisSessions {
        RedisSessions::connect(&self.config(key_prefix))
    }

    /// Has a replica take the place of its master, which lives. A request that comes before all nodes
    /// know the replica runs out, so it is repeated.
    pub(crate) async fn hand_over(&self, replica: usize, key_prefix: &str) {
        until("the replica takes over", async || {
            let _under_way = self.nodes[replica]
                .try_command(&["CLUSTER", "FAILOVER"])
                .await;
            let over = until("it has the slot", async || {
                self.owner(key_prefix).await == Some(replica)
            });
            tokio::time::timeout(Duration::from_secs(1), over)
                .await
                .is_ok()
        })
        .await;
    }

    /// Moves the slot of a gateway to another master key by key, and slowly: in the middle of it
    /// `meanwhile` is done.
    pub(crate) async fn move_slot(&self, key_prefix: &str, to: usize, meanwhile: impl AsyncFn()) {
        let from = self.owner(key_prefix).await.unwrap();
        let (from, to) = (&self.nodes[from], &self.nodes[to]);
        let key = format!("{key_prefix}{{sessions}}:log");
        let slot = from.command(&["CLUSTER", "KEYSLOT", &key]).await;
        let slot = redis::from_redis_value::<u64>(slot).unwrap().to_string();
        let (from_id, to_id) = (
            text(from, &["CLUSTER", "MYID"]).await,
            text(to, &["CLUSTER", "MYID"]).await,
        );
        to.command(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id])
            .await;
        from.command(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id])
            .await;
        let keys = async || {
            let keys = from
                .command(&["CLUSTER", "GETKEYSINSLOT", &slot, "1000"])
                .await;
            redis::from_redis_value::<Vec<String>>(keys).unwrap()
        };
        let port = to.address().port().to_string();
        let mut half = keys().await.len() / 2;
        loop {
            let left = keys().await;
            let Some(key) = left.first() else { break };
            // On a busy machine the other node may think for a moment that the Cluster is down.
            let migrate = ["MIGRATE", "127.0.0.1", &port, key, "0", "1000", "REPLACE"];
            until("a key moves", async || {
                from.try_command(&migrate).await.is_ok()
            })
            .await;
            half = half.saturating_sub(1);
            if half == 1 {
                meanwhile().await;
            }
        }
        for node in [to, from] {
            node.command(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id])
                .await;
        }
    }

    /// Which node has the slot of the sessions under `key_prefix`.
    pub(crate) async fn owner(&self, key_prefix: &str) -> Option<usize> {
        let key = format!("{key_prefix}{{sessions}}:log");
        for (number, node) in self.nodes.iter().enumerate() {
            if node.try_command(&["EXISTS", &key]).await.is_ok() {
                return Some(number);
            }
        }
        None
    }
}

/// Whether it follows a master. One that has just become a replica drops its clients, and says so later.
pub(crate) async fn follows(node: &RedisServer) -> bool {
    let info = node.try_command(&["INFO", "replication"]).await;
    let info = info
        .ok()
        .and_then(|info| redis::from_redis_value::<String>(info).ok());
    info.is_some_and(|info| info.contains("role:slave") && info.contains("master_link_status:up"))
}

pub(crate) async fn text(node: &RedisServer, words: &[&str]) -> String {
    redis::from_redis_value(node.command(words).await).unwrap()
}
