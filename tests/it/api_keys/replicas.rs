//! What one replica knows of keys that another has changed, through outages between them.

use doorward::api_key::UnverifiedKey;
use doorward::auth::account::directory::Amendment;
use doorward::auth::api_keys::{ApiKeys, KeyRefusal, Made, NewApiKey, Parts, Settings};
use doorward::auth::{Agent, Caller};
use doorward::clock::Clock as _;
use doorward::id::RequestId;
use doorward::identity::Identity;
use doorward::revocation::{Config, Revocations};
use doorward::sessions::SessionStore;
use doorward::sessions::sqlite::SqliteSessions;
use tokio_util::task::AbortOnDropHandle;

use super::*;
use crate::support::core::{Core, Setup};
use crate::support::redis::RedisServer;
use crate::support::wall::Wall;

const STALE: Duration = Duration::from_secs(30);
/// Far more than any wait here takes; a test that reaches it has failed.
const LIMIT: Duration = Duration::from_secs(20);

/// A replica of the gateway, as far as keys go.
struct Replica {
    keys: Arc<ApiKeys>,
    revocations: Arc<Revocations>,
    clock: Arc<ManualClock>,
    following: Vec<AbortOnDropHandle<()>>,
}

impl Replica {
    async fn start(database: Database, sessions: Arc<dyn SessionStore>) -> Self {
        let clock = ManualClock::at(START);
        let memory = Config {
            keep: Duration::from_mins(16),
            max_staleness: STALE,
        };
        let revocations = Revocations::new(memory, clock.clone());
        let keys = ApiKeys::new(Parts {
            settings: Settings {
                header: None,
                max_staleness: STALE,
                max_per_owner: 100,
            },
            store: Arc::new(SqlApiKeys::new(database)),
            sessions: Arc::clone(&sessions),
            revocations: Arc::clone(&revocations),
            clock: clock.clone(),
        });
        let following = vec![
            AbortOnDropHandle::new(tokio::spawn(Arc::clone(&revocations).follow(sessions))),
            AbortOnDropHandle::new(tokio::spawn(Arc::clone(&keys).follow())),
        ];
        let replica = Self {
            keys,
            revocations,
            clock,
            following,
        };
        replica.catch_up().await;
        replica
    }

    async fn catch_up(&self) {
        let fresh = async {
            self.revocations.wait_until_fresh().await;
            self.keys.wait_until_fresh().await;
        };
        tokio::time::timeout(LIMIT, fresh).await.expect("it hears");
    }

    async fn create(&self) -> Made {
        let new = NewApiKey {
            kind: Kind::Doorward,
            name: name("deploy"),
            subject: service("ci"),
            roles: Roles::default(),
            scopes: Scopes::default(),
            expires_at: None,
        };
        self.keys.create(new).await.unwrap()
    }

    fn judge(&self, key: &Made) -> Result<Arc<Identity>, KeyRefusal> {
        let shown = UnverifiedKey::read(key.text.expose()).unwrap().unwrap();
        self.keys.explain(&shown)
    }

    async fn hears(&self, key: &Made, wanted: Result<(), KeyRefusal>) {
        let hears = async {
            let mut interval = tokio::time::interval(Duration::from_millis(5));
            while self.judge(key).map(drop) != wanted {
                interval.tick().await;
            }
        };
        tokio::time::timeout(LIMIT, hears).await.expect("it hears");
    }
}

async fn a_key_made_here_holds_there_and_a_revoked_one_nowhere(here: Replica, mut there: Replica) {
    let (key, other) = (here.create().await, here.create().await);
    assert!(here.judge(&key).is_ok(), "at once where it was made");
    there.hears(&key, Ok(())).await;
    there.hears(&other, Ok(())).await;
    // From here on the other replica hears of nothing but ends.
    drop(there.following.pop());
    here.keys.revoke(key.key.id).await.unwrap().unwrap();
    assert_eq!(here.judge(&key).map(drop), Err(KeyRefusal::Revoked));
    there.hears(&key, Err(KeyRefusal::Revoked)).await;
    assert!(there.judge(&other).is_ok() && here.judge(&other).is_ok());
}

#[tokio::test]
async fn the_end_of_a_key_is_heard_at_once_by_redis_with_postgres() {
    let (server, redis) = (PostgresServer::start(), RedisServer::start());
    let here = Replica::start(server.database(), Arc::new(redis.sessions())).await;
    let there = Replica::start(server.database(), Arc::new(redis.sessions())).await;
    a_key_made_here_holds_there_and_a_revoked_one_nowhere(here, there).await;
}

/// Two pools of one file stand for two processes: the gateway and its command line.
#[tokio::test]
async fn the_end_of_a_key_is_heard_at_once_by_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let start = async || {
        let database = Database::embedded(directory.path()).await.unwrap();
        let pool = doorward::database::open(directory.path()).await.unwrap();
        Replica::start(database, Arc::new(SqliteSessions::new(pool))).await
    };
    let (here, there) = (start().await, start().await);
    a_key_made_here_holds_there_and_a_revoked_one_nowhere(here, there).await;
}

#[tokio::test]
async fn a_key_is_revoked_everywhere_while_the_log_of_ends_is_away() {
    let (server, mut redis) = (PostgresServer::start(), RedisServer::start());
    let here = Replica::start(server.database(), Arc::new(redis.sessions())).await;
    let there = Replica::start(server.database(), Arc::new(redis.sessions())).await;
    let key = here.create().await;
    there.hears(&key, Ok(())).await;
    redis.stop();
    here.keys.revoke(key.key.id).await.unwrap().unwrap();
    assert_eq!(here.judge(&key).map(drop), Err(KeyRefusal::Revoked));
    there.hears(&key, Err(KeyRefusal::Revoked)).await;
}

#[tokio::test]
async fn a_replica_that_is_cut_off_stops_trusting_itself_and_heals() {
    let server = PostgresServer::start();
    let (redis, wall) = (RedisServer::start(), Wall::before(server.address()).await);
    let mut behind = server.config();
    behind.url.set_port(Some(wall.address().port())).unwrap();
    let behind = Database::postgres(&behind).unwrap();
    let here = Replica::start(server.database(), Arc::new(redis.sessions())).await;
    let there = Replica::start(behind, Arc::new(redis.sessions())).await;
    let key = here.create().await;
    there.hears(&key, Ok(())).await;
    wall.cut();
    // Nothing is made or revoked that is not stored.
    there.keys.revoke(key.key.id).await.unwrap_err();
    assert!(there.judge(&key).is_ok() && here.judge(&key).is_ok());
    let unheard = here.create().await;
    there.clock.advance(STALE + Duration::from_millis(1));
    assert!(!there.keys.is_fresh());
    // What it was told by the other way counts all the same.
    here.keys.revoke(key.key.id).await.unwrap().unwrap();
    there.hears(&key, Err(KeyRefusal::Revoked)).await;
    wall.mend();
    there.catch_up().await;
    assert!(there.keys.is_fresh());
    there.hears(&unheard, Ok(())).await;
    assert!(there.clock.now() > here.clock.now());
}

#[tokio::test]
async fn a_replica_that_starts_without_the_store_knows_nothing_until_it_comes() {
    let (mut server, redis) = (PostgresServer::start(), RedisServer::start());
    let here = Replica::start(server.database(), Arc::new(redis.sessions())).await;
    let key = here.create().await;
    server.stop();
    let database = server.database();
    let starting =
        tokio::spawn(async move { Replica::start(database, Arc::new(redis.sessions())).await });
    server.start_again();
    let there = tokio::time::timeout(LIMIT, starting)
        .await
        .unwrap()
        .unwrap();
    assert!(there.judge(&key).is_ok(), "an acknowledged key was lost");
}

/// A restored backup, or a server that took over and lacks the last changes.
#[tokio::test]
async fn an_older_state_of_the_store_is_taken_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::embedded(directory.path()).await.unwrap();
    let pool = doorward::database::open(directory.path()).await.unwrap();
    let sessions = Arc::new(SqliteSessions::new(pool.clone()));
    let here = Replica::start(database, sessions).await;
    let (kept, lost) = (here.create().await, here.create().await);
    // The follower has read both.
    here.clock.advance(STALE + Duration::from_millis(1));
    here.catch_up().await;
    let delete = sqlx::query("DELETE FROM api_keys WHERE id = ?");
    let delete = delete.bind(lost.key.id.as_bytes().to_vec());
    delete.execute(&pool).await.unwrap();
    sqlx::query("UPDATE api_key_changes SET seq = 1")
        .execute(&pool)
        .await
        .unwrap();
    here.hears(&lost, Err(KeyRefusal::Unknown)).await;
    assert!(here.judge(&kept).is_ok());
}

#[tokio::test]
async fn a_change_of_an_account_is_heard_by_the_other_replicas_at_once() {
    let (server, redis) = (PostgresServer::start(), RedisServer::start());
    let setup = || Setup {
        start: START,
        sessions: Some(Arc::new(redis.sessions())),
        database: Some(server.database()),
        ..Setup::default()
    };
    let here = Core::of(setup()).await;
    let there = Replica::start(server.database(), Arc::new(redis.sessions())).await;
    // One that follows no keys, so that nobody else waits for its word.
    let mut listening = Replica::start(server.database(), Arc::new(redis.sessions())).await;
    drop(listening.following.pop());
    let ann = here
        .add_user("ann@example.com", "correct horse", &["editor"])
        .await;
    let key = NewApiKey {
        kind: Kind::Doorward,
        name: name("deploy"),
        subject: KeySubject::User(ann.id),
        roles: Roles::default(),
        scopes: Scopes::default(),
        expires_at: None,
    };
    let key = here.api_keys.create(key).await.unwrap();
    there.hears(&key, Ok(())).await;
    let caller = Caller {
        address: "192.0.2.1".parse().unwrap(),
        user_agent: String::new(),
        request_id: RequestId::new(START),
    };
    let agent = Agent {
        name: "root",
        caller: &caller,
    };
    for (status, judged) in [
        (AccountStatus::Disabled, Err(KeyRefusal::OwnerDisabled)),
        (AccountStatus::Enabled, Ok(())),
    ] {
        let amendment = Amendment {
            status: Some(status),
            ..Amendment::default()
        };
        let amended = here.auth.amend_user(ann.id, amendment, &agent).await;
        amended.unwrap();
        there.hears(&key, judged).await;
        // The keys alone would be looked at within a second, too: this came by the log.
        let told = listening.revocations.accounts_changed();
        tokio::time::timeout(LIMIT, told).await.expect("a mark");
    }
}
