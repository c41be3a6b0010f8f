mod import;

use std::collections::VecDeque;
use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clap::Parser;
use parking_lot::Mutex;

use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::id::SessionId;
use crate::password::Config;
use crate::password::pool::Checked;
use crate::password::rules::Weak;
use crate::secret::SecretText;
use crate::session::{Session, Subject};
use crate::sessions::{Created, Cursor, EndedPage, Epoch, Refresh, Refreshed};
use crate::user::Login;
use crate::users::StoredUser;
use crate::users::sql::SqlUsers;

#[derive(Parser)]
struct CommandLine {
    #[command(subcommand)]
    command: UserCommand,
}

fn parse(line: &str) -> Result<UserCommand, clap::Error> {
    let words = line.split(' ').map(|word| word.trim_matches('\''));
    CommandLine::try_parse_from(std::iter::once("user").chain(words)).map(|line| line.command)
}

/// Somebody who types what was laid out, at a terminal or into a pipe.
struct Typist {
    interactive: bool,
    lines: VecDeque<&'static str>,
    screen: Vec<u8>,
}

impl Terminal for Typist {
    fn is_interactive(&self) -> bool {
        self.interactive
    }

    fn prompt(&mut self, _prompt: &str) -> io::Result<SecretText> {
        Ok(SecretText::from(self.lines.pop_front().unwrap()))
    }

    fn first_line(&mut self) -> io::Result<SecretText> {
        let input = Vec::from(std::mem::take(&mut self.lines)).join("\n");
        terminal::first_line(input.as_bytes())
    }

    fn output(&mut self) -> &mut (dyn Write + Send) {
        &mut self.screen
    }
}

/// Notes what the account looked like when its sessions were ended.
struct Sessions {
    users: SqlUsers,
    ended: Mutex<Vec<User>>,
    away: Mutex<bool>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

fn away<T>() -> Result<T, Unavailable> {
    Err(Unavailable::new("the session store", "as a test"))
}

#[async_trait]
impl SessionStore for Sessions {
    async fn end_all(&self, user: UserId, _now: Timestamp) -> Result<Vec<SessionId>, Unavailable> {
        if *self.away.lock() {
            return away();
        }
        let user = self
            .users
            .by_id(user)
            .await?
            .expect("removed after its sessions");
        self.ended.lock().push(user);
        Ok(vec![SessionId::from_bytes([1; 16])])
    }

    async fn announce_end(&self, _: SessionId, _: Timestamp) -> Result<(), Unavailable> {
        away()
    }

    async fn end_others(
        &self,
        _: UserId,
        _: SessionId,
        _: Timestamp,
    ) -> Result<Vec<SessionId>, Unavailable> {
        away()
    }

    async fn epoch(&self, _: UserId) -> Result<Epoch, Unavailable> {
        away()
    }

    async fn create(&self, _: &Session, _: Epoch) -> Result<Created, Unavailable> {
        away()
    }

    async fn find(&self, _: SessionId, _: Timestamp) -> Result<Option<Session>, Unavailable> {
        away()
    }

    async fn refresh(&self, _: Refresh) -> Result<Refreshed, Unavailable> {
        away()
    }

    async fn update_subject(&self, _: SessionId, _: &Subject) -> Result<(), Unavailable> {
        away()
    }

    async fn end(&self, _: SessionId, _: Timestamp) -> Result<Option<Session>, Unavailable> {
        away()
    }

    async fn of_user(&self, _: UserId, _: Timestamp) -> Result<Vec<Session>, Unavailable> {
        away()
    }

    async fn users(&self, _: Timestamp) -> Result<Vec<UserId>, Unavailable> {
        away()
    }

    async fn log_start(&self, _: Timestamp) -> Result<Cursor, Unavailable> {
        away()
    }

    async fn ended_after(&self, _: &Cursor, _: Duration) -> Result<EndedPage, Unavailable> {
        away()
    }

    async fn clear_expired(&self, _: Timestamp, _: Duration) -> Result<u64, Unavailable> {
        away()
    }

    async fn ping(&self) -> Result<(), Unavailable> {
        away()
    }
}

/// A gateway's stores, and the commands on them.
struct Desk {
    users: SqlUsers,
    sessions: Sessions,
    passwords: Passwords,
    clock: Arc<ManualClock>,
    recorded: Mutex<Vec<Action>>,
    directory: tempfile::TempDir,
}

impl Desk {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = crate::database::Database::embedded(directory.path())
            .await
            .unwrap();
        let clock = ManualClock::at(Timestamp::from_seconds(1_763_696_385));
        let users = SqlUsers::new(database, clock.clone());
        let config = Config {
            memory_kib: 8,
            iterations: 1,
            ..Config::default()
        };
        Self {
            sessions: Sessions {
                users: users.clone(),
                ended: Mutex::default(),
                away: Mutex::default(),
            },
            users,
            passwords: Passwords::new(config).unwrap(),
            clock,
            recorded: Mutex::default(),
            directory,
        }
    }

    async fn type_in(&self, line: &str, mut typist: Typist) -> (Result<(), UserError>, String) {
        let record = |action, _user| self.recorded.lock().push(action);
        let stores = Stores {
            users: &self.users,
            sessions: &self.sessions,
            passwords: &self.passwords,
            clock: &*self.clock,
            record: &record,
        };
        let done = run(parse(line).unwrap(), &stores, &mut typist).await;
        (done, String::from_utf8(typist.screen).unwrap())
    }

    /// The command in a script, with these lines on standard input.
    async fn pipe(&self, line: &str, lines: &[&'static str]) -> (Result<(), UserError>, String) {
        let typist = Typist {
            interactive: false,
            lines: lines.iter().copied().collect(),
            screen: Vec::new(),
        };
        self.type_in(line, typist).await
    }

    async fn at_terminal(&self, line: &str, lines: &[&'static str]) -> Result<(), UserError> {
        let typist = Typist {
            interactive: true,
            lines: lines.iter().copied().collect(),
            screen: Vec::new(),
        };
        self.type_in(line, typist).await.0
    }

    async fn said(&self, line: &str) -> String {
        let (done, said) = self.pipe(line, &["correct horse"]).await;
        done.unwrap();
        said
    }

    async fn user(&self, login: &str) -> Option<StoredUser> {
        self.users
            .by_login(&Login::parse(login).unwrap())
            .await
            .unwrap()
    }

    async fn signs_in(&self, login: &str, password: &'static str) -> bool {
        let stored = self.user(login).await.and_then(|user| user.password);
        let checked = self
            .passwords
            .check(stored, SecretText::from(password))
            .await
            .unwrap();
        matches!(checked, Checked::Right | Checked::RightButOutdated { .. })
    }

    fn file(&self, text: &str) -> String {
        let path = self.directory.path().join("import");
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

#[tokio::test]
async fn an_added_user_is_as_the_command_says() {
    let desk = Desk::new().await;
    desk.said("add Admin@Example.com --username admin --role admin --role editor --verified")
        .await;
    desk.said("add plain@example.com").await;
    let admin = desk.user("admin").await.unwrap().user;
    assert_eq!(admin.email.as_str(), "admin@example.com");
    assert_eq!(show::roles(&admin.roles), "admin,editor");
    assert_eq!(admin.email_status, EmailStatus::Verified);
    let plain = desk.user("plain@example.com").await.unwrap().user;
    assert!(plain.roles.is_empty() && plain.username.is_none());
    assert_eq!(plain.email_status, EmailStatus::Unverified);
    assert!(desk.signs_in("admin", "correct horse").await);
    assert!(!desk.signs_in("admin", "wrong horse").await);
    assert_eq!(*desk.recorded.lock(), [Action::AddUser, Action::AddUser]);
}

#[tokio::test]
async fn a_password_is_asked_for_twice_at_a_terminal() {
    let desk = Desk::new().await;
    let mismatch = desk
        .at_terminal("add a@example.com", &["correct horse", "correct hrose"])
        .await;
    assert!(matches!(mismatch, Err(UserError::Mismatch)), "{mismatch:?}");
    let weak = desk.at_terminal("add a@example.com", &["short"]).await;
    assert!(
        matches!(
            weak,
            Err(UserError::Refused(Refused::Weak(Weak::TooShort(8))))
        ),
        "{weak:?}"
    );
    assert!(desk.user("a@example.com").await.is_none());
    desk.at_terminal("add a@example.com", &["correct horse", "correct horse"])
        .await
        .unwrap();
    assert!(desk.signs_in("a@example.com", "correct horse").await);
}

#[tokio::test]
async fn a_users_own_name_is_no_password() {
    let desk = Desk::new().await;
    desk.said("add a@example.com --username marianne").await;
    for line in [
        "set-password marianne",
        "add marianne@example.com",
        "add b@example.com --username mariann",
    ] {
        let weak = desk.pipe(line, &["Marianne1"]).await.0;
        assert!(
            matches!(weak, Err(UserError::Refused(Refused::Weak(Weak::Names)))),
            "{line}: {weak:?}"
        );
    }
    assert!(desk.signs_in("marianne", "correct horse").await);
}

#[test]
fn the_first_line_is_the_password_and_nothing_else_is() {
    let check = |input: &[u8], expected: Option<&str>| {
        let line = terminal::first_line(input).ok();
        assert_eq!(line.as_ref().map(SecretText::expose), expected, "{input:?}");
    };
    check(b"correct horse\n", Some("correct horse"));
    check(b"correct horse", Some("correct horse"));
    check(b"correct horse\r\n", Some("correct horse"));
    check(b" spaces \nsecond\n", Some(" spaces "));
    check(b"\n", Some(""));
    check(b"", None);
    check(b"\xff\n", None);
    let endless = terminal::first_line(io::repeat(b'x')).unwrap();
    assert!(endless.expose().len() > crate::password::rules::MAX_BYTES);
}

#[tokio::test]
async fn what_is_taken_or_unknown_is_said() {
    let desk = Desk::new().await;
    desk.said("add a@example.com --username a").await;
    let taken = desk.pipe("add A@example.com", &["correct horse"]).await.0;
    assert!(
        matches!(taken, Err(UserError::Insert(InsertError::EmailTaken))),
        "{taken:?}"
    );
    for line in [
        "show b",
        "disable b",
        "enable b",
        "remove b",
        "roles b --add x",
        "show ''",
    ] {
        let unknown = desk.pipe(line, &[]).await.0;
        assert!(
            matches!(unknown, Err(UserError::NoSuchUser(_))),
            "{line}: {unknown:?}"
        );
    }
}

#[tokio::test]
async fn what_takes_rights_away_ends_all_sessions_after_the_account_was_written() {
    let desk = Desk::new().await;
    desk.said("add a@example.com --role admin").await;
    let before = desk.user("a@example.com").await.unwrap();
    let ended = || {
        desk.sessions
            .ended
            .lock()
            .pop()
            .expect("sessions were ended")
    };
    desk.clock.advance(Duration::from_secs(1));

    let (done, _) = desk
        .pipe("set-password a@example.com", &["another horse"])
        .await;
    done.unwrap();
    assert_ne!(ended().updated_at, before.user.updated_at);
    assert!(desk.signs_in("a@example.com", "another horse").await);
    assert!(!desk.signs_in("a@example.com", "correct horse").await);

    desk.said("roles a@example.com --remove admin").await;
    assert!(!ended().roles.has_admin());

    desk.said("disable a@example.com").await;
    assert_eq!(ended().status, AccountStatus::Disabled);

    desk.said("enable a@example.com").await;
    assert!(desk.sessions.ended.lock().is_empty());
    let user = desk.user("a@example.com").await.unwrap().user;
    assert_eq!(user.status, AccountStatus::Enabled);

    desk.said("remove a@example.com").await;
    assert_eq!(ended().status, AccountStatus::Disabled);
    assert!(desk.user("a@example.com").await.is_none());
}

#[tokio::test]
async fn a_command_whose_sessions_could_not_be_ended_can_be_run_again() {
    let desk = Desk::new().await;
    desk.said("add a@example.com --role admin").await;
    for line in [
        "roles a@example.com --set ''",
        "disable a@example.com",
        "remove a@example.com",
    ] {
        *desk.sessions.away.lock() = true;
        let failed = desk.pipe(line, &[]).await.0;
        assert!(
            matches!(failed, Err(UserError::SessionsRemain(_))),
            "{line}: {failed:?}"
        );
        *desk.sessions.away.lock() = false;
        desk.said(line).await;
        assert_eq!(desk.sessions.ended.lock().drain(..).count(), 1, "{line}");
    }
}

#[tokio::test]
async fn roles_are_set_added_and_taken_away() {
    let desk = Desk::new().await;
    desk.said("add a@example.com --role a").await;
    let check = async |change: &str, expected: &str| {
        desk.said(&format!("roles a@example.com {change}")).await;
        let user = desk.user("a@example.com").await.unwrap().user;
        assert_eq!(show::roles(&user.roles), expected, "{change}");
    };
    check("--add b,c", "a,b,c").await;
    check("--remove a,c --add d", "b,d").await;
    check("--set x,y", "x,y").await;
    check("--set ''", "-").await;
}

#[test]
fn a_command_line_that_says_two_things_or_none_is_refused() {
    let refused = [
        "roles a@example.com",
        "roles a@example.com --set a --add b",
        "roles a@example.com --set a --remove b",
        "roles a@example.com --add A",
        "add nobody",
        "add a@example.com --username a@b",
        "add a@example.com secret",
        "add a@example.com --password secret",
        "set-password a@example.com secret",
    ];
    for line in refused {
        assert!(parse(line).is_err(), "{line}");
    }
}

#[tokio::test]
async fn an_account_is_shown_by_every_name_and_never_with_its_hash() {
    let desk = Desk::new().await;
    desk.said("add a@example.com --username alice --role admin")
        .await;
    let id = desk.user("alice").await.unwrap().user.id.to_string();
    for name in [id.as_str(), "alice", "A@example.com"] {
        for line in [format!("show {name}"), format!("show {name} --json")] {
            let said = desk.said(&line).await;
            let expected = [
                id.as_str(),
                "a@example.com",
                "alice",
                "admin",
                "2025-11-21T03:39:45",
            ];
            for part in expected {
                assert!(said.contains(part), "{line}: {said}");
            }
            assert!(
                !said.contains("argon2") && !said.contains("password"),
                "{said}"
            );
        }
    }
    for line in ["list", "list --json"] {
        let said = desk.said(line).await;
        assert!(said.contains(&id) && !said.contains("argon2"), "{said}");
    }
}

#[tokio::test]
async fn a_list_has_a_line_for_each_user_and_all_pages() {
    let desk = Desk::new().await;
    let rows: Vec<_> = (0..401)
        .map(|n| format!(r#"{{"email":"u{n}@example.com"}}"#))
        .collect();
    desk.said(&format!("import {}", desk.file(&rows.join("\n"))))
        .await;
    let table = desk.said("list").await;
    assert_eq!(table.lines().count(), 402);
    assert!(table.starts_with("EMAIL "), "{table}");
    let json = desk.said("list --json --search u40").await;
    let mut emails: Vec<_> = json
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["email"].to_string())
        .collect();
    // Both were made in the same millisecond.
    emails.sort();
    assert_eq!(emails, [r#""u400@example.com""#, r#""u40@example.com""#]);
}
