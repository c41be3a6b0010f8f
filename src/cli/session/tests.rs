use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use parking_lot::Mutex;

use super::*;
use crate::clock::ManualClock;
use crate::database::{self, Database};
use crate::session::{ClientKind, Generation, Persistence, SessionKind, Subject};
use crate::sessions::Created;
use crate::sessions::sqlite::SqliteSessions;
use crate::user::{AccountStatus, Email, EmailStatus, JsonObject};
use crate::users::NewUser;
use crate::users::sql::SqlUsers;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

#[derive(Parser)]
struct CommandLine {
    #[command(subcommand)]
    command: SessionCommand,
}

fn parse(line: &str) -> Result<SessionCommand, clap::Error> {
    let words = std::iter::once("session").chain(line.split_whitespace());
    CommandLine::try_parse_from(words).map(|line| line.command)
}

#[test]
fn what_shall_be_ended_is_said_in_exactly_one_way() {
    let id = SessionId::new(NOW);
    for good in [
        "list".to_owned(),
        "list --user ann --json".to_owned(),
        format!("revoke {id}"),
        format!("revoke {id} {id}"),
        "revoke --user ann".to_owned(),
        "revoke --all".to_owned(),
    ] {
        assert!(parse(&good).is_ok(), "{good}");
    }
    for bad in [
        "revoke".to_owned(),
        "revoke ann".to_owned(),
        "revoke --all --user ann".to_owned(),
        format!("revoke {id} --all"),
        format!("revoke {id} --user ann"),
    ] {
        assert!(parse(&bad).is_err(), "{bad}");
    }
}

type Recorded = (Action, UserId, Option<SessionId>);

/// Stores with two users, and what was recorded.
struct Desk {
    users: SqlUsers,
    sessions: SqliteSessions,
    recorded: Arc<Mutex<Vec<Recorded>>>,
    _directory: tempfile::TempDir,
}

impl Desk {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let pool = database::open(directory.path()).await.unwrap();
        let database = Database::embedded(directory.path()).await.unwrap();
        Self {
            users: SqlUsers::new(database, ManualClock::at(NOW)),
            sessions: SqliteSessions::new(pool),
            recorded: Arc::default(),
            _directory: directory,
        }
    }

    async fn add(&self, email: &str) -> UserId {
        let user = NewUser {
            id: UserId::new(NOW),
            email: Email::parse(email).unwrap(),
            username: None,
            password: None,
            roles: [].into_iter().collect(),
            status: AccountStatus::Enabled,
            email_status: EmailStatus::Verified,
            profile: JsonObject::new(),
            metadata: JsonObject::new(),
        };
        self.users.insert(user).await.unwrap().id
    }

    async fn sign_in(&self, user: UserId) -> SessionId {
        let session = Session {
            id: SessionId::new(NOW),
            subject: Subject {
                user,
                email: Email::parse("shown@example.com").unwrap(),
                roles: [].into_iter().collect(),
            },
            kind: SessionKind::User,
            client: ClientKind::Web,
            persistence: Persistence::Browser,
            generation: Generation::FIRST,
            created_at: NOW,
            refreshed_at: NOW,
            expires_at: NOW.plus(Duration::from_hours(1)),
            ends_at: NOW.plus(Duration::from_hours(2)),
            address: "192.0.2.1".to_owned(),
            user_agent: "curl/8\u{1b}]0;x".to_owned(),
        };
        let epoch = self.sessions.epoch(user).await.unwrap();
        let created = self.sessions.create(&session, epoch).await.unwrap();
        assert_eq!(created, Created::Stored);
        session.id
    }

    async fn run(&self, line: &str) -> Result<String, SessionError> {
        let recorded = Arc::clone(&self.recorded);
        let record = move |action, user, session| recorded.lock().push((action, user, session));
        let stores = Stores {
            users: &self.users,
            sessions: &self.sessions,
            now: NOW,
            record: &record,
        };
        let mut output = Vec::new();
        run(parse(line).unwrap(), &stores, &mut output).await?;
        Ok(String::from_utf8(output).unwrap())
    }

    async fn count(&self) -> usize {
        let listed = self.run("list --json").await.unwrap();
        listed.lines().count()
    }
}

#[tokio::test]
async fn sessions_are_listed_for_people_and_for_programs() {
    let desk = Desk::new().await;
    let (ann, bob) = (desk.add("ann@example.com").await, UserId::new(NOW));
    let (of_ann, of_bob) = (desk.sign_in(ann).await, desk.sign_in(bob).await);
    let all = desk.run("list").await.unwrap();
    for word in [&of_ann.to_string(), &of_bob.to_string(), "web, browser"] {
        assert!(all.contains(word), "{all}");
    }
    assert!(!all.contains('\u{1b}'), "{all:?}");
    let json = desk.run("list --json --user ann@example.com").await;
    let line: serde_json::Value = serde_json::from_str(&json.unwrap()).unwrap();
    assert_eq!(line["id"], of_ann.to_string());
    assert_eq!(line["user"], ann.to_string());
    assert_eq!(
        line["ends_at"],
        NOW.plus(Duration::from_hours(2)).to_string()
    );
}

#[tokio::test]
async fn one_session_is_ended_by_its_id_and_the_others_go_on() {
    let desk = Desk::new().await;
    let ann = desk.add("ann@example.com").await;
    let (one, _other) = (desk.sign_in(ann).await, desk.sign_in(ann).await);
    let said = desk.run(&format!("revoke {one}")).await.unwrap();
    assert_eq!(said, "1 session ended\n");
    assert_eq!(desk.count().await, 1);
    let expected = [(Action::EndSession, ann, Some(one))];
    assert_eq!(*desk.recorded.lock(), expected);
    let again = desk.run(&format!("revoke {one}")).await.unwrap_err();
    assert_eq!(again.to_string(), format!("there is no session {one}"));
}

#[tokio::test]
async fn all_sessions_of_a_user_or_of_everybody_are_ended() {
    let desk = Desk::new().await;
    let (ann, gone) = (desk.add("ann@example.com").await, UserId::new(NOW));
    for user in [ann, ann, gone] {
        desk.sign_in(user).await;
    }
    let said = desk.run("revoke --user ANN@example.com").await.unwrap();
    assert_eq!(
        (said.as_str(), desk.count().await),
        ("2 sessions ended\n", 1)
    );
    // An account that is gone is named by its id.
    let said = desk.run(&format!("revoke --user {gone}")).await.unwrap();
    assert_eq!(
        (said.as_str(), desk.count().await),
        ("1 session ended\n", 0)
    );
    for user in [ann, gone] {
        desk.sign_in(user).await;
    }
    let said = desk.run("revoke --all").await.unwrap();
    assert_eq!(
        (said.as_str(), desk.count().await),
        ("2 sessions ended\n", 0)
    );
    let unknown = desk.run("revoke --user eve").await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no user \"eve\"");
    let recorded = desk.recorded.lock().len();
    assert_eq!(recorded, 4);
}
