//! The life of accounts over the API: sign-up, codes, passwords, addresses, the end.

use doorward::auth::AccountRules;
use doorward::auth::account::rules::{
    Deliveries, Delivery, Disclosure, EmailDomains, LinkTemplate, SignUpRule,
};
use doorward::auth::account::verify::CodeRequest;
use doorward::auth::{AccountError, Caller};
use doorward::database::Database;
use doorward::limit::{Policy, Quota, Rules};
use doorward::user::{Email, Login};

use super::*;
use crate::support::core::{MAIL_PLACES, Mail, Setup};
use crate::support::mailbox::{digits, token};
use crate::support::postgres::PostgresServer;
use crate::support::redis::until;

const NEW_PASSWORD: &str = "another horse battery";

fn open() -> AccountRules {
    AccountRules {
        sign_up: SignUpRule::Open,
        ..AccountRules::default()
    }
}

fn verified_only() -> Setup {
    Setup {
        email_rule: EmailRule::MustBeVerified,
        accounts: open(),
        ..Setup::default()
    }
}

async fn start(setup: Setup) -> Api {
    Api::over(Core::of(setup).await)
}

impl Api {
    async fn sign_up(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password, "client": "native" });
        self.post("/.doorward/api/sign-up", &body).await
    }

    async fn ask(&self, path: &str, email: &str) -> Answer {
        let path = format!("/.doorward/api/{path}");
        self.post(&path, &json!({ "email": email })).await
    }

    async fn show(&self, path: &str, (email, code): (&str, &str)) -> Answer {
        let path = format!("/.doorward/api/{path}");
        let body = json!({ "email": email, "code": code, "client": "native" });
        self.post(&path, &body).await
    }

    async fn as_user(&self, (method, path): (&str, &str), user: &Answer, body: &Value) -> Answer {
        let token = access(user);
        let request = Request::builder().method(method).uri(path);
        let request = request
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json");
        self.call(request.body(body.to_string()).unwrap()).await
    }

    async fn is_signed_in(&self, user: &Answer) -> bool {
        let answer = self
            .bearer("GET", "/.doorward/api/account", access(user))
            .await;
        answer.status == StatusCode::OK
    }

    /// Mails are made behind the answers.
    async fn has_room_for_mails(&self) {
        let outbox = self.core.outbox.as_ref().unwrap();
        until("there is room for mails", async || {
            let places = (0..MAIL_PLACES).map_while(|_| outbox.place().ok());
            places.collect::<Vec<_>>().len() == MAIL_PLACES
        })
        .await;
    }

    /// A new user with a proved address, signed in.
    async fn member(&self, email: &str) -> Answer {
        assert_eq!(
            self.sign_up(email, PASSWORD).await.status,
            StatusCode::ACCEPTED
        );
        let code = digits(&self.core.mails.next().await.text);
        let verified = self.show("verify-email", (email, &code)).await;
        assert_eq!(verified.status, StatusCode::OK, "{}", verified.body);
        self.sign_in(email, PASSWORD).await
    }
}

fn access(answer: &Answer) -> &str {
    answer.body["access_token"].as_str().unwrap()
}

fn assert_refused(answer: &Answer, (status, code): (StatusCode, &str)) {
    assert_eq!(
        (answer.status, answer.body["code"].as_str()),
        (status, Some(code)),
        "{}",
        answer.body
    );
}

const INVALID_CODE: (StatusCode, &str) = (StatusCode::BAD_REQUEST, "invalid_code");

#[tokio::test]
async fn a_whole_life_in_sqlite() {
    whole_life(start(verified_only()).await).await;
}

#[tokio::test]
async fn a_whole_life_in_postgres() {
    let server = PostgresServer::start();
    let database: Option<Database> = Some(server.database());
    whole_life(
        start(Setup {
            database,
            ..verified_only()
        })
        .await,
    )
    .await;
}

async fn whole_life(api: Api) {
    sign_up_and_prove(&api).await;
    let (one, two) = (
        api.sign_in(ALICE, PASSWORD).await,
        api.sign_in(ALICE, PASSWORD).await,
    );
    change_password(&api, (&one, &two)).await;
    reset_password(&api, &one).await;
    let user = sign_in_by_mail(&api).await;
    move_away(&api, &user).await;
    delete(&api, &user).await;
}

async fn sign_up_and_prove(api: &Api) {
    let answer = api.sign_up(ALICE, PASSWORD).await;
    assert_eq!(answer.body, json!({ "status": "verification_required" }));
    let early = api.sign_in(ALICE, PASSWORD).await;
    assert_refused(&early, (StatusCode::FORBIDDEN, "email_not_verified"));
    let code = digits(&api.core.mails.next().await.text);
    assert_eq!(
        api.show("verify-email", (ALICE, &code)).await.status,
        StatusCode::OK
    );
    let again = api.show("verify-email", (ALICE, &code)).await;
    assert_refused(&again, INVALID_CODE);
}

async fn delete(api: &Api, user: &Answer) {
    let end = ("DELETE", "/.doorward/api/account");
    let wrong = json!({ "current_password": "wrong" });
    assert_refused(
        &api.as_user(end, user, &wrong).await,
        (StatusCode::FORBIDDEN, "wrong_password"),
    );
    let right = json!({ "current_password": NEW_PASSWORD });
    let removed = api.as_user(end, user, &right).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert!(!api.is_signed_in(user).await);
    let gone = api.sign_in("moved@example.com", NEW_PASSWORD).await;
    assert_eq!(gone.status, StatusCode::UNAUTHORIZED);
}

async fn change_password(api: &Api, (one, two): (&Answer, &Answer)) {
    let change = ("POST", "/.doorward/api/password/change");
    let body = json!({ "current_password": PASSWORD, "password": "short" });
    assert_refused(
        &api.as_user(change, one, &body).await,
        (StatusCode::BAD_REQUEST, "weak_password"),
    );
    let body = json!({ "current_password": PASSWORD, "password": "third horse battery" });
    let changed = api.as_user(change, one, &body).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.body);
    assert!(api.is_signed_in(one).await, "this one goes on");
    assert!(!api.is_signed_in(two).await);
    let refresh = json!({ "refresh_token": one.body["refresh_token"] });
    let refreshed = api.post("/.doorward/api/refresh", &refresh).await;
    assert_eq!(refreshed.status, StatusCode::OK);
    assert_eq!(
        api.sign_in(ALICE, PASSWORD).await.status,
        StatusCode::UNAUTHORIZED
    );
}

async fn reset_password(api: &Api, one: &Answer) {
    assert_eq!(
        api.ask("password/forgot", ALICE).await.status,
        StatusCode::ACCEPTED
    );
    let code = digits(&api.core.mails.next().await.text);
    let reset = "/.doorward/api/password/reset";
    let weak = json!({ "email": ALICE, "code": code, "password": "short" });
    assert_refused(
        &api.post(reset, &weak).await,
        (StatusCode::BAD_REQUEST, "weak_password"),
    );
    let body = json!({ "email": ALICE, "code": code, "password": NEW_PASSWORD });
    let done = api.post(reset, &body).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.body);
    assert!(!api.is_signed_in(one).await, "all sessions end");
    assert_refused(&api.post(reset, &body).await, INVALID_CODE);
}

async fn sign_in_by_mail(api: &Api) -> Answer {
    api.ask("code", ALICE).await;
    let code = digits(&api.core.mails.next().await.text);
    let for_another = api.show("verify-email", (ALICE, &code)).await;
    assert_refused(&for_another, INVALID_CODE);
    let user = api.show("code/sign-in", (ALICE, &code)).await;
    assert_eq!(user.status, StatusCode::OK, "{}", user.body);
    assert_refused(
        &api.show("code/sign-in", (ALICE, &code)).await,
        INVALID_CODE,
    );
    assert_eq!(
        api.sign_in(ALICE, NEW_PASSWORD).await.status,
        StatusCode::OK,
        "the password stays"
    );
    user
}

async fn move_away(api: &Api, user: &Answer) {
    let email = ("POST", "/.doorward/api/account/email");
    let body = json!({ "email": "moved@example.com" });
    let asked = api.as_user(email, user, &body).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.body);
    let mail = api.core.mails.next().await;
    assert_eq!(mail.to.as_str(), "moved@example.com");
    let code = digits(&mail.text);
    let to_the_old = api.show("account/email/confirm", (ALICE, &code)).await;
    assert_refused(&to_the_old, INVALID_CODE);
    let moved = api
        .show("account/email/confirm", ("moved@example.com", &code))
        .await;
    assert_eq!(moved.body["email"], "moved@example.com", "{}", moved.body);
    let notice = api.core.mails.next().await;
    assert_eq!(notice.to.as_str(), ALICE);
    assert!(notice.text.contains("moved@example.com"));
}

#[tokio::test]
async fn nothing_is_open_unless_it_is_said() {
    let api = start(Setup {
        mail: Mail::Off,
        ..Setup::default()
    })
    .await;
    api.core.add_user(ALICE, PASSWORD, &[]).await;
    let closed = (StatusCode::FORBIDDEN, "sign_up_disabled");
    assert_refused(&api.sign_up("bob@example.com", PASSWORD).await, closed);
    for path in ["verify-email/resend", "password/forgot", "code"] {
        let off = (StatusCode::FORBIDDEN, "mail_disabled");
        assert_refused(&api.ask(path, ALICE).await, off);
    }
    let bob = Login::Email(Email::parse("bob@example.com").unwrap());
    assert!(api.core.users.by_login(&bob).await.unwrap().is_none());
}

#[tokio::test]
async fn an_address_with_an_account_is_answered_as_one_without() {
    let api = start(verified_only()).await;
    let user = api.core.add_user(ALICE, PASSWORD, &[]).await;
    for path in ["password/forgot", "code", "verify-email/resend"] {
        let (known, unknown) = (
            api.ask(path, ALICE).await,
            api.ask(path, "nobody@example.com").await,
        );
        assert_eq!(known.status, StatusCode::ACCEPTED);
        assert_eq!(
            (known.status, &known.body, &known.headers),
            (unknown.status, &unknown.body, &unknown.headers),
            "{path}"
        );
    }
    let (known, unknown) = (
        api.sign_up(ALICE, NEW_PASSWORD).await,
        api.sign_up("nobody@example.com", NEW_PASSWORD).await,
    );
    assert_eq!(
        (known.status, &known.body, &known.headers),
        (unknown.status, &unknown.body, &unknown.headers)
    );
    for path in ["code/sign-in", "verify-email"] {
        let (known, unknown) = (
            api.show(path, (ALICE, "000000")).await,
            api.show(path, ("no@example.com", "000000")).await,
        );
        assert_refused(&known, INVALID_CODE);
        assert_eq!((known.status, known.body), (unknown.status, unknown.body));
    }
    assert_eq!(
        api.core.users.by_id(user.id).await.unwrap(),
        Some(user),
        "a stranger's sign-up changes nothing"
    );
    assert_eq!(api.sign_in(ALICE, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_owner_of_a_taken_address_hears_of_a_sign_up() {
    let api = start(verified_only()).await;
    api.core.add_user(ALICE, PASSWORD, &[]).await;
    api.sign_up(ALICE, NEW_PASSWORD).await;
    let mail = api.core.mails.next().await;
    assert_eq!(mail.subject, "You have an account at gw.test");
    let body = json!({ "email": ALICE, "code": digits(&mail.text), "password": NEW_PASSWORD });
    let reset = api.post("/.doorward/api/password/reset", &body).await;
    assert_eq!(reset.status, StatusCode::NO_CONTENT, "{}", reset.body);
}

#[tokio::test]
async fn who_must_say_that_an_address_is_taken_says_so() {
    let accounts = AccountRules {
        disclosure: Disclosure::Frank,
        ..open()
    };
    let api = start(Setup {
        accounts,
        ..verified_only()
    })
    .await;
    api.core.add_user(ALICE, PASSWORD, &[]).await;
    let taken = (StatusCode::CONFLICT, "email_taken");
    assert_refused(&api.sign_up(ALICE, NEW_PASSWORD).await, taken);
}

#[tokio::test]
async fn a_user_name_that_is_taken_tells_nothing_of_addresses() {
    let api = start(verified_only()).await;
    api.core.add_user(ALICE, PASSWORD, &[]).await;
    for email in [ALICE, "new@example.com"] {
        let body = json!({ "email": email, "username": "alice", "password": PASSWORD });
        let answer = api.post("/.doorward/api/sign-up", &body).await;
        assert_refused(&answer, (StatusCode::CONFLICT, "username_taken"));
    }
}

#[tokio::test]
async fn without_verification_a_new_user_is_signed_in_with_the_default_roles() {
    let accounts = AccountRules {
        default_roles: ["customer".parse().unwrap()].into_iter().collect(),
        domains: EmailDomains::Only(vec!["example.com".into()]),
        ..open()
    };
    let api = start(Setup {
        accounts,
        ..Setup::default()
    })
    .await;
    let elsewhere = api.sign_up("alice@evil.com", PASSWORD).await;
    let refused = (StatusCode::FORBIDDEN, "email_domain_not_allowed");
    assert_refused(&elsewhere, refused);
    let body = json!({ "email": ALICE, "password": PASSWORD, "client": "native",
        "roles": ["admin"], "email_verified": true });
    let user = api.post("/.doorward/api/sign-up", &body).await;
    assert_eq!(user.status, StatusCode::OK, "{}", user.body);
    assert_eq!(user.body["user"]["roles"], json!(["customer"]));
    assert_eq!(user.body["user"]["email_verified"], false);
    let taken = (StatusCode::CONFLICT, "email_taken");
    assert_refused(&api.sign_up(ALICE, PASSWORD).await, taken);
    let mail = api.core.mails.next().await;
    let code = digits(&mail.text);
    assert_eq!(
        api.show("verify-email", (ALICE, &code)).await.status,
        StatusCode::OK
    );
    assert!(
        !api.is_signed_in(&user).await,
        "sessions from before the proof end"
    );
}

#[tokio::test]
async fn whoever_squats_on_an_address_is_out_when_its_owner_comes() {
    let api = start(verified_only()).await;
    // Somebody else signs up with Alice's address, and waits.
    api.sign_up(ALICE, "the squatter's own").await;
    drop(api.core.mails.next().await);
    api.core.clock.advance(Duration::from_mins(2));
    // Alice comes.
    api.sign_up(ALICE, PASSWORD).await;
    let code = digits(&api.core.mails.next().await.text);
    let verified = api.show("verify-email", (ALICE, &code)).await;
    assert_eq!(verified.status, StatusCode::OK, "{}", verified.body);
    for password in ["the squatter's own", PASSWORD] {
        let answer = api.sign_in(ALICE, password).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{password}");
    }
    let body = json!({ "token": verified.body["reset_token"], "password": NEW_PASSWORD });
    let chosen = api.post("/.doorward/api/password/reset", &body).await;
    assert_eq!(chosen.status, StatusCode::NO_CONTENT, "{}", chosen.body);
    let signed_in = api.sign_in(ALICE, NEW_PASSWORD).await;
    assert_eq!(signed_in.status, StatusCode::OK);
}

#[tokio::test]
async fn a_code_to_sign_in_takes_an_unproved_account_from_whoever_made_it() {
    let api = start(Setup {
        accounts: open(),
        ..Setup::default()
    })
    .await;
    let squatter = api.sign_up(ALICE, "the squatter's own").await;
    drop(api.core.mails.next().await);
    api.ask("code", ALICE).await;
    let code = digits(&api.core.mails.next().await.text);
    let alice = api.show("code/sign-in", (ALICE, &code)).await;
    assert_eq!(alice.status, StatusCode::OK, "{}", alice.body);
    assert!(!api.is_signed_in(&squatter).await);
    assert!(api.is_signed_in(&alice).await);
    let answer = api.sign_in(ALICE, "the squatter's own").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn guessing_ends_after_a_few_tries() {
    let api = start(verified_only()).await;
    api.core.add_user(ALICE, PASSWORD, &[]).await;
    api.ask("code", ALICE).await;
    let code = digits(&api.core.mails.next().await.text);
    let wrong = if code == "000000" { "111111" } else { "000000" };
    for _ in 0..5 {
        let answer = api.show("code/sign-in", (ALICE, wrong)).await;
        assert_refused(&answer, INVALID_CODE);
    }
    let right = api.show("code/sign-in", (ALICE, &code)).await;
    assert_refused(&right, INVALID_CODE);
    // Nor does another code come at once: asked for again and again, that would be no bound at all.
    api.ask("code", ALICE).await;
    api.core.clock.advance(Duration::from_mins(1));
    api.ask("code", ALICE).await;
    let next = digits(&api.core.mails.next().await.text);
    assert_eq!(api.core.mails.count(), 0);
    let answer = api.show("code/sign-in", (ALICE, &next)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

#[tokio::test]
async fn a_code_for_an_address_that_was_left_is_dead() {
    let api = start(verified_only()).await;
    let user = api.member(ALICE).await;
    api.ask("password/forgot", ALICE).await;
    let old = digits(&api.core.mails.next().await.text);
    move_away(&api, &user).await;
    let body = json!({ "email": ALICE, "code": old, "password": NEW_PASSWORD });
    let answer = api.post("/.doorward/api/password/reset", &body).await;
    assert_refused(&answer, INVALID_CODE);
}

#[tokio::test]
async fn an_old_session_needs_the_password_for_what_matters() {
    let api = start(verified_only()).await;
    let user = api.member(ALICE).await;
    api.core.clock.advance(Duration::from_mins(11));
    let calls = [
        ("POST", "/.doorward/api/password/change"),
        ("POST", "/.doorward/api/account/email"),
        ("DELETE", "/.doorward/api/account"),
    ];
    for call in calls {
        let body = json!({ "password": NEW_PASSWORD, "email": "moved@example.com" });
        let answer = api.as_user(call, &user, &body).await;
        assert_refused(&answer, (StatusCode::FORBIDDEN, "password_needed"));
        let body = json!({ "password": NEW_PASSWORD, "email": "moved@example.com",
            "current_password": "wrong" });
        let answer = api.as_user(call, &user, &body).await;
        assert_refused(&answer, (StatusCode::FORBIDDEN, "wrong_password"));
    }
    assert_eq!(api.core.mails.count(), 0);
    assert_eq!(api.sign_in(ALICE, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_user_says_what_they_like_of_themselves_and_nothing_else() {
    let api = start(verified_only()).await;
    let user = api.member(ALICE).await;
    let call = ("PATCH", "/.doorward/api/account");
    let body = json!({ "profile": { "name": "Alice" }, "username": "Ally", "roles": ["admin"],
        "email": "moved@example.com", "email_verified": true });
    let changed = api.as_user(call, &user, &body).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert_eq!(changed.body["username"], "ally");
    assert_eq!(changed.body["profile"], json!({ "name": "Alice" }));
    assert_eq!(changed.body["roles"], json!([]));
    assert_eq!(changed.body["email"], ALICE);
}

#[tokio::test]
async fn a_full_outbox_is_503_for_every_address() {
    let api = start(verified_only()).await;
    api.core.add_user(ALICE, PASSWORD, &[]).await;
    let outbox = api.core.outbox.clone().unwrap();
    let places: Vec<_> = (0..MAIL_PLACES).map(|_| outbox.place().unwrap()).collect();
    for email in [ALICE, "nobody@example.com"] {
        let answer = api.ask("password/forgot", email).await;
        assert_refused(&answer, (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
        let answer = api.sign_up(email, PASSWORD).await;
        assert_refused(&answer, (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    }
    let nobody = Login::Email(Email::parse("nobody@example.com").unwrap());
    assert!(
        api.core.users.by_login(&nobody).await.unwrap().is_none(),
        "nothing half-done"
    );
    drop(places);
    let answer = api.ask("password/forgot", ALICE).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_database_that_is_away_is_503_and_nothing_is_half_done() {
    let mut server = PostgresServer::start();
    let api = start(Setup {
        database: Some(server.database()),
        ..verified_only()
    })
    .await;
    api.core.add_user(ALICE, PASSWORD, &[]).await;
    api.ask("password/forgot", ALICE).await;
    let code = digits(&api.core.mails.next().await.text);
    server.stop();
    let body = json!({ "email": ALICE, "code": code, "password": NEW_PASSWORD });
    let away = (StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    let reset = "/.doorward/api/password/reset";
    assert_refused(&api.post(reset, &body).await, away);
    assert_refused(&api.ask("password/forgot", ALICE).await, away);
    assert_refused(&api.sign_up("new@example.com", PASSWORD).await, away);
    server.start_again();
    assert_eq!(api.sign_in(ALICE, PASSWORD).await.status, StatusCode::OK);
    let done = api.post(reset, &body).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.body);
}

#[tokio::test]
async fn strangers_keep_nobody_from_asking_at_home_and_learn_nothing() {
    let limits = Policy {
        reset: Rules {
            strangers: Quota::parse("3/1h"),
            ..Rules::default()
        },
        ..Policy::off()
    };
    let api = start(Setup {
        limits,
        ..verified_only()
    })
    .await;
    let bob = "bob@example.com";
    api.core.add_user(ALICE, PASSWORD, &[]).await;
    api.core.add_user(bob, PASSWORD, &[]).await;
    // At home one signs in with the password, the other by mail.
    assert_eq!(api.sign_in(ALICE, PASSWORD).await.status, StatusCode::OK);
    api.ask("code", bob).await;
    let code = digits(&api.core.mails.next().await.text);
    let entered = api.show("code/sign-in", (bob, &code)).await;
    assert_eq!(entered.status, StatusCode::OK, "{}", entered.body);
    api.core.clock.advance(Duration::from_hours(1));

    let asks = async |host: u8, email: &str| {
        let request = CodeRequest {
            email: Email::parse(email).unwrap(),
            delivery: None,
            caller: Caller {
                address: [198, 51, 100, host].into(),
                user_agent: String::new(),
                request_id: RequestId::from_bytes([7; 16]),
            },
        };
        match api.core.auth.request_reset(request).await {
            Ok(()) => true,
            Err(AccountError::Limited(_)) => false,
            Err(error) => panic!("{error}"),
        }
    };
    for email in [ALICE, bob, "nobody@example.com"] {
        for host in 0..4 {
            api.has_room_for_mails().await;
            assert_eq!(asks(host, email).await, host < 3, "{email}");
        }
    }
    let limited = (StatusCode::TOO_MANY_REQUESTS, "too_many_requests");
    assert_refused(&api.ask("code", "nobody@example.com").await, limited);
    for email in [ALICE, bob] {
        for path in ["password/forgot", "code", "code"] {
            api.has_room_for_mails().await;
            let answer = api.ask(path, email).await;
            assert_eq!(answer.status, StatusCode::ACCEPTED, "{email} {path}");
        }
        assert_refused(&api.ask("password/forgot", email).await, limited);
    }
}

#[tokio::test]
async fn links_lead_where_the_configuration_says() {
    let template = |path: &str| {
        let url = format!("https://app.example.com/{path}?token={{token}}");
        Delivery::Link(LinkTemplate::parse(&url).unwrap())
    };
    let deliveries = Deliveries {
        verify_email: template("verify"),
        reset_password: template("reset"),
        sign_in: template("in"),
        change_email: template("move"),
    };
    let api = start(Setup {
        accounts: AccountRules {
            deliveries,
            ..open()
        },
        ..verified_only()
    })
    .await;
    let body = json!({ "email": ALICE, "password": PASSWORD }).to_string();
    let request = post("/.doorward/api/sign-up").header("x-forwarded-host", "evil.example");
    let answer = api.call(request.body(body).unwrap()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let mail = api.core.mails.next().await;
    assert!(mail.text.contains("https://app.example.com/verify?token="));
    assert!(!mail.text.contains("Your code") && !mail.text.contains("evil"));
    let body = json!({ "token": token(&mail.text) });
    let verified = api.post("/.doorward/api/verify-email", &body).await;
    assert_eq!(verified.status, StatusCode::OK, "{}", verified.body);
    let again = api.post("/.doorward/api/verify-email", &body).await;
    assert_refused(&again, INVALID_CODE);
}

#[tokio::test]
async fn only_json_makes_an_account_and_no_page_of_another_site_changes_one() {
    let api = start(Setup {
        accounts: open(),
        ..Setup::default()
    })
    .await;
    let body = json!({ "email": ALICE, "password": PASSWORD }).to_string();
    let form = Request::post("/.doorward/api/sign-up").header("content-type", "text/plain");
    let answer = api.call(form.body(body.clone()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let foreign = post("/.doorward/api/sign-up").header("origin", "https://evil.example");
    let answer = api.call(foreign.body(body.clone()).unwrap()).await;
    assert_refused(&answer, (StatusCode::FORBIDDEN, "cross_origin"));
    let own = post("/.doorward/api/sign-up").header("sec-fetch-site", "same-origin");
    let user = api.call(own.body(body).unwrap()).await;
    let cookie = user.headers["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let change = json!({ "password": NEW_PASSWORD }).to_string();
    let ask = |site: &str| {
        post("/.doorward/api/password/change")
            .header("cookie", cookie)
            .header("sec-fetch-site", site)
            .body(change.clone())
            .unwrap()
    };
    let foreign = api.call(ask("cross-site")).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    assert_eq!(api.sign_in(ALICE, PASSWORD).await.status, StatusCode::OK);
    let own = api.call(ask("same-origin")).await;
    assert_eq!(own.status, StatusCode::NO_CONTENT, "{}", own.body);
}

#[tokio::test]
async fn what_happens_to_an_account_is_audited_without_a_code() {
    let api = start(verified_only()).await;
    api.member(ALICE).await;
    api.ask("password/forgot", ALICE).await;
    let code = digits(&api.core.mails.next().await.text);
    let body = json!({ "email": ALICE, "code": code, "password": NEW_PASSWORD });
    api.post("/.doorward/api/password/reset", &body).await;
    let lines = api.core.audited();
    let told = |action: &str, reason: &str| {
        let line = |line: &Value| line["action"] == action && line["reason"] == reason;
        assert!(lines.iter().any(line), "{action} {reason}: {lines:#?}");
    };
    told("sign-up", "signed-up");
    told("verify-email", "verified");
    told("reset-password", "requested");
    told("reset-password", "reset");
    let text = serde_json::to_string(&lines).unwrap();
    assert!(!text.contains(&code) && !text.contains(NEW_PASSWORD));
}
