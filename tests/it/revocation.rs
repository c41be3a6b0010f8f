//! What a replica knows of sessions that others ended, through outages of the store between them.

use std::sync::Arc;
use std::time::Duration;

use doorward::clock::{Clock as _, ManualClock};
use doorward::id::SessionId;
use doorward::revocation::{Config, Revocations, Standing};
use doorward::sessions::sqlite::SqliteSessions;
use doorward::sessions::{Epoch, SessionStore};
use tokio_util::task::AbortOnDropHandle;

use crate::sessions::{START, SqliteBench, new_session, open, sign_in, user};
use crate::support::redis::{RedisServer, sessions_at};
use crate::support::wall::Wall;

const STALE: Duration = Duration::from_secs(30);
/// Far more than any wait here takes; a test that reaches it has failed.
const LIMIT: Duration = Duration::from_secs(20);

/// A replica of the gateway, as far as revocation goes.
struct Replica {
    store: Arc<dyn SessionStore>,
    revocations: Arc<Revocations>,
    clock: Arc<ManualClock>,
    _follower: AbortOnDropHandle<()>,
}

impl Replica {
    /// Starts a replica that follows `store`, and waits until it has caught up.
    async fn start(store: impl SessionStore + 'static) -> Self {
        let store: Arc<dyn SessionStore> = Arc::new(store);
        let clock = ManualClock::at(START);
        let config = Config {
            keep: Duration::from_mins(16),
            max_staleness: STALE,
        };
        let revocations = Revocations::new(config, clock.clone());
        let following = Arc::clone(&revocations).follow(Arc::clone(&store));
        let replica = Self {
            store,
            revocations,
            clock,
            _follower: AbortOnDropHandle::new(tokio::spawn(following)),
        };
        replica.catch_up().await;
        replica
    }

    fn standing(&self, session: SessionId) -> Standing {
        self.revocations.check(Some(session), self.clock.now())
    }

    async fn sign_in(&self) -> SessionId {
        sign_in(&*self.store, user(), self.clock.now()).await.id
    }

    /// Ends a session in the store, and leaves the own memory to learn of it by the log.
    async fn end(&self, session: SessionId) {
        let ended = self.store.end(session, self.clock.now()).await.unwrap();
        assert!(ended.is_some());
    }

    /// Waits until the replica has heard the store, at the present of its clock.
    async fn catch_up(&self) {
        let fresh = self.revocations.wait_until_fresh();
        tokio::time::timeout(LIMIT, fresh)
            .await
            .expect("the replica hears the store");
    }

    /// Waits until the replica has heard that a session ended.
    async fn hears_the_end_of(&self, session: SessionId) {
        let ended = self.revocations.ended(session);
        tokio::time::timeout(LIMIT, ended)
            .await
            .expect("the replica hears of the end");
        assert_eq!(self.standing(session), Standing::Ended);
    }

    /// Waits until the store answers: the connection for short commands may be one that a restart
    /// broke, and the first command finds that out.
    async fn reconnects(&self) {
        let answer = async { while self.store.ping().await.is_err() {} };
        tokio::time::timeout(LIMIT, answer)
            .await
            .expect("the store answers");
    }

    /// Lets time pass until what was last heard is too old.
    fn grow_stale(&self) {
        self.clock.advance(STALE + Duration::from_millis(1));
    }
}

async fn a_sign_out_on_one_replica_is_refused_on_the_other(here: Replica, there: Replica) {
    let (one, other) = (here.sign_in().await, here.sign_in().await);
    assert_eq!(there.standing(one), Standing::Live);
    here.end(one).await;
    there.hears_the_end_of(one).await;
    here.hears_the_end_of(one).await;
    assert_eq!(there.standing(other), Standing::Live);
}

#[tokio::test]
async fn a_sign_out_on_one_replica_is_refused_on_the_other_by_redis() {
    let server = RedisServer::start();
    let here = Replica::start(server.sessions()).await;
    let there = Replica::start(server.sessions()).await;
    a_sign_out_on_one_replica_is_refused_on_the_other(here, there).await;
}

/// Two pools of one file stand for two processes: the gateway and its command line.
#[tokio::test]
async fn a_sign_out_by_another_process_is_refused_by_sqlite() {
    let bench = SqliteBench::new().await;
    let other_process = SqliteSessions::new(open(bench.directory.path()).await);
    let here = Replica::start(bench.sessions()).await;
    let there = Replica::start(other_process).await;
    a_sign_out_on_one_replica_is_refused_on_the_other(here, there).await;
}

#[tokio::test]
async fn a_replica_that_starts_later_knows_what_ended_before() {
    let server = RedisServer::start();
    let here = Replica::start(server.sessions()).await;
    let session = here.sign_in().await;
    here.end(session).await;
    let there = Replica::start(server.sessions()).await;
    assert_eq!(there.standing(session), Standing::Ended);
}

#[tokio::test]
async fn a_replica_trusts_itself_only_once_it_has_read_a_long_log_to_its_end() {
    let server = RedisServer::start();
    let store = server.sessions();
    let ann = user();
    let sessions: Vec<_> = (0..2500).map(|_| new_session(ann, START)).collect();
    for batch in sessions.chunks(50) {
        let stored = batch.iter().map(|session| store.create(session, Epoch(0)));
        futures_util::future::try_join_all(stored).await.unwrap();
    }
    store.end_all(ann, START).await.unwrap();
    let replica = Replica::start(store).await;
    for session in sessions {
        assert_eq!(replica.standing(session.id), Standing::Ended);
    }
}

#[tokio::test]
async fn a_replica_behind_a_cut_link_stops_trusting_itself_and_heals() {
    let server = RedisServer::start();
    let wall = Wall::before(server.address()).await;
    let here = Replica::start(server.sessions()).await;
    let there = Replica::start(sessions_at(wall.address(), "doorward:")).await;
    let before = here.sign_in().await;
    let (meanwhile, alive) = (here.sign_in().await, here.sign_in().await);
    here.end(before).await;
    there.hears_the_end_of(before).await;

    wall.cut();
    here.end(meanwhile).await;
    here.hears_the_end_of(meanwhile).await;
    assert_eq!(
        there.standing(meanwhile),
        Standing::Live,
        "within the staleness"
    );
    there.grow_stale();
    assert_eq!(there.standing(meanwhile), Standing::Unknown);
    assert_eq!(there.standing(alive), Standing::Unknown);
    assert_eq!(there.standing(before), Standing::Ended);

    wall.mend();
    there.catch_up().await;
    assert_eq!(there.standing(meanwhile), Standing::Ended);
    assert_eq!(there.standing(alive), Standing::Live);
}

#[tokio::test]
async fn a_replica_behind_a_silent_link_heals_without_the_old_connection() {
    let server = RedisServer::start();
    let wall = Wall::before(server.address()).await;
    let here = Replica::start(server.sessions()).await;
    let there = Replica::start(sessions_at(wall.address(), "doorward:")).await;
    let session = here.sign_in().await;
    wall.silence();
    here.end(session).await;
    there.grow_stale();
    assert_eq!(there.standing(session), Standing::Unknown);
    there.store.ping().await.expect_err("no byte passes");
    wall.mend();
    there.catch_up().await;
    assert_eq!(there.standing(session), Standing::Ended);
    there.store.ping().await.expect("a new connection");
}

#[tokio::test]
async fn a_replica_outlives_a_restart_of_redis_that_lost_everything() {
    let mut server = RedisServer::start();
    let here = Replica::start(server.sessions()).await;
    let there = Replica::start(server.sessions()).await;
    let before = here.sign_in().await;
    here.end(before).await;
    there.hears_the_end_of(before).await;

    server.stop();
    there.grow_stale();
    assert_eq!(there.standing(SessionId::new(START)), Standing::Unknown);
    server.start_again();
    there.catch_up().await;
    assert_eq!(there.standing(before), Standing::Ended);

    here.reconnects().await;
    let after = here.sign_in().await;
    assert_eq!(there.standing(after), Standing::Live);
    here.end(after).await;
    there.hears_the_end_of(after).await;
}

#[tokio::test]
async fn a_restart_of_a_durable_redis_loses_no_end() {
    let mut server = RedisServer::start_durable();
    let here = Replica::start(server.sessions()).await;
    let there = Replica::start(server.sessions()).await;
    let (ended, alive) = (here.sign_in().await, here.sign_in().await);
    here.end(ended).await;
    server.stop();
    server.start_again();
    for replica in [&here, &there] {
        replica.grow_stale();
        replica.catch_up().await;
    }
    let new = Replica::start(server.sessions()).await;
    for replica in [&here, &there, &new] {
        replica.reconnects().await;
        assert_eq!(replica.standing(ended), Standing::Ended);
        assert_eq!(replica.standing(alive), Standing::Live);
        let found = replica.store.find(ended, START).await.unwrap();
        assert_eq!(found, None);
    }
    here.end(alive).await;
    there.hears_the_end_of(alive).await;
    new.hears_the_end_of(alive).await;
}

/// Two replicas before a master that dies, and the replica of it that takes over.
struct Failover {
    master: RedisServer,
    heir: RedisServer,
    wall: Wall,
    here: Replica,
    there: Replica,
}

impl Failover {
    async fn ready() -> Self {
        let master = RedisServer::start();
        let heir = RedisServer::start_replica_of(&master).await;
        let wall = Wall::before(master.address()).await;
        let here = Replica::start(sessions_at(wall.address(), "doorward:")).await;
        let there = Replica::start(sessions_at(wall.address(), "doorward:")).await;
        Self {
            master,
            heir,
            wall,
            here,
            there,
        }
    }

    /// The heir hears nothing more of the master, which goes on.
    async fn part(&self) {
        self.heir.command(&["REPLICAOF", "NO", "ONE"]).await;
    }

    /// The master dies, and the heir takes its place.
    async fn take_over(&mut self) {
        self.part().await;
        self.master.stop();
        self.wall.lead_to(self.heir.address());
        for replica in [&self.here, &self.there] {
            replica.grow_stale();
            replica.catch_up().await;
            replica.reconnects().await;
        }
    }
}

#[tokio::test]
async fn a_failover_misses_nothing_that_ended_before_while_and_after() {
    let mut servers = Failover::ready().await;
    let mut sessions = Vec::new();
    for _ in 0..4 {
        sessions.push(servers.here.sign_in().await);
    }
    let [before, unheard, after, alive] = sessions[..] else {
        panic!("four sessions");
    };
    servers.here.end(before).await;
    servers.there.hears_the_end_of(before).await;
    servers.wall.cut();
    // Ended past the wall: neither replica can hear of it before the failover.
    let ended = servers.master.sessions().end(unheard, START).await;
    assert!(ended.unwrap().is_some());
    servers.master.wait_for_replica().await;
    assert_eq!(
        servers.there.standing(unheard),
        Standing::Live,
        "within the staleness"
    );
    servers.here.grow_stale();
    assert_eq!(servers.here.standing(unheard), Standing::Unknown);
    servers.wall.mend();
    servers.take_over().await;
    for replica in [&servers.here, &servers.there] {
        assert_eq!(replica.standing(before), Standing::Ended);
        assert_eq!(replica.standing(unheard), Standing::Ended);
        assert_eq!(replica.standing(alive), Standing::Live);
    }
    servers.there.end(after).await;
    servers.here.hears_the_end_of(after).await;
}

/// Replication is not waited for: the heir never heard of an end that the master acknowledged.
#[tokio::test]
async fn an_end_that_the_new_master_never_heard_of_is_told_to_it_by_those_who_know() {
    let mut servers = Failover::ready().await;
    let (known, alive) = (servers.here.sign_in().await, servers.here.sign_in().await);
    servers.master.wait_for_replica().await;
    servers.part().await;
    servers.here.end(known).await;
    servers.here.hears_the_end_of(known).await;
    servers.there.hears_the_end_of(known).await;
    servers.take_over().await;
    // One that starts only now has nothing but the new master's word.
    let new = Replica::start(servers.heir.sessions()).await;
    new.hears_the_end_of(known).await;
    assert_eq!(new.store.find(known, START).await.unwrap(), None);
    for replica in [&servers.here, &servers.there, &new] {
        assert_eq!(replica.standing(alive), Standing::Live);
    }
    let found = new.store.find(alive, START).await.unwrap();
    assert!(found.is_some(), "a live session was ended");
}

/// The log of the new master begins anew, below the place that the replicas had reached in the old one.
#[tokio::test]
async fn a_log_that_begins_anew_at_the_new_master_is_followed_from_its_start() {
    let mut servers = Failover::ready().await;
    let session = servers.here.sign_in().await;
    servers.master.wait_for_replica().await;
    servers.part().await;
    // The old master's clock was ahead: no id of the new one's will ever be as high.
    let log = "doorward:{sessions}:log";
    let far = SessionId::new(START).to_string();
    let entry = ["XADD", log, "99999999999999-0", "session", &far, "at", "0"];
    servers.master.command(&entry).await;
    servers.there.hears_the_end_of(far.parse().unwrap()).await;
    servers.take_over().await;
    for _ in 0..3 {
        let next = servers.here.sign_in().await;
        servers.here.end(next).await;
        servers.there.hears_the_end_of(next).await;
    }
    servers.here.end(session).await;
    servers.there.hears_the_end_of(session).await;
}

#[tokio::test]
async fn a_replica_that_starts_without_its_store_knows_nothing_until_it_comes() {
    let mut server = RedisServer::start();
    server.stop();
    let store: Arc<dyn SessionStore> = Arc::new(server.sessions());
    let clock = ManualClock::at(START);
    let config = Config {
        keep: STALE,
        max_staleness: STALE,
    };
    let revocations = Revocations::new(config, clock);
    let following = Arc::clone(&revocations).follow(store);
    let _follower = AbortOnDropHandle::new(tokio::spawn(following));
    let session = SessionId::new(START);
    assert_eq!(revocations.check(Some(session), START), Standing::Unknown);
    server.start_again();
    let fresh = revocations.wait_until_fresh();
    tokio::time::timeout(LIMIT, fresh)
        .await
        .expect("the store is heard");
    assert_eq!(revocations.check(Some(session), START), Standing::Live);
}
