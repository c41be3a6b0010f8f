//! Users in a Supabase project: the two steps of a sign-in, what a refresh learns, and what becomes of
//! both when the project is not well.

use std::time::{Duration, Instant};

use doorward::auth::tokens::form::Form;
use doorward::auth::{Caller, RefreshError, SignIn, SignInError, SignedIn};
use doorward::id::{RequestId, UserId};
use doorward::policy::ClaimTest;
use doorward::session::{ClientKind, Persistence, SessionKind};
use doorward::trust::Trust;
use doorward::user::{EmailStatus, Role};
use doorward::users::supabase::{AdminRule, Config, RowKey, Table};
use http::StatusCode;
use serde_json::json;

use crate::support::core::{Core, Setup};
use crate::support::doorward::{self as gateway, Doorward};
use crate::support::supabase_project::{ANON, Member, Mood, SERVICE, SupabaseProject};

const ADMIN: &str = "admin@project.test";
const USER: &str = "user@project.test";
const PASSWORD: &str = "correct horse";

pub(crate) fn member(number: u8, email: &'static str) -> Member {
    Member {
        id: UserId::from_bytes([number; 16]),
        email,
        password: PASSWORD,
        confirmed: true,
        banned_until: None,
        role: None,
        row: Some(false),
    }
}

fn admin() -> Member {
    Member {
        row: Some(true),
        ..member(1, ADMIN)
    }
}

/// A project with an admin and a user.
async fn project() -> SupabaseProject {
    let project = SupabaseProject::start().await;
    project.has(admin());
    project.has(member(2, USER));
    project
}

pub(crate) fn config(project: &SupabaseProject) -> Config {
    Config {
        url: project.url.parse().unwrap(),
        anon_key: ANON.into(),
        service_key: None,
        trust: Trust::from_pem(project.ca().as_bytes()).unwrap(),
        admin: AdminRule::Column {
            table: Table {
                schema: "users".into(),
                name: "users".into(),
            },
            column: "is_admin".into(),
            test: ClaimTest::Equals(json!(true)),
        },
        row_key: RowKey::User,
        timeout: Duration::from_secs(5),
        max_concurrent: 4,
    }
}

async fn core_of(config: Config) -> Core {
    Core::of(Setup {
        supabase: Some(config),
        ..Setup::default()
    })
    .await
}

async fn core(project: &SupabaseProject) -> Core {
    core_of(config(project)).await
}

/// With the key that may read everything.
async fn reading_core(project: &SupabaseProject) -> Core {
    core_of(Config {
        service_key: Some(SERVICE.into()),
        ..config(project)
    })
    .await
}

fn caller() -> Caller {
    Caller {
        address: "192.0.2.1".parse().unwrap(),
        user_agent: "a test".to_owned(),
        request_id: RequestId::from_bytes([7; 16]),
    }
}

async fn enter(
    core: &Core,
    (login, password): (&str, &str),
    entrance: SessionKind,
) -> Result<SignedIn, SignInError> {
    let attempt = SignIn {
        form: Form::OWN,
        login: login.to_owned(),
        password: password.into(),
        entrance,
        client: ClientKind::Native,
        persistence: Persistence::Persistent,
        caller: caller(),
    };
    core.auth.sign_in(attempt).await
}

async fn sign_in(core: &Core, login: &str) -> Result<SignedIn, SignInError> {
    enter(core, (login, PASSWORD), SessionKind::User).await
}

async fn refresh(core: &Core, before: &SignedIn) -> Result<SignedIn, RefreshError> {
    let shown = core.auth.session_of(before.refresh.expose()).await;
    let shown = shown.unwrap().unwrap();
    core.auth.refresh(&shown, &Form::OWN, &caller()).await
}

#[tokio::test]
async fn what_stands_for_the_project_is_one_to_its_own_client() {
    let project = project().await;
    let output = tokio::process::Command::new("node")
        .arg("supabase_project.mjs")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients"))
        .env("NODE_EXTRA_CA_CERTS", project.ca_file())
        .env("BASE_URL", &project.url)
        .env("KEY", ANON)
        .env("EMAIL", ADMIN)
        .env("PASSWORD", PASSWORD)
        .kill_on_drop(true)
        .output()
        .await
        .expect("node is installed: ./dev test does it");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert_eq!(said.lines().count(), 7, "{said}");
}

#[tokio::test]
async fn a_sign_in_takes_the_password_grant_and_the_row_and_leaves_no_session_there() {
    let project = project().await;
    let core = core(&project).await;
    let signed_in = sign_in(&core, " Admin@Project.test ").await.unwrap();
    let user = signed_in.user.unwrap();
    assert_eq!(user.id, admin().id);
    assert_eq!(signed_in.session.subject.user, admin().id);
    assert_eq!(user.email.as_str(), ADMIN);
    assert_eq!(user.email_status, EmailStatus::Verified);
    assert_eq!(user.profile["full_name"], "A Member");
    assert!(user.roles.has_admin());
    project.asked_times(3).await;
    let asked = project.asked();
    let whats: Vec<_> = asked.iter().map(|it| it.what.as_str()).collect();
    let row = format!("GET /rest/v1/users?id=eq.{}&limit=2", admin().id);
    let expected = [
        "POST /auth/v1/token?grant_type=password",
        row.as_str(),
        "POST /auth/v1/logout?scope=local",
    ];
    assert_eq!(whats, expected);
    assert!(asked.iter().all(|it| it.api_key == ANON));
    assert_eq!(asked[0].bearer, ANON);
    assert_eq!(asked[1].profile, "users");
    assert!(asked[1].bearer.starts_with("ey"), "the user's own token");
    assert_eq!(project.open_sessions(), 0);
}

#[tokio::test]
async fn only_who_the_row_calls_an_admin_passes_the_admins_entrance() {
    let project = project().await;
    let core = core(&project).await;
    let entered = enter(&core, (ADMIN, PASSWORD), SessionKind::Admin).await;
    assert!(entered.unwrap().session.subject.roles.has_admin());
    let entered = enter(&core, (USER, PASSWORD), SessionKind::Admin).await;
    assert!(matches!(entered, Err(SignInError::NotAdmin)));
    // What users write about themselves makes no admin.
    let user = sign_in(&core, USER).await.unwrap().user.unwrap();
    assert_eq!(user.profile["role"], "admin");
    assert!(user.roles.is_empty());
    project.has(Member {
        row: None,
        ..member(2, USER)
    });
    let entered = sign_in(&core, USER).await;
    assert!(matches!(entered, Err(SignInError::NoAccount)));
}

#[tokio::test]
async fn a_claim_can_make_the_admin_and_then_no_row_is_read() {
    let project = project().await;
    project.has(Member {
        role: Some("admin"),
        row: None,
        ..member(2, USER)
    });
    let core = core_of(Config {
        admin: AdminRule::Claim {
            claim: "app_metadata.role".into(),
            test: ClaimTest::Equals(json!(Role::ADMIN)),
        },
        ..config(&project)
    })
    .await;
    let user = sign_in(&core, USER).await.unwrap().user.unwrap();
    assert!(user.roles.has_admin());
    let other = sign_in(&core, ADMIN).await.unwrap().user.unwrap();
    assert!(other.roles.is_empty());
    assert!(
        !project
            .asked()
            .iter()
            .any(|it| it.what.contains("/rest/v1/"))
    );
}

#[tokio::test]
async fn the_row_can_be_read_with_the_service_key() {
    let project = project().await;
    let core = core_of(Config {
        service_key: Some(SERVICE.into()),
        row_key: RowKey::Service,
        ..config(&project)
    })
    .await;
    sign_in(&core, USER).await.unwrap();
    let asked = project.asked();
    assert_eq!(
        (asked[1].api_key.as_str(), asked[1].bearer.as_str()),
        (SERVICE, SERVICE)
    );
    assert!(asked[0].api_key == ANON && asked[0].bearer == ANON);
}

#[tokio::test]
async fn who_is_unknown_wrong_or_banned_gets_one_answer_in_one_time() {
    let project = project().await;
    project.has(Member {
        banned_until: Some("2126-01-01T00:00:00Z"),
        ..member(3, "banned@project.test")
    });
    let core = core(&project).await;
    let endless = "x".repeat(2000);
    let tries = [
        (USER, "wrong horse"),
        (USER, endless.as_str()),
        ("nobody@project.test", PASSWORD),
        ("banned@project.test", PASSWORD),
        ("banned@project.test", "wrong horse"),
        ("no address", PASSWORD),
        ("user", PASSWORD),
    ];
    for (login, password) in tries {
        let began = Instant::now();
        let entered = enter(&core, (login, password), SessionKind::User).await;
        assert!(
            matches!(entered, Err(SignInError::WrongCredentials)),
            "{login}"
        );
        assert!(began.elapsed() >= Duration::from_millis(500), "{login}");
    }
    let reasons: Vec<_> = core
        .audited()
        .iter()
        .map(|line| line["reason"].as_str().unwrap().to_owned())
        .collect();
    let expected = [
        "wrong-password",
        "wrong-password",
        "wrong-password",
        "account-disabled",
        "account-disabled",
        "unknown-user",
        "unknown-user",
    ];
    assert_eq!(reasons, expected);
}

#[tokio::test]
async fn an_unconfirmed_address_is_told_to_its_owner_alone() {
    let project = project().await;
    project.has(Member {
        confirmed: false,
        ..member(2, USER)
    });
    let core = core(&project).await;
    let owner = sign_in(&core, USER).await;
    assert!(matches!(owner, Err(SignInError::EmailUnverified)));
    let stranger = enter(&core, (USER, "wrong horse"), SessionKind::User).await;
    assert!(matches!(stranger, Err(SignInError::WrongCredentials)));
}

#[tokio::test]
async fn without_a_service_key_a_session_stands_as_it_was_opened() {
    let project = project().await;
    let core = core(&project).await;
    let signed_in = sign_in(&core, ADMIN).await.unwrap();
    project.asked_times(3).await;
    project.forgets(ADMIN);
    let refreshed = refresh(&core, &signed_in).await.unwrap();
    assert!(refreshed.user.is_none());
    assert_eq!(refreshed.session.subject, signed_in.session.subject);
    assert_eq!(project.asked().len(), 3);
}

#[tokio::test]
async fn with_a_service_key_a_refresh_learns_what_became_of_the_user() {
    let project = project().await;
    let core = reading_core(&project).await;
    let admins = enter(&core, (ADMIN, PASSWORD), SessionKind::Admin).await;
    let admins = admins.unwrap();
    let admins = refresh(&core, &admins).await.unwrap();
    let theirs = sign_in(&core, USER).await.unwrap();
    project.has(Member {
        row: Some(true),
        ..member(2, USER)
    });
    let theirs = refresh(&core, &theirs).await.unwrap();
    assert!(theirs.session.subject.roles.has_admin());
    // No longer an admin, banned, without a row, gone: each ends the session.
    project.has(member(1, ADMIN));
    let refused = refresh(&core, &admins).await;
    assert!(matches!(refused, Err(RefreshError::UserGone)));
    let ends: [fn(&SupabaseProject); 3] = [
        |project| {
            project.has(Member {
                banned_until: Some("2126-01-01T00:00:00Z"),
                ..member(2, USER)
            });
        },
        |project| {
            project.has(Member {
                row: None,
                ..member(2, USER)
            });
        },
        |project| project.forgets(USER),
    ];
    for end in ends {
        project.has(member(2, USER));
        let signed_in = sign_in(&core, USER).await.unwrap();
        end(&project);
        let refused = refresh(&core, &signed_in).await;
        assert!(matches!(refused, Err(RefreshError::UserGone)));
        let session = core.auth.session_of(signed_in.refresh.expose()).await;
        assert!(session.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_project_that_is_not_well_signs_nobody_in_and_nobody_out() {
    let project = project().await;
    let core = core_of(Config {
        service_key: Some(SERVICE.into()),
        timeout: Duration::from_millis(300),
        ..config(&project)
    })
    .await;
    let mut signed_in = sign_in(&core, USER).await.unwrap();
    let moods = [
        Mood::Limited,
        Mood::Broken,
        Mood::Nonsense,
        Mood::Endless,
        Mood::Silent,
    ];
    for mood in moods {
        project.is(mood);
        let refused = sign_in(&core, USER).await;
        match mood {
            Mood::Limited => assert!(matches!(refused, Err(SignInError::Busy)), "{mood:?}"),
            _ => assert!(
                matches!(refused, Err(SignInError::Unavailable(_))),
                "{mood:?}: {refused:?}"
            ),
        }
        signed_in = refresh(&core, &signed_in).await.unwrap();
        assert!(signed_in.user.is_none(), "{mood:?}");
        // An answer closes the breaker.
        core.clock.advance(Duration::from_secs(10));
        project.is(Mood::Well);
        signed_in = refresh(&core, &signed_in).await.unwrap();
        assert!(signed_in.user.is_some(), "{mood:?}");
    }
}

#[tokio::test]
async fn a_wrong_key_of_ours_is_not_the_users_fault() {
    let project = project().await;
    let core = core_of(Config {
        anon_key: "an old key".into(),
        ..config(&project)
    })
    .await;
    let refused = sign_in(&core, USER).await;
    assert!(matches!(refused, Err(SignInError::Unavailable(_))));
}

#[tokio::test]
async fn a_project_of_another_authority_is_told_no_password() {
    let (project, other) = (project().await, project().await);
    let core = core_of(Config {
        trust: Trust::from_pem(other.ca().as_bytes()).unwrap(),
        ..config(&project)
    })
    .await;
    let refused = sign_in(&core, USER).await;
    assert!(matches!(refused, Err(SignInError::Unavailable(_))));
    assert!(project.asked().is_empty());
}

#[tokio::test]
async fn a_failing_project_is_left_alone_until_its_time_is_over() {
    let project = project().await;
    let core = core(&project).await;
    project.is(Mood::Broken);
    for _ in 0..5 {
        assert!(sign_in(&core, USER).await.is_err());
    }
    assert_eq!(project.asked().len(), 5);
    project.is(Mood::Well);
    let refused = sign_in(&core, USER).await;
    assert!(matches!(refused, Err(SignInError::Unavailable(_))));
    assert_eq!(project.asked().len(), 5);
    core.clock.advance(Duration::from_secs(10));
    assert!(sign_in(&core, USER).await.is_ok());
}

#[tokio::test]
async fn who_finds_no_desk_in_time_is_told_to_come_again() {
    let project = project().await;
    project.is(Mood::Silent);
    let core = core_of(Config {
        timeout: Duration::from_millis(500),
        max_concurrent: 1,
        ..config(&project)
    })
    .await;
    let tries = (0..4).map(|_| sign_in(&core, USER));
    let refused = futures_util::future::join_all(tries).await;
    let busy = refused
        .iter()
        .filter(|it| matches!(it, Err(SignInError::Busy)));
    assert!(busy.count() >= 2, "{refused:?}");
    assert!(project.asked().len() <= 2);
}

#[tokio::test]
async fn a_gateway_with_users_in_a_project_signs_them_in_and_manages_none() {
    let project = project().await;
    project.has(Member {
        password: gateway::PASSWORD,
        ..member(2, USER)
    });
    let setup = gateway::Setup {
        more: format!(
            "[users.supabase]\nurl = \"{}\"\nca = \"project-ca.pem\"\nanon_key = {{ file = \"anon\" }}\n",
            project.url
        ),
        files: vec![
            ("project-ca.pem", project.ca()),
            ("anon", format!("{ANON}\n")),
        ],
        ..gateway::Setup::default()
    };
    let running = Doorward::with(setup).await;
    let tokens = running.sign_in(USER).await;
    assert_eq!(
        running.get("/orders", Some(&tokens.access)).await.status,
        StatusCode::OK
    );
    let seen = running.sample.seen().len();
    assert_eq!(
        running.get("/admin/x", Some(&tokens.access)).await.status,
        StatusCode::FORBIDDEN
    );
    let session = running
        .get("/.doorward/api/session", Some(&tokens.access))
        .await;
    assert_eq!(session.status, StatusCode::OK, "{}", session.text);
    assert!(session.text.contains(USER), "{}", session.text);
    assert_eq!(running.sample.seen().len(), seen);
    for arguments in [vec!["user", "list"], vec!["user", "add", "a@example.com"]] {
        let output = running.command(&arguments, "correct horse battery\n");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(said.contains("users are kept by Supabase"), "{said}");
    }
    let create = ["api-key", "create", "ops", "--service", "ops"];
    let key = running.command(&[&create[..], &["--role", "admin"]].concat(), "");
    let key = String::from_utf8(key.stdout).unwrap();
    let key = Some(key.trim());
    let api = |path: &str| format!("/.doorward/api/admin/{path}");
    running.until(StatusCode::OK, (&api("sessions"), key)).await;
    let listed = running.get(&api("users"), key).await;
    let made = running
        .post(&api("users"), key, &json!({"email": "a@example.com"}))
        .await;
    let imported = running.post(&api("users/import"), key, &json!([])).await;
    for refused in [listed, made, imported] {
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
        assert_eq!(refused.json()["code"], "users_kept_elsewhere");
    }
}
