//! The core over real SQLite stores in a directory of its own, with a clock that is moved by hand.

use std::sync::Arc;
use std::time::Duration;

use doorward::api_keys::sql::SqlApiKeys;
use doorward::audit::Audit;
use doorward::auth::api_keys::{self, ApiKeys};
use doorward::auth::tokens::form::FormConfig;
use doorward::auth::tokens::{Settings, Tokens};
use doorward::auth::{AccountRules, Accounts, Auth, EmailRule, Limits, Parts, Permit};
use doorward::clock::{Clock as _, ManualClock, Timestamp};
use doorward::codes::sql::SqlCodes;
use doorward::database::{self, Database};
use doorward::id::UserId;
use doorward::keys::{KeySource, SigningAlgorithm};
use doorward::limit::Policy;
use doorward::limiter::memory::MemoryLimiter;
use doorward::logs::{LineLog, LogTarget};
use doorward::mail::outbox::Outbox;
use doorward::password;
use doorward::password::pool::Passwords;
use doorward::password::rules::Owner;
use doorward::path::NormalPath;
use doorward::policy::Requirement;
use doorward::request::RequestHead;
use doorward::revocation::{self, Revocations};
use doorward::secret::SecretText;
use doorward::session::{Bounds, Lifetimes};
use doorward::sessions::SessionStore;
use doorward::sessions::sqlite::SqliteSessions;
use doorward::token::mint::Claims;
use doorward::user::{AccountStatus, Email, EmailStatus, JsonObject, Role, User, Username};
use doorward::users::sql::SqlUsers;
use doorward::users::supabase::{self, Supabase};
use doorward::users::{NewUser, UserStore};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, Method};
use prometheus_client::metrics::counter::Counter;
use tempfile::TempDir;
use tokio_util::task::AbortOnDropHandle;

use super::mailbox::Mailbox;

/// How many mails may wait.
pub(crate) const MAIL_PLACES: usize = 8;

/// The public origin of the gateway under test.
pub(crate) const ORIGIN: &str = "https://gw.test";

/// What a core under test may have of its own.
pub(crate) struct Setup {
    pub(crate) email_rule: EmailRule,
    /// Where sessions are kept; a SQLite file if not said.
    pub(crate) sessions: Option<Arc<dyn SessionStore>>,
    /// The Supabase project where users are kept; a SQLite file if not said.
    pub(crate) supabase: Option<supabase::Config>,
    pub(crate) start: Timestamp,
    pub(crate) max_staleness: Duration,
    pub(crate) lifetimes: Lifetimes,
    /// The forms of tokens that are welcome beside the gateway's own.
    pub(crate) forms: Vec<FormConfig>,
    pub(crate) limits: Policy,
    pub(crate) accounts: AccountRules,
    /// Where users and codes are kept; a SQLite file if not said.
    pub(crate) database: Option<Database>,
    pub(crate) mail: Mail,
    /// Where events are recorded; lines in a file if not said.
    pub(crate) audit: Option<Audit>,
    /// The header for API keys.
    pub(crate) key_header: Option<HeaderName>,
    /// Where the signing keys come from; `keys.json` in the directory if not said.
    pub(crate) keys: Option<KeySource>,
}

/// Whether a core under test sends mails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mail {
    Sent,
    Off,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            email_rule: EmailRule::MayBeUnverified,
            sessions: None,
            supabase: None,
            start: Timestamp::from_seconds(1_800_000_000),
            max_staleness: Duration::from_hours(1),
            lifetimes: lifetimes(),
            accounts: AccountRules::default(),
            database: None,
            mail: Mail::Sent,
            forms: Vec::new(),
            limits: Policy::off(),
            key_header: None,
            keys: None,
            audit: None,
        }
    }
}

pub(crate) struct Core {
    pub(crate) auth: Arc<Auth>,
    pub(crate) users: Arc<dyn UserStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) api_keys: Arc<ApiKeys>,
    audit_log: LineLog,
    passwords: Arc<Passwords>,
    pub(crate) directory: TempDir,
    pub(crate) mails: Arc<Mailbox>,
    pub(crate) outbox: Option<Outbox>,
    _background: Vec<AbortOnDropHandle<()>>,
}

impl Core {
    pub(crate) async fn start() -> Self {
        Self::of(Setup::default()).await
    }

    pub(crate) async fn with(email_rule: EmailRule) -> Self {
        Self::of(Setup {
            email_rule,
            ..Setup::default()
        })
        .await
    }

    pub(crate) async fn of(setup: Setup) -> Self {
        let directory = TempDir::new().unwrap();
        let clock = ManualClock::at(setup.start);
        let pool = database::open(directory.path()).await.unwrap();
        let database = match setup.database {
            Some(database) => database,
            None => Database::embedded(directory.path()).await.unwrap(),
        };
        let mails = Arc::new(Mailbox::default());
        let (outbox, sending) = Outbox::new(MAIL_PLACES, Arc::clone(&mails) as _, Arc::default());
        let outbox = (setup.mail == Mail::Sent).then_some(outbox);
        let codes = SqlCodes::new(database.clone());
        let users = users(setup.supabase, (&database, &clock));
        let sessions = setup
            .sessions
            .unwrap_or_else(|| Arc::new(SqliteSessions::new(pool)));
        let (revocations, following) =
            followed(&sessions, (setup.max_staleness, clock.clone())).await;
        let api_keys = ApiKeys::new(api_keys::Parts {
            settings: key_settings(setup.key_header, setup.max_staleness),
            store: Arc::new(SqlApiKeys::new(database)),
            sessions: Arc::clone(&sessions),
            revocations: Arc::clone(&revocations),
            clock: clock.clone(),
        });
        let keys_following = tokio::spawn(Arc::clone(&api_keys).follow());
        let keys_following = AbortOnDropHandle::new(keys_following);
        api_keys.wait_until_fresh().await;
        let passwords = Arc::new(Passwords::new(cheap_passwords()).unwrap());
        let audit_log = audit_log(&directory, &clock);
        let lines = || Audit::new(audit_log.clone(), clock.clone());
        let audit = setup.audit.unwrap_or_else(lines);
        let parts = Parts {
            clock: clock.clone(),
            users: Arc::clone(&users),
            sessions: Arc::clone(&sessions),
            passwords: Arc::clone(&passwords),
            limits: Limits::new(
                setup.limits,
                Arc::new(MemoryLimiter::new(1000)),
                &cheap_passwords(),
            ),
            tokens: Tokens::start(
                Settings {
                    forms: setup.forms,
                    ..token_settings(&directory, setup.keys)
                },
                clock.clone(),
            )
            .unwrap(),
            revocations,
            api_keys: Arc::clone(&api_keys),
            audit: Arc::new(audit),
            metrics: Arc::default(),
            lifetimes: setup.lifetimes,
            email_rule: setup.email_rule,
            public_url: ORIGIN.parse().unwrap(),
            accounts: Accounts {
                codes: Arc::new(codes),
                outbox: outbox.clone(),
                rules: setup.accounts,
            },
        };
        Self {
            mails,
            outbox,
            auth: Arc::new(Auth::new(parts)),
            users,
            clock,
            api_keys,
            audit_log,
            passwords,
            directory,
            _background: vec![
                following,
                keys_following,
                AbortOnDropHandle::new(tokio::spawn(sending)),
            ],
        }
    }

    /// What was audited, a JSON object a line.
    pub(crate) fn audited(&self) -> Vec<serde_json::Value> {
        self.audit_log.flush(Duration::from_secs(20));
        let text = std::fs::read_to_string(self.directory.path().join(AUDIT_LOG)).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }

    /// The permit of a bearer of these claims, or of nobody.
    pub(crate) fn permit(&self, claims: Option<Claims>) -> Permit {
        let mut headers = HeaderMap::new();
        if let Some(claims) = claims {
            let token = self.auth.tokens().mint(claims).unwrap();
            let line = format!("Bearer {}", token.expose());
            headers.insert(AUTHORIZATION, line.parse().unwrap());
        }
        let head = RequestHead {
            method: &Method::GET,
            host: "gw.test".into(),
            path: NormalPath::parse("/").unwrap(),
            client: [127, 0, 0, 1].into(),
            headers: &headers,
        };
        let permit = self.auth.authenticate(&head, &Requirement::Public);
        permit.unwrap()
    }

    /// A verified user whose user name is the part of the address before the `@`.
    pub(crate) async fn add_user(&self, email: &str, password: &str, roles: &[&str]) -> User {
        let hash = self
            .passwords
            .accept(SecretText::from(password), Owner::default())
            .await
            .unwrap();
        let hash = self.passwords.hash(hash).await.unwrap();
        let (name, _) = email.split_once('@').unwrap();
        let user = NewUser {
            id: UserId::new(self.clock.now()),
            email: Email::parse(email).unwrap(),
            username: Some(Username::parse(name).unwrap()),
            password: Some(hash),
            roles: roles
                .iter()
                .map(|role| Role::parse(role).unwrap())
                .collect(),
            status: AccountStatus::Enabled,
            email_status: EmailStatus::Verified,
            profile: JsonObject::new(),
            metadata: JsonObject::new(),
        };
        self.users.insert(user).await.unwrap()
    }
}

/// What knows which sessions have ended, and what goes on behind it.
async fn followed(
    sessions: &Arc<dyn SessionStore>,
    (max_staleness, clock): (Duration, Arc<ManualClock>),
) -> (Arc<Revocations>, AbortOnDropHandle<()>) {
    let memory = revocation::Config {
        keep: Duration::from_mins(20),
        max_staleness,
    };
    let revocations = Revocations::new(memory, clock);
    let follow = Arc::clone(&revocations).follow(Arc::clone(sessions));
    let following = AbortOnDropHandle::new(tokio::spawn(follow));
    revocations.wait_until_fresh().await;
    (revocations, following)
}

fn users(
    elsewhere: Option<supabase::Config>,
    (database, clock): (&Database, &Arc<ManualClock>),
) -> Arc<dyn UserStore> {
    match elsewhere {
        Some(project) => Arc::new(Supabase::new(&project, clock.clone()).unwrap()),
        None => Arc::new(SqlUsers::new(database.clone(), clock.clone())),
    }
}

const AUDIT_LOG: &str = "audit.log";

fn audit_log(directory: &TempDir, clock: &Arc<ManualClock>) -> LineLog {
    let target = LogTarget::File(directory.path().join(AUDIT_LOG));
    LineLog::open(target, clock.clone(), Counter::default()).unwrap()
}

pub(crate) const fn lifetimes() -> Lifetimes {
    Lifetimes {
        access: Duration::from_mins(15),
        grace: Duration::from_secs(30),
        web: bounds(12, 7),
        remembered: bounds(7 * 24, 30),
        native: bounds(30 * 24, 365),
    }
}

const fn bounds(idle_hours: u64, absolute_days: u64) -> Bounds {
    Bounds {
        idle: Duration::from_hours(idle_hours),
        absolute: Duration::from_hours(absolute_days * 24),
    }
}

const fn key_settings(header: Option<HeaderName>, max_staleness: Duration) -> api_keys::Settings {
    api_keys::Settings {
        header,
        max_staleness,
        max_per_owner: 5,
    }
}

fn token_settings(directory: &TempDir, keys: Option<KeySource>) -> Settings {
    let kept = || KeySource::Kept(directory.path().join("keys.json"));
    Settings {
        forms: Vec::new(),
        issuer: ORIGIN.into(),
        audience: "doorward".into(),
        algorithm: SigningAlgorithm::Es256,
        keys: keys.unwrap_or_else(kept),
        leeway: Duration::from_secs(30),
        issuers: Vec::new(),
        cache_entries: 100,
    }
}

/// As little work as argon2 allows: these tests are not about the cost of hashing.
fn cheap_passwords() -> password::Config {
    password::Config {
        memory_kib: 8,
        iterations: 1,
        ..password::Config::default()
    }
}
