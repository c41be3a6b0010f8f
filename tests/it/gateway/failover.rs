//! The binary over Redis as it is run: what clients and the service see while a master dies under load,
//! behind Sentinels and in a Cluster; and over TLS and a socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::support::doorward::{Answer, Doorward, NO_LIMITS, Setup, Tokens, USER};
use crate::support::redis_cluster::RedisCluster;
use crate::support::redis_sentinel::Watched;
use crate::support::redis_tls::TlsServer;

const SIGN_OUT: &str = "/.doorward/api/sign-out";

/// A gateway whose sessions are there.
async fn gateway_over(store: String, files: Vec<(&'static str, String)>) -> Doorward {
    // As little trust in memory as may be, and a lost answer is good for as long as it may be.
    let sessions = format!("{store}\nmax_staleness = \"1s\"\nrefresh_grace = \"5m\"\n");
    Doorward::with(Setup {
        sessions,
        files,
        more: NO_LIMITS.to_owned(),
        ..Setup::default()
    })
    .await
}

/// What the clients were told.
#[derive(Debug, Default)]
struct Told {
    refreshed: AtomicUsize,
    passed: AtomicUsize,
    refreshes_refused: AtomicUsize,
    requests_refused: AtomicUsize,
    enough: AtomicBool,
    /// Rung with each answer.
    more: Notify,
}

impl Told {
    fn note(&self, counter: &AtomicUsize) {
        counter.fetch_add(1, Ordering::SeqCst);
        self.more.notify_waiters();
    }
}

fn count(counter: &AtomicUsize) -> usize {
    counter.load(Ordering::SeqCst)
}

/// 200, or 503 that says when to come back: no other answer is right, whatever happens to a store.
fn is_good(answer: &Answer) -> bool {
    match answer.status {
        StatusCode::OK => true,
        StatusCode::SERVICE_UNAVAILABLE => {
            assert!(answer.headers.contains_key("retry-after"));
            assert!(!answer.headers.contains_key("set-cookie"));
            false
        }
        wrong => panic!(
            "an honest client of a live session is told {wrong}: {}",
            answer.text
        ),
    }
}

/// One honest client: it shows the newest tokens that it was given.
async fn go_on(gateway: Arc<Doorward>, mut tokens: Tokens, told: Arc<Told>) -> Tokens {
    while !told.enough.load(Ordering::SeqCst) {
        let answer = gateway.refresh(&tokens.refresh).await;
        let counter = if is_good(&answer) {
            tokens = Tokens::of(&answer);
            &told.refreshed
        } else {
            &told.refreshes_refused
        };
        told.note(counter);
        let answer = gateway.get("/api/x", Some(&tokens.access)).await;
        let counter = if is_good(&answer) {
            &told.passed
        } else {
            &told.requests_refused
        };
        told.note(counter);
        // Servers and clients share the machine.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokens
}

/// Clients that go on through a failure, and one who has signed out before it.
struct Story {
    gateway: Arc<Doorward>,
    told: Arc<Told>,
    clients: JoinSet<Tokens>,
    ended: Tokens,
}

impl Story {
    const CLIENTS: usize = 5;

    async fn begin(gateway: Doorward) -> Self {
        let (gateway, told) = (Arc::new(gateway), Arc::new(Told::default()));
        let ended = gateway.sign_in(USER).await;
        let out = gateway
            .post(SIGN_OUT, Some(&ended.access), &json!({}))
            .await;
        assert_eq!(out.status, StatusCode::NO_CONTENT);
        let mut clients = JoinSet::new();
        for _ in 0..Self::CLIENTS {
            let tokens = gateway.sign_in(USER).await;
            clients.spawn(go_on(Arc::clone(&gateway), tokens, Arc::clone(&told)));
        }
        let begun = Self {
            gateway,
            told,
            clients,
            ended,
        };
        begun.goes_on().await;
        begun
    }

    /// Waits until the clients are refreshed and let through.
    async fn goes_on(&self) {
        let told = &self.told;
        self.come(&[(&told.refreshed, 20), (&told.passed, 20)])
            .await;
    }

    /// Waits until clients are told 503 at the login, and before the service.
    async fn falters(&self) {
        let told = &self.told;
        let refused = [(&told.refreshes_refused, 1), (&told.requests_refused, 1)];
        self.come(&refused).await;
    }

    /// Waits until this many more have come of each, or a client was told what is wrong.
    async fn come(&self, awaited: &[(&AtomicUsize, usize)]) {
        let wanted = awaited.iter().map(|(counter, more)| count(counter) + more);
        let wanted: Vec<_> = wanted.collect();
        let has_come = || {
            let mut both = awaited.iter().zip(&wanted);
            both.all(|((counter, _), wanted)| count(counter) >= *wanted)
        };
        let come = async {
            loop {
                let more = self.told.more.notified();
                if has_come() {
                    return;
                }
                more.await;
            }
        };
        let come = tokio::time::timeout(Duration::from_secs(20), come).await;
        let (told, said) = (&self.told, self.gateway.said());
        come.unwrap_or_else(|_| panic!("{told:?}, and the gateway says {said}"));
    }

    /// All is as it was: nobody was signed out but who signed out, and the service has seen what was let
    /// through and nothing else.
    async fn ends_well(mut self) {
        self.goes_on().await;
        self.told.enough.store(true, Ordering::SeqCst);
        let mut live = Vec::new();
        while let Some(client) = self.clients.join_next().await {
            live.push(client.expect("no client got a wrong answer"));
        }
        let gateway = &self.gateway;
        assert_eq!(gateway.sample.seen().len(), count(&self.told.passed));
        let ended = gateway.get("/api/x", Some(&self.ended.access)).await;
        assert_eq!(ended.status, StatusCode::UNAUTHORIZED, "{}", ended.text);
        assert_eq!(
            gateway.refresh(&self.ended.refresh).await.status,
            ended.status
        );
        assert_eq!(gateway.sample.seen().len(), count(&self.told.passed));
        assert_eq!(live.len(), Self::CLIENTS);
        for tokens in live {
            let answer = gateway.refresh(&tokens.refresh).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            let token = Tokens::of(&answer).access;
            let answer = gateway.get("/api/x", Some(&token)).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_dies_behind_sentinels_is_503_until_there_is_another_and_nobody_is_signed_out()
 {
    let mut watched = Watched::start().await;
    let (line, files) = watched.setting();
    let story = Story::begin(gateway_over(line, files).await).await;
    let master = watched.master().await;
    watched.servers[master].replicated().await;
    // One of three makes no other server the master, so that the failure lasts until all have seen it.
    for number in [1, 2] {
        watched.stop_sentinel(number);
    }
    watched.servers[master].stop();
    story.falters().await;
    for number in [1, 2] {
        watched.start_sentinel_again(number);
    }
    story.ends_well().await;
    assert_ne!(watched.master().await, master);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_dies_in_a_cluster_is_503_until_there_is_another_and_nobody_is_signed_out() {
    let mut cluster = RedisCluster::start().await;
    let story = Story::begin(gateway_over(cluster.setting(), Vec::new()).await).await;
    let master = cluster.owner("doorward:").await.unwrap();
    cluster.nodes[master].replicated().await;
    // No replica takes over, so that the failure lasts until all have seen it.
    cluster.may_fail_over("no").await;
    cluster.nodes[master].stop();
    story.falters().await;
    cluster.may_fail_over("yes").await;
    story.ends_well().await;
    assert_ne!(cluster.owner("doorward:").await, Some(master));
}

/// Sign-in, a request, sign-out, and the end of it.
async fn one_session(store: String, redis: &TlsServer) {
    let gateway = gateway_over(store, Vec::new()).await;
    let user = gateway.sign_in(USER).await;
    assert_eq!(redis.sessions().await, 1, "it is kept there");
    let token = Some(user.access.as_str());
    assert_eq!(gateway.get("/api/x", token).await.status, StatusCode::OK);
    assert_eq!(gateway.refresh(&user.refresh).await.status, StatusCode::OK);
    let out = gateway.post(SIGN_OUT, token, &json!({})).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT, "{}", out.text);
    let refused = gateway.get("/api/x", token).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(gateway.sample.seen().len(), 1);
    assert_eq!(redis.sessions().await, 0);
}

#[tokio::test]
async fn a_session_lives_and_ends_over_tls_and_over_a_socket() {
    let redis = TlsServer::start("127.0.0.1");
    one_session(redis.setting(), &redis).await;
    let socket = redis.server.socket();
    one_session(format!("store = \"unix://{}\"", socket.display()), &redis).await;
}
