//! The stores against a model: random orders of what can happen to a few sessions.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::runtime::Runtime;

use super::*;
use crate::support::redis::sessions_at;

/// What can happen. Sessions and users are named by their number; a session that is not there yet
/// stands for one that never was.
#[derive(Clone, Copy, Debug)]
enum Step {
    SignIn {
        user: usize,
    },
    SignInOnOldEpoch {
        user: usize,
    },
    /// Shows the token that lies `back` generations behind the newest; minus one lies ahead.
    Refresh {
        session: usize,
        back: i64,
    },
    End {
        session: usize,
    },
    EndAll {
        user: usize,
    },
    Wait {
        millis: u64,
    },
    Clear,
}

const USERS: usize = 2;

fn step() -> impl Strategy<Value = Step> {
    let session = 0..6_usize;
    prop_oneof![
        4 => (0..USERS).prop_map(|user| Step::SignIn { user }),
        1 => (0..USERS).prop_map(|user| Step::SignInOnOldEpoch { user }),
        8 => (session.clone(), prop_oneof![4 => Just(0), 3 => Just(1), 1 => Just(2), 1 => Just(-1)])
            .prop_map(|(session, back)| Step::Refresh { session, back }),
        1 => session.prop_map(|session| Step::End { session }),
        1 => (0..USERS).prop_map(|user| Step::EndAll { user }),
        4 => prop_oneof![
            Just(1), Just(5_000), Just(9_999), Just(10_000), Just(10_001), Just(40_000_000), Just(80_000_000),
        ].prop_map(|millis| Step::Wait { millis }),
        1 => Just(Step::Clear),
    ]
}

/// What a store should hold.
struct Model {
    now: Timestamp,
    users: [UserId; USERS],
    epochs: [u64; USERS],
    /// Every session that ever was, in the order of its making.
    ids: Vec<SessionId>,
    live: BTreeMap<SessionId, Session>,
    log: Vec<Ended>,
}

impl Model {
    fn new() -> Self {
        Self {
            now: START,
            users: [user(), user()],
            epochs: [0; USERS],
            ids: Vec::new(),
            live: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    fn id(&self, number: usize) -> SessionId {
        let unknown = SessionId::from_bytes([0; 16]);
        self.ids.get(number).copied().unwrap_or(unknown)
    }

    fn end(&mut self, id: SessionId) -> Option<Session> {
        let session = self.live.remove(&id)?;
        self.log.push(Ended {
            session: id,
            at: self.now,
        });
        Some(session)
    }

    fn end_all(&mut self, user: usize) -> Vec<SessionId> {
        self.epochs[user] += 1;
        let ids = self.of(user).map(|session| session.id).collect::<Vec<_>>();
        for id in &ids {
            self.end(*id);
        }
        ids
    }

    fn of(&self, user: usize) -> impl Iterator<Item = &Session> {
        let user = self.users[user];
        self.live
            .values()
            .filter(move |session| session.subject.user == user)
    }

    fn refresh(&mut self, id: SessionId, shown: u32) -> Refreshed {
        let Some(session) = self.live.get_mut(&id) else {
            return Refreshed::Gone;
        };
        let newest = session.generation.number();
        if shown >= newest {
            *session = moved_on(session, shown + 1, self.now);
            return Refreshed::Rotated(session.clone());
        }
        let age = self.now.as_millis() - session.refreshed_at.as_millis();
        if newest - shown == 1 && age <= 10_000 {
            return Refreshed::Repeated(session.clone());
        }
        Refreshed::Reused(self.end(id).unwrap())
    }

    fn wait(&mut self, millis: u64) {
        self.now = self.now.plus(Duration::from_millis(millis));
        let now = self.now;
        self.live.retain(|_, session| session.expires_at > now);
    }
}

async fn take(store: &dyn SessionStore, model: &mut Model, step: Step) {
    match step {
        Step::SignIn { user } => {
            let session = new_session(model.users[user], model.now);
            let created = store
                .create(&session, Epoch(model.epochs[user]))
                .await
                .unwrap();
            assert_eq!(created, Created::Stored);
            model.ids.push(session.id);
            model.live.insert(session.id, session);
        }
        Step::SignInOnOldEpoch { user } => {
            let session = new_session(model.users[user], model.now);
            let Some(old) = model.epochs[user].checked_sub(1) else {
                return;
            };
            let created = store.create(&session, Epoch(old)).await.unwrap();
            assert_eq!(created, Created::Superseded);
        }
        Step::Refresh { session, back } => {
            let id = model.id(session);
            let newest = model
                .live
                .get(&id)
                .map_or(0, |session| session.generation.number());
            let shown = u32::try_from(i64::from(newest) - back).unwrap_or(0);
            let answer = refresh(store, id, (shown, model.now)).await;
            assert_eq!(answer, model.refresh(id, shown));
        }
        Step::End { session } => {
            let id = model.id(session);
            assert_eq!(store.end(id, model.now).await.unwrap(), model.end(id));
        }
        Step::EndAll { user } => {
            let mut ended = store.end_all(model.users[user], model.now).await.unwrap();
            ended.sort();
            assert_eq!(ended, model.end_all(user));
        }
        Step::Wait { millis } => model.wait(millis),
        Step::Clear => {
            store
                .clear_expired(model.now, Duration::from_hours(24 * 365))
                .await
                .unwrap();
        }
    }
}

async fn compare(store: &dyn SessionStore, model: &Model) {
    for id in &model.ids {
        let found = store.find(*id, model.now).await.unwrap();
        assert_eq!(found.as_ref(), model.live.get(id));
    }
    for (number, user) in model.users.into_iter().enumerate() {
        assert_eq!(
            store.epoch(user).await.unwrap(),
            Epoch(model.epochs[number])
        );
        let mut expected: Vec<_> = model.of(number).cloned().collect();
        expected.sort_by_key(|session| std::cmp::Reverse((session.created_at, session.id)));
        assert_eq!(store.of_user(user, model.now).await.unwrap(), expected);
    }
    // One `end_all` may write its ends in any order.
    let in_order = |mut log: Vec<Ended>| {
        log.sort_by_key(|ended| (ended.at, ended.session));
        log
    };
    let log = in_order(whole_log(store).await);
    assert_eq!(log, in_order(model.log.clone()));
}

/// Runs some hundred random stories, each on a store of its own.
fn tell(runtime: &Runtime, fresh_store: impl AsyncFn() -> Arc<dyn SessionStore>) {
    let config = ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let stories = prop::collection::vec(step(), 1..40);
    let outcome = TestRunner::new(config).run(&stories, |story| {
        runtime.block_on(async {
            let store = fresh_store().await;
            let mut model = Model::new();
            for step in story {
                take(&*store, &mut model, step).await;
            }
            compare(&*store, &model).await;
        });
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn sqlite_does_what_the_model_does() {
    let runtime = runtime();
    tell(&runtime, async || {
        let pool = SqlitePoolOptions::new().max_connections(1);
        let pool = pool.connect("sqlite::memory:").await.unwrap();
        migrate(&pool).await;
        Arc::new(SqliteSessions::new(pool)) as _
    });
}

#[test]
fn redis_does_what_the_model_does() {
    let runtime = runtime();
    let server = RedisServer::start();
    let story = AtomicU32::new(0);
    tell(&runtime, async || {
        let number = story.fetch_add(1, Ordering::Relaxed);
        Arc::new(sessions_at(server.address(), &format!("story{number}:"))) as _
    });
}
