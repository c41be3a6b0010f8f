//! Redis in each of the ways in which it is run: by socket, over TLS as a user of an ACL, behind
//! Sentinels, as a Cluster; and what becomes of sessions when the master dies under load.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

use doorward::sessions::redis::RedisConfig;
use doorward::sessions::redis::place::{Login, Place, TlsFiles};
use doorward::unavailable::Unavailable;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::*;
use crate::support::redis::{config_at, until};
use crate::support::redis_cluster::{RedisCluster, follows, text};
use crate::support::redis_sentinel::Watched;
use crate::support::redis_tls::TlsServer;

/// The user that the manual tells operators to make.
fn documented_user() -> Vec<&'static str> {
    let manual = include_str!("../../../docs/deploy.md");
    let line = manual
        .lines()
        .find(|line| line.starts_with("user doorward "));
    line.expect("the manual shows the user")
        .split(' ')
        .skip(1)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_and_a_database_hold_the_contract() {
    let server = RedisServer::start();
    let config = |prefix: &str| RedisConfig {
        place: Place::Socket {
            path: server.socket(),
            database: 5,
        },
        ..config_at(server.address(), prefix)
    };
    whole_contract(|prefix| RedisSessions::connect(&config(prefix))).await;
    let spaces = text(&server, &["INFO", "keyspace"]).await;
    assert!(
        spaces.contains("db5:") && !spaces.contains("db0:"),
        "{spaces}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_user_over_tls_may_do_what_the_contract_needs_and_nothing_else() {
    let tls = TlsServer::start("127.0.0.1");
    let user = documented_user();
    for prefix in user.iter().filter(|word| word.starts_with('~')) {
        assert_eq!(*prefix, "~doorward:{sessions}:*");
    }
    // Each behaviour has a prefix of its own here.
    let user: Vec<_> = user
        .into_iter()
        .map(|word| match word {
            ">PASSWORD" => ">hunter2",
            "~doorward:{sessions}:*" => "~*{sessions}:*",
            word => word,
        })
        .collect();
    tls.server
        .command(&[&["ACL", "SETUSER"], &user[..]].concat())
        .await;
    let config = |prefix: &str| RedisConfig {
        login: Some(Login {
            user: Some("doorward".to_owned()),
            password: "hunter2".into(),
        }),
        ..tls.config(tls.files.clone(), prefix)
    };
    whole_contract(|prefix| RedisSessions::connect(&config(prefix))).await;
    let denied: Vec<redis::Value> =
        redis::from_redis_value(tls.server.command(&["ACL", "LOG"]).await).unwrap();
    assert_eq!(denied, []);

    let mut wrong = config("");
    wrong.login.as_mut().unwrap().password = "hunter3".into();
    let wrong = RedisSessions::connect(&wrong);
    wrong.ping().await.expect_err("the password is wrong");
    let wait = ["ACL", "DRYRUN", "doorward", "WAIT", "1", "1"];
    assert_eq!(text(&tls.server, &wait).await, "OK");
    for dry_run in [
        &["KEYS", "*"][..],
        &["FLUSHALL"],
        &["GET", "other"],
        &["CONFIG", "GET", "*"],
    ] {
        let dry_run = [&["ACL", "DRYRUN", "doorward"], dry_run].concat();
        let answer = text(&tls.server, &dry_run).await;
        assert!(answer.contains("no permissions"), "{dry_run:?}: {answer}");
    }
}

#[tokio::test]
async fn a_tls_server_and_its_client_must_know_each_other() {
    let tls = TlsServer::start("127.0.0.1");
    let ping = async |files: TlsFiles| {
        let store = RedisSessions::connect(&tls.config(files, "doorward:"));
        store.ping().await
    };
    ping(tls.files.clone()).await.expect("both are known");
    let anonymous = TlsFiles {
        client: None,
        ..tls.files.clone()
    };
    ping(anonymous)
        .await
        .expect_err("the server wants a certificate");
    let trusting_others = TlsFiles {
        authorities: None,
        ..tls.files.clone()
    };
    ping(trusting_others)
        .await
        .expect_err("the authority is not one of the system's");

    let other_name = TlsServer::start("redis.example.com");
    let store = other_name.config(other_name.files.clone(), "doorward:");
    let store = RedisSessions::connect(&store);
    store
        .ping()
        .await
        .expect_err("the certificate is for another name");
}

/// Clients that keep refreshing, each a session of its own, and never believe a wrong answer.
struct Load {
    store: Arc<RedisSessions>,
    began: Instant,
    rotations: AtomicU32,
    failures: AtomicU32,
    /// What the store said of its failures, each once.
    complaints: Mutex<BTreeSet<String>>,
    enough: AtomicBool,
}

impl Load {
    /// The present of these clients: the grace follows it, as it would in earnest.
    fn now(&self) -> Timestamp {
        START.plus(self.began.elapsed())
    }

    fn count(counter: &AtomicU32) -> u32 {
        counter.load(Ordering::SeqCst)
    }

    /// One honest client: it shows the newest token that it was given, until it is given another.
    async fn refresh_on(self: Arc<Self>, id: SessionId) {
        let mut newest = Generation::FIRST;
        while !self.enough.load(Ordering::SeqCst) {
            let refresh = Refresh {
                token: RefreshToken {
                    session: id,
                    generation: newest,
                },
                now: self.now(),
                lifetime: LIFETIME,
                grace: GRACE,
            };
            match self.store.refresh(refresh).await {
                Ok(Refreshed::Rotated(session) | Refreshed::Repeated(session)) => {
                    newest = session.generation;
                    self.rotations.fetch_add(1, Ordering::SeqCst);
                }
                Ok(wrong) => panic!("an honest client of a live session is told {wrong:?}"),
                Err(error) => {
                    let complaint = format!("{:?}", error.source);
                    self.complaints.lock().insert(complaint);
                    self.failures.fetch_add(1, Ordering::SeqCst);
                }
            }
            tokio::time::sleep(MILLISECOND).await;
        }
    }
}

/// Sessions before a failure, clients that go on through it, and a reader of the log.
struct Story {
    load: Arc<Load>,
    clients: JoinSet<()>,
    live: Vec<Session>,
    ended: Session,
}

impl Story {
    const CLIENTS: usize = 20;

    async fn begin(store: RedisSessions) -> Self {
        let store = Arc::new(store);
        let mut live = Vec::new();
        for _ in 0..Self::CLIENTS {
            live.push(sign_in(&*store, user(), START).await);
        }
        let ended = sign_in(&*store, user(), START).await;
        store.end(ended.id, START).await.unwrap();
        let load = Arc::new(Load {
            store,
            began: Instant::now(),
            rotations: AtomicU32::new(0),
            failures: AtomicU32::new(0),
            complaints: Mutex::default(),
            enough: AtomicBool::new(false),
        });
        let mut clients = JoinSet::new();
        for session in &live {
            clients.spawn(load.clone().refresh_on(session.id));
        }
        let begun = Self {
            load,
            clients,
            live,
            ended,
        };
        begun.goes_on().await;
        begun
    }

    /// Waits until the clients get answers again.
    async fn goes_on(&self) {
        let before = Load::count(&self.load.rotations);
        until("sessions are refreshed", async || {
            Load::count(&self.load.rotations) > before + 100
        })
        .await;
        until("an end is heard of", async || {
            self.an_end_is_heard_of().await.unwrap_or(false)
        })
        .await;
    }

    /// Whether what ends now stands in the log, behind what ended before all failures. While another
    /// server takes over it may not: what the old one answered last, Redis itself does not keep.
    async fn an_end_is_heard_of(&self) -> Result<bool, Unavailable> {
        let store = &*self.load.store;
        assert_eq!(store.find(self.ended.id, START).await?, None);
        let session = new_session(user(), START);
        store.create(&session, Epoch(0)).await?;
        store.end(session.id, START).await?;
        let start = store.log_start(START).await?;
        let log = store.ended_after(&start, Duration::ZERO).await?.ended;
        assert_eq!(log.first().map(|ended| ended.session), Some(self.ended.id));
        Ok(log.iter().any(|ended| ended.session == session.id))
    }

    fn failures(&self) -> u32 {
        Load::count(&self.load.failures)
    }

    /// Waits until the clients have noticed a failure.
    async fn falters(&self, before: u32) {
        until("a failure is noticed", async || self.failures() > before).await;
    }

    async fn end(mut self) {
        self.goes_on().await;
        self.load.enough.store(true, Ordering::SeqCst);
        while let Some(client) = self.clients.join_next().await {
            client.expect("no client got a wrong answer");
        }
        for session in &self.live {
            until("a live session is found", async || {
                let found = self.load.store.find(session.id, self.load.now()).await;
                let found = found.map(|found| found.expect("it lives").subject);
                found.is_ok_and(|subject| subject == session.subject)
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_hold_the_contract_and_a_dead_master_costs_no_session() {
    let mut watched = Watched::start().await;
    whole_contract(|prefix| watched.sessions(prefix)).await;

    let story = Story::begin(watched.sessions("doorward:")).await;
    let first = watched.master().await;
    watched.servers[first].replicated().await;
    watched.servers[first].stop();
    story.falters(0).await;
    story.goes_on().await;

    // The old master comes back, and is put below the new one.
    watched.servers[first].start_again();
    let returned = &watched.servers[first];
    until("the old master follows the new one", async || {
        follows(returned).await
    })
    .await;
    story.goes_on().await;

    // Handed over while all of them live: whoever was a master now answers READONLY.
    watched.hand_over().await;
    story.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_only_a_minority_of_sentinels_names_is_not_heard() {
    let mut watched = Watched::start().await;
    let store = watched.sessions("doorward:");
    let start = store.log_start(START).await.unwrap();
    let look = async || store.ended_after(&start, Duration::ZERO).await;
    look().await.expect("all agree");
    watched.stop_sentinel(0);
    look().await.expect("two of three agree");
    watched.stop_sentinel(1);
    look()
        .await
        .expect_err("one of three may stand on the wrong side with us");
    watched.start_sentinel_again(1);
    until("two of three agree again", async || look().await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_holds_the_contract_whichever_node_has_the_slot() {
    let cluster = RedisCluster::start().await;
    whole_contract(|prefix| cluster.sessions(prefix)).await;
    for master in &cluster.nodes[..3] {
        let spaces = text(master, &["INFO", "keyspace"]).await;
        assert!(
            spaces.contains("db0:keys="),
            "tags of their own spread gateways over all nodes"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_master_of_a_cluster_costs_no_session() {
    let mut cluster = RedisCluster::start().await;
    let story = Story::begin(cluster.sessions("doorward:")).await;
    let first = cluster.owner("doorward:").await.unwrap();
    cluster.nodes[first].replicated().await;
    cluster.nodes[first].stop();
    story.falters(0).await;
    story.goes_on().await;

    cluster.nodes[first].start_again();
    let returned = &cluster.nodes[first];
    until("the old master follows the new one", async || {
        follows(returned).await
    })
    .await;
    story.goes_on().await;

    // Handed back while both live: whoever asks the wrong one is sent on, and hears of no move. Redis
    // lets its clients wait while it hands over, so that on a busy machine some wait in vain, or are
    // told that nobody has the slot yet.
    story.load.complaints.lock().clear();
    cluster.hand_over(first, "doorward:").await;
    story.goes_on().await;
    let mut complaints = story.load.complaints.lock().clone();
    let waits = |complaint: &String| {
        let complaint = complaint.to_lowercase();
        complaint.contains("timed out") || complaint.contains("clusterdown")
    };
    complaints.retain(|complaint| !waits(complaint));
    assert!(complaints.is_empty(), "redirected, and yet: {complaints:?}");

    // Moved key by key to a master of its own: what is between two nodes fails, and is not gone.
    let other = (first + 1) % 3;
    let between = async || story.falters(story.failures() + 1000).await;
    cluster.move_slot("doorward:", other, between).await;
    story.goes_on().await;
    assert_eq!(cluster.owner("doorward:").await, Some(other));
    story.end().await;
}
