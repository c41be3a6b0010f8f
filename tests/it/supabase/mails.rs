//! The endpoints that send mails, and what they do for addresses without an account: nothing that shows.

use doorward::auth::EmailRule;
use doorward::limit::{Policy, Quota, Rules};
use doorward::user::{Email, Login};

use super::*;
use crate::support::core::Mail;

const NEW: &str = "new@example.com";

fn open() -> Bed {
    Bed::open(Shape::Supabase, EmailRule::MustBeVerified)
}

async fn ask(bench: &Bench, path: &str, body: Value) -> Answer {
    bench.post(&format!("/auth/v1/{path}"), body, &[]).await
}

async fn verify(bench: &Bench, (kind, email): (&str, &str), code: &str) -> Answer {
    let body = json!({ "type": kind, "email": email, "token": code });
    ask(bench, "verify", body).await
}

async fn put_user(bench: &Bench, session: &Answer, body: Value) -> Answer {
    let token = bearer(session.text("/access_token"));
    let headers = [("authorization", token.as_str())];
    bench
        .send((Method::PUT, USER), &headers, body.to_string())
        .await
}

async fn has_account(bench: &Bench, email: &str) -> bool {
    let login = Login::Email(Email::parse(email).unwrap());
    bench.core.users.by_login(&login).await.unwrap().is_some()
}

#[tokio::test]
async fn nothing_tells_an_address_with_an_account_from_one_without() {
    let bench = open().start().await;
    for (path, more) in [
        ("recover", json!({})),
        ("otp", json!({ "create_user": false })),
        ("resend", json!({ "type": "signup" })),
    ] {
        let answers = [EMAIL, "nobody@example.com"].map(|email| {
            let mut body = more.clone();
            body["email"] = json!(email);
            ask(&bench, path, body)
        });
        for answer in answers {
            let answer = answer.await.expect(200);
            assert_eq!(answer.json, json!({}), "{path}");
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
    // The address of this user is proved, so there is nothing to send again.
    bench.mail_to(EMAIL).await;
    bench.mail_to(EMAIL).await;
    bench.expect_no_other_mail().await;
    assert!(!has_account(&bench, "nobody@example.com").await);
}

#[tokio::test]
async fn a_forgotten_password_is_set_in_the_session_that_its_code_opens() {
    let bench = open().start().await;
    let before = sign_in(&bench).await;
    ask(&bench, "recover", json!({ "email": EMAIL }))
        .await
        .expect(200);
    let code = bench.digits_to(EMAIL).await;
    let wrong = verify(&bench, ("magiclink", EMAIL), &code).await;
    assert_fault(&wrong, 403, "otp_expired");
    let session = verify(&bench, ("recovery", EMAIL), &code).await.expect(200);
    let again = verify(&bench, ("recovery", EMAIL), &code).await;
    assert_fault(&again, 403, "otp_expired");
    let new = "another horse battery";
    put_user(&bench, &session, json!({ "password": new }))
        .await
        .expect(200);
    let body = json!({ "email": EMAIL, "password": new });
    bench.post(PASSWORD_GRANT, body, &[]).await.expect(200);
    let old = user(&bench, before.text("/access_token")).await;
    assert_fault(&old, 403, "session_not_found");
}

#[tokio::test]
async fn a_code_signs_in_and_makes_an_account_where_one_may_be_made() {
    let bench = open().start().await;
    ask(&bench, "otp", json!({ "email": EMAIL }))
        .await
        .expect(200);
    let code = bench.digits_to(EMAIL).await;
    let session = verify(&bench, ("email", EMAIL), &code).await.expect(200);
    assert_eq!(session.text("/user/id"), bench.user.id.to_string());

    let body = json!({ "email": NEW, "create_user": true, "data": { "name": "New" } });
    ask(&bench, "otp", body).await.expect(200);
    let code = bench.digits_to(NEW).await;
    let session = verify(&bench, ("email", NEW), &code).await.expect(200);
    assert_eq!(
        session.json["user"]["user_metadata"],
        json!({ "name": "New" })
    );
    ask(&bench, "magiclink", json!({ "email": NEW }))
        .await
        .expect(200);
    let code = bench.digits_to(NEW).await;
    verify(&bench, ("magiclink", NEW), &code).await.expect(200);

    let closed = Bench::start(Shape::Supabase).await;
    let body = json!({ "email": NEW, "create_user": true });
    ask(&closed, "otp", body).await.expect(200);
    closed.expect_no_other_mail().await;
    assert!(!has_account(&closed, NEW).await);
}

#[tokio::test]
async fn a_code_that_was_asked_for_drops_the_password_of_whoever_came_before() {
    let bench = open().start().await;
    let body = json!({ "email": NEW, "password": PASSWORD });
    ask(&bench, "signup", body.clone()).await.expect(200);
    bench.mail_to(NEW).await;
    ask(&bench, "otp", json!({ "email": NEW }))
        .await
        .expect(200);
    let code = bench.digits_to(NEW).await;
    verify(&bench, ("email", NEW), &code).await.expect(200);
    let refused = bench.post(PASSWORD_GRANT, body, &[]).await;
    assert_fault(&refused, 400, "invalid_credentials");
}

#[tokio::test]
async fn the_code_of_a_sign_up_comes_again() {
    let bench = open().start().await;
    let body = json!({ "email": NEW, "password": PASSWORD });
    ask(&bench, "signup", body).await.expect(200);
    let first = bench.digits_to(NEW).await;
    ask(&bench, "resend", json!({ "type": "signup", "email": NEW }))
        .await
        .expect(200);
    let second = bench.digits_to(NEW).await;
    if first != second {
        let old = verify(&bench, ("signup", NEW), &first).await;
        assert_fault(&old, 403, "otp_expired");
    }
    verify(&bench, ("email", NEW), &second).await.expect(200);
    let login = json!({ "email": NEW, "password": PASSWORD });
    bench.post(PASSWORD_GRANT, login, &[]).await.expect(200);
}

#[tokio::test]
async fn an_address_moves_when_its_mail_is_answered() {
    let bench = open().start().await;
    let session = sign_in(&bench).await;
    let same = put_user(&bench, &session, json!({ "email": EMAIL }))
        .await
        .expect(200);
    assert!(same.json.get("new_email").is_none());
    let asked = put_user(&bench, &session, json!({ "email": NEW }))
        .await
        .expect(200);
    assert_eq!(asked.json["email"], EMAIL);
    assert_eq!(asked.json["new_email"], NEW);
    let code = bench.digits_to(NEW).await;
    let wrong = verify(&bench, ("email", NEW), &code).await;
    assert_fault(&wrong, 403, "otp_expired");
    let moved = verify(&bench, ("email_change", NEW), &code)
        .await
        .expect(200);
    assert_eq!(moved.text("/user/id"), bench.user.id.to_string());
    assert_eq!(moved.text("/user/email"), NEW);
    let told = bench.mail_to(EMAIL).await;
    assert!(told.contains(NEW), "{told}");
    // One that has an account gets none, and the answer does not tell.
    let taken = put_user(&bench, &session, json!({ "email": crate::gotrue::ADMIN })).await;
    assert_eq!(taken.expect(200).json["new_email"], crate::gotrue::ADMIN);
    assert_eq!(bench.core.mails.count(), 0);
}

#[tokio::test]
async fn a_session_that_is_not_fresh_sets_a_password_with_the_nonce_of_a_mail() {
    let bench = open().start().await;
    let session = sign_in(&bench).await;
    bench.core.clock.advance(Duration::from_mins(11));
    let new = "another horse battery";
    let stale = put_user(&bench, &session, json!({ "password": new })).await;
    assert_fault(&stale, 400, "reauthentication_needed");
    let wrong = json!({ "password": new, "nonce": "no such" });
    let wrong = put_user(&bench, &session, wrong).await;
    assert_fault(&wrong, 422, "reauthentication_not_valid");
    let nobody = bench.get("/auth/v1/reauthenticate", &[]).await;
    assert_fault(&nobody, 401, "no_authorization");
    let token = bearer(session.text("/access_token"));
    let headers = [("authorization", token.as_str())];
    bench
        .get("/auth/v1/reauthenticate", &headers)
        .await
        .expect(200);
    let nonce = bench.digits_to(EMAIL).await;
    // A password that is no good costs nobody their nonce.
    let weak = json!({ "password": "short", "nonce": nonce });
    let weak = put_user(&bench, &session, weak).await;
    assert_fault(&weak, 422, "weak_password");
    let body = json!({ "password": new, "nonce": nonce });
    put_user(&bench, &session, body.clone()).await.expect(200);
    let again = put_user(&bench, &session, body).await;
    assert_fault(&again, 422, "reauthentication_not_valid");
    let body = json!({ "email": EMAIL, "password": new });
    bench.post(PASSWORD_GRANT, body, &[]).await.expect(200);
}

#[tokio::test]
async fn the_nonce_of_somebody_else_is_none() {
    let bench = open().start().await;
    let session = sign_in(&bench).await;
    bench.core.clock.advance(Duration::from_mins(11));
    ask(&bench, "recover", json!({ "email": crate::gotrue::ADMIN }))
        .await
        .expect(200);
    let nonce = bench.digits_to(crate::gotrue::ADMIN).await;
    let body = json!({ "password": "another horse battery", "nonce": nonce });
    let refused = put_user(&bench, &session, body).await;
    assert_fault(&refused, 422, "reauthentication_not_valid");
}

#[tokio::test]
async fn each_refused_mail_has_its_code() {
    let bench = open().start().await;
    let check = async |path: &str, body: Value, (status, code): (u16, &str)| {
        assert_fault(&ask(&bench, path, body).await, status, code);
    };
    let invalid = (400, "validation_failed");
    let phone = (400, "phone_provider_disabled");
    check("recover", json!({}), invalid).await;
    check("recover", json!({ "email": "new" }), invalid).await;
    check("otp", json!({}), invalid).await;
    check("otp", json!({ "phone": "+49" }), phone).await;
    check(
        "otp",
        json!({ "email": NEW, "create_user": 1 }),
        (400, "bad_json"),
    )
    .await;
    check("magiclink", json!({}), invalid).await;
    check("resend", json!({ "email": NEW }), invalid).await;
    check("resend", json!({ "type": "signup" }), invalid).await;
    check("resend", json!({ "type": "sms", "phone": "+49" }), phone).await;
    let change = json!({ "type": "email_change", "email": EMAIL });
    check("resend", change, invalid).await;
    bench.expect_no_other_mail().await;

    let silent = Bed {
        mail: Mail::Off,
        ..open()
    };
    let silent = silent.start().await;
    for (path, body) in [
        ("signup", json!({ "email": NEW, "password": PASSWORD })),
        ("recover", json!({ "email": EMAIL })),
        ("otp", json!({ "email": EMAIL })),
        ("resend", json!({ "type": "signup", "email": EMAIL })),
    ] {
        let answer = ask(&silent, path, body).await;
        assert_fault(&answer, 400, "email_provider_disabled");
    }
}

#[tokio::test]
async fn mails_and_guesses_are_limited() {
    let one = Rules {
        address: Quota::parse("1/1h"),
        ..Rules::default()
    };
    let limits = Policy {
        reset: one,
        code: one,
        ..Policy::off()
    };
    let bench = Bed { limits, ..open() }.start().await;
    ask(&bench, "recover", json!({ "email": EMAIL }))
        .await
        .expect(200);
    for path in ["recover", "otp", "magiclink"] {
        let limited = ask(&bench, path, json!({ "email": EMAIL })).await;
        assert_fault(&limited, 429, "over_email_send_rate_limit");
        assert!(limited.headers.contains_key("retry-after"));
    }
    let wrong = verify(&bench, ("email", EMAIL), "000000").await;
    assert_fault(&wrong, 403, "otp_expired");
    let limited = verify(&bench, ("email", EMAIL), "000000").await;
    assert_fault(&limited, 429, "over_request_rate_limit");
}
