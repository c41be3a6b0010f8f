//! Clients of the real core, against a pure model of what becomes of them: tabs that share a cookie,
//! answers that are lost, thieves, clocks that are set, sign-outs, sessions that run out.
//!
//! A story is a random order of such steps. The look-up of a token, the refresh and the arrival of its
//! answer are three steps of their own, so that those of several tabs interleave.

use std::collections::{BTreeMap, BTreeSet};

use doorward::auth::tokens::form::Form;
use doorward::auth::{Auth, Caller, RefreshError, ShownToken, SignIn, SignedIn};
use doorward::clock::Clock as _;
use doorward::id::RequestId;
use doorward::session::Lifetimes;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::{Barrier, Mutex};

use self::life::{Fate, Life, lifetimes};
use self::steps::{Step, step};
use super::*;
use crate::support::core::{Core, Setup};

mod life;
mod steps;

const PASSWORD: &str = "correct horse battery";
const STORIES: u32 = 2000;

/// A refresh token that somebody holds.
#[derive(Clone)]
struct Held {
    session: SessionId,
    generation: u32,
    text: String,
}

impl Held {
    fn of(signed_in: &SignedIn) -> Self {
        Self {
            session: signed_in.session.id,
            generation: signed_in.session.generation.number(),
            text: signed_in.refresh.expose().to_owned(),
        }
    }
}

/// A refresh under way.
enum Tab {
    /// Its token was looked up.
    Shown {
        jar: usize,
        held: Held,
        token: ShownToken,
    },
    /// The answer is on its way.
    Answered { jar: usize, held: Held },
}

/// What the audit log must hold of a session: how often each reason.
type Reasons = BTreeMap<(SessionId, &'static str), usize>;

/// One core and its store, and all that was ever done to them.
struct World {
    core: Core,
    lives: BTreeMap<SessionId, Life>,
    /// The text of every token that was ever given out.
    texts: BTreeMap<(SessionId, u32), String>,
    audited: Reasons,
    accounts: usize,
}

/// One story in it.
struct Story<'a> {
    world: &'a mut World,
    users: [(UserId, String); 2],
    jars: Vec<Held>,
    tabs: Vec<Tab>,
    /// The newest access token of each session.
    access: BTreeMap<SessionId, (String, Timestamp)>,
}

impl World {
    async fn over(sessions: Arc<dyn SessionStore>) -> Self {
        let setup = Setup {
            sessions: Some(sessions),
            start: START,
            // Time jumps here; how stale the memory may get, other tests look after.
            max_staleness: Duration::from_hours(24 * 365 * 100),
            lifetimes: lifetimes(),
            ..Setup::default()
        };
        Self {
            core: Core::of(setup).await,
            lives: BTreeMap::new(),
            texts: BTreeMap::new(),
            audited: BTreeMap::new(),
            accounts: 0,
        }
    }

    fn auth(&self) -> &Auth {
        &self.core.auth
    }

    fn now(&self) -> Timestamp {
        self.core.clock.now()
    }

    async fn new_user(&mut self) -> (UserId, String) {
        self.accounts += 1;
        let email = format!("user{}@example.com", self.accounts);
        let user = self.core.add_user(&email, PASSWORD, &[]).await;
        (user.id, email)
    }

    fn expect_audited(&mut self, session: SessionId, reason: &'static str) {
        *self.audited.entry((session, reason)).or_default() += 1;
    }

    /// Every refresh, and every copy that was found out, is in the audit log, and no other.
    fn compare_audit(&self) {
        let mut found = BTreeMap::new();
        for line in self.core.audited() {
            let (Some(session), Value::String(reason)) =
                (line["session"].as_str(), &line["reason"])
            else {
                continue;
            };
            if line["action"] == "refresh" {
                let key = (session.parse::<SessionId>().unwrap(), reason.clone());
                *found.entry(key).or_default() += 1;
            }
        }
        let expected = self.audited.iter();
        let expected =
            expected.map(|((session, reason), count)| ((*session, (*reason).to_owned()), *count));
        assert_eq!(found, expected.collect::<BTreeMap<_, usize>>());
    }
}

impl<'a> Story<'a> {
    async fn begin(world: &'a mut World) -> Self {
        let users = [world.new_user().await, world.new_user().await];
        Self {
            world,
            users,
            jars: Vec::new(),
            tabs: Vec::new(),
            access: BTreeMap::new(),
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::SignIn { user, client } => self.sign_in(user, client).await,
            Step::Show { jar } => self.show(jar).await,
            Step::Refresh { tab } => self.refresh(tab).await,
            Step::Receive { tab } => {
                if let Some(Tab::Answered { jar, held }) = self.answered(tab) {
                    self.jars[jar] = held;
                }
            }
            Step::Lose { tab } => drop(self.answered(tab)),
            Step::Steal { jar } => {
                let copy = pick(jar, &self.jars).map(|jar| self.jars[jar].clone());
                self.jars.extend(copy);
            }
            Step::SignOut { jar } => self.sign_out(jar).await,
            Step::SignOutAll { user } => self.sign_out_all(user).await,
            Step::Wait { millis } => self.world.core.clock.advance(Duration::from_millis(millis)),
            Step::SetBack { millis } => self
                .world
                .core
                .clock
                .set_back(Duration::from_millis(millis)),
        }
        self.look();
    }

    async fn sign_in(&mut self, user: usize, client: usize) {
        let Lifetimes {
            web,
            remembered,
            native,
            ..
        } = lifetimes();
        let (client, persistence, bounds) = [
            (ClientKind::Web, Persistence::Browser, web),
            (ClientKind::Web, Persistence::Persistent, remembered),
            (ClientKind::Native, Persistence::Persistent, native),
        ][client];
        let attempt = SignIn {
            form: Form::OWN,
            login: self.users[user].1.clone(),
            password: PASSWORD.into(),
            entrance: SessionKind::User,
            client,
            persistence,
            caller: caller(),
        };
        let signed_in = self.world.auth().sign_in(attempt).await.unwrap();
        let life = Life {
            user,
            bounds,
            opened_at: self.world.now(),
            rotated_at: Vec::new(),
            over: false,
        };
        self.world.lives.insert(signed_in.session.id, life);
        self.given_out(&signed_in);
        self.jars.push(Held::of(&signed_in));
    }

    async fn show(&mut self, jar: usize) {
        let Some(jar) = pick(jar, &self.jars) else {
            return;
        };
        let held = self.jars[jar].clone();
        let found = self.world.auth().session_of(&held.text).await.unwrap();
        let live = self.world.lives[&held.session].is_live(self.world.now());
        assert_eq!(found.is_some(), live);
        self.tabs
            .extend(found.map(|token| Tab::Shown { jar, held, token }));
    }

    async fn refresh(&mut self, tab: usize) {
        let shown = |tab: &Tab| matches!(tab, Tab::Shown { .. });
        let Some(Tab::Shown { jar, held, token }) = take(tab, &mut self.tabs, shown) else {
            return;
        };
        let now = self.world.now();
        let life = self.world.lives.get_mut(&held.session).unwrap();
        let fate = life.fate(held.generation, now);
        match fate {
            Fate::Wins => life.rotated_at.push(now),
            Fate::Betrays => life.over = true,
            Fate::Shares | Fate::TooLate => {}
        }
        let answer = self
            .world
            .auth()
            .refresh(&token, &Form::OWN, &caller())
            .await;
        match (fate, answer) {
            (Fate::Wins, Ok(signed_in)) => self.moved_on(jar, &signed_in, "refreshed"),
            (Fate::Shares, Ok(signed_in)) => self.moved_on(jar, &signed_in, "repeated"),
            (Fate::Betrays, Err(RefreshError::Reused)) => {
                self.world.expect_audited(held.session, "reused-token");
            }
            (Fate::TooLate, Err(RefreshError::Gone)) => {}
            (fate, answer) => panic!("{fate:?}, but {answer:?}"),
        }
    }

    fn moved_on(&mut self, jar: usize, signed_in: &SignedIn, reason: &'static str) {
        self.given_out(signed_in);
        self.world.expect_audited(signed_in.session.id, reason);
        let held = Held::of(signed_in);
        self.tabs.push(Tab::Answered { jar, held });
    }

    /// Whoever is given a token of a generation is given the same, and none outlives its session.
    fn given_out(&mut self, signed_in: &SignedIn) {
        let held = Held::of(signed_in);
        let session = &signed_in.session;
        let life = &self.world.lives[&held.session];
        assert_eq!(held.generation, life.newest());
        assert_eq!(session.refreshed_at, life.moved_at());
        assert_eq!(session.expires_at, life.expires_at());
        assert_eq!(session.ends_at, life.ends_at());
        assert!(signed_in.access.expires_at <= life.expires_at());
        let key = (held.session, held.generation);
        let text = self
            .world
            .texts
            .entry(key)
            .or_insert_with(|| held.text.clone());
        assert_eq!(*text, held.text);
        let access = signed_in.access.text.expose().to_owned();
        let until = signed_in.access.expires_at;
        self.access.insert(held.session, (access, until));
    }

    fn answered(&mut self, tab: usize) -> Option<Tab> {
        take(tab, &mut self.tabs, |tab| {
            matches!(tab, Tab::Answered { .. })
        })
    }

    async fn sign_out(&mut self, jar: usize) {
        let Some(jar) = pick(jar, &self.jars) else {
            return;
        };
        let session = self.jars[jar].session;
        let auth = self.world.auth();
        auth.sign_out(session, &caller()).await.unwrap();
        self.world.lives.get_mut(&session).unwrap().over = true;
    }

    async fn sign_out_all(&mut self, user: usize) {
        let (user_id, now) = (self.users[user].0, self.world.now());
        let caller = caller();
        let ended = self.world.auth().sign_out_all(user_id, &caller);
        let ended = ended.await.unwrap();
        let mut expected = 0;
        for session in self.access.keys() {
            let life = self.world.lives.get_mut(session).unwrap();
            if life.user == user {
                expected += usize::from(life.is_live(now));
                life.over = true;
            }
        }
        assert_eq!(ended, expected);
    }

    /// What ended is refused at once, and what lives is not refused by accident.
    fn look(&self) {
        let now = self.world.now();
        for (session, (access, until)) in &self.access {
            let life = &self.world.lives[session];
            let verdict = self.world.auth().identify_token(access);
            if !life.is_live(now) {
                assert!(verdict.is_err(), "{session} has ended");
            } else if life.moved_at() <= now && now < *until {
                assert!(verdict.is_ok(), "{session} lives: {verdict:?}");
            }
        }
    }

    /// In the end, the store has the sessions that live, and no other.
    async fn end(self) {
        let now = self.world.now();
        let lives = |user, session: &SessionId| {
            let life = &self.world.lives[session];
            life.user == user && life.is_live(now)
        };
        for (number, (user, _)) in self.users.iter().enumerate() {
            let found = self.world.auth().sessions_of(*user).await.unwrap();
            let found: BTreeSet<_> = found.iter().map(|session| session.id).collect();
            let sessions = self.access.keys().copied();
            let expected = sessions.filter(|session| lives(number, session));
            assert_eq!(found, expected.collect());
        }
    }
}

fn pick<T>(number: usize, of: &[T]) -> Option<usize> {
    number.checked_rem(of.len())
}

/// Takes one of those that `fit` out of a list.
fn take(number: usize, tabs: &mut Vec<Tab>, fit: impl Fn(&Tab) -> bool) -> Option<Tab> {
    let fitting: Vec<_> = (0..tabs.len()).filter(|at| fit(&tabs[*at])).collect();
    let at = fitting[pick(number, &fitting)?];
    Some(tabs.remove(at))
}

fn caller() -> Caller {
    Caller {
        address: "192.0.2.1".parse().unwrap(),
        user_agent: "a test".to_owned(),
        request_id: RequestId::from_bytes([7; 16]),
    }
}

fn tell_stories(runtime: &Runtime, sessions: Arc<dyn SessionStore>) {
    let world = Mutex::new(runtime.block_on(World::over(sessions)));
    let config = ProptestConfig {
        cases: STORIES,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    };
    let stories = prop::collection::vec(step(), 1..50);
    let outcome = TestRunner::new(config).run(&stories, |story| {
        runtime.block_on(async {
            let mut world = world.lock().await;
            let mut telling = Story::begin(&mut world).await;
            let client = story.len() % 3;
            telling.take(Step::SignIn { user: 0, client }).await;
            for step in story {
                telling.take(step).await;
            }
            telling.end().await;
        });
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let world = world.into_inner();
    world.compare_audit();
    seen_enough(&world);
}

/// A model that never saw a thing proves nothing of it.
fn seen_enough(world: &World) {
    let seen = |reason| -> usize {
        let all = world
            .audited
            .iter()
            .filter(|((_, known), _)| *known == reason);
        all.map(|(_, count)| count).sum()
    };
    for (reason, least) in [
        ("refreshed", 1000),
        ("repeated", 200),
        ("reused-token", 200),
    ] {
        let seen = seen(reason);
        assert!(seen >= least, "{reason}: {seen}");
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn whatever_tabs_thieves_and_clocks_do_sqlite_keeps_to_the_rules() {
    let runtime = runtime();
    let store = runtime.block_on(async {
        let pool = SqlitePoolOptions::new().max_connections(1);
        let pool = pool.connect("sqlite::memory:").await.unwrap();
        migrate(&pool).await;
        SqliteSessions::new(pool)
    });
    tell_stories(&runtime, Arc::new(store));
}

#[test]
fn whatever_tabs_thieves_and_clocks_do_redis_keeps_to_the_rules() {
    let server = RedisServer::start();
    tell_stories(&runtime(), Arc::new(server.sessions()));
}

/// Sixty-four tabs with one token, all at the same instant.
async fn all_tabs_at_once(sessions: Arc<dyn SessionStore>) {
    const TABS: usize = 64;
    let mut world = World::over(sessions).await;
    let (_, login) = world.new_user().await;
    let attempt = SignIn {
        form: Form::OWN,
        login,
        password: PASSWORD.into(),
        entrance: SessionKind::User,
        client: ClientKind::Web,
        persistence: Persistence::Browser,
        caller: caller(),
    };
    let mut newest = world.auth().sign_in(attempt).await.unwrap();
    for round in 1..=5 {
        let start = Arc::new(Barrier::new(TABS));
        let tabs: Vec<_> = (0..TABS)
            .map(|_| {
                let (auth, start) = (world.core.auth.clone(), Arc::clone(&start));
                let text = newest.refresh.expose().to_owned();
                tokio::spawn(async move {
                    let token = auth.session_of(&text).await.unwrap().unwrap();
                    start.wait().await;
                    auth.refresh(&token, &Form::OWN, &caller()).await.unwrap()
                })
            })
            .collect();
        let mut given = BTreeSet::new();
        for tab in tabs {
            newest = tab.await.unwrap();
            assert_eq!(newest.session.generation, Generation::new(round));
            assert!(
                world
                    .auth()
                    .identify_token(newest.access.text.expose())
                    .is_ok()
            );
            given.insert(newest.refresh.expose().to_owned());
        }
        assert_eq!(given.len(), 1, "one successor for all");
        world.expect_audited(newest.session.id, "refreshed");
        for _ in 1..TABS {
            world.expect_audited(newest.session.id, "repeated");
        }
    }
    world.compare_audit();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_tabs_at_once_one_wins_and_all_get_its_token_from_sqlite() {
    let bench = SqliteBench::new().await;
    all_tabs_at_once(Arc::new(bench.sessions())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_tabs_at_once_one_wins_and_all_get_its_token_from_redis() {
    let server = RedisServer::start();
    all_tabs_at_once(Arc::new(server.sessions())).await;
}
