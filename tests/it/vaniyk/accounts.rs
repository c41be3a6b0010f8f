//! Sign-up, passwords and addresses in the `vaniyk` dialect.

use doorward::auth::account::rules::{Deliveries, Delivery, LinkTemplate};
use doorward::auth::{AccountRules, EmailRule};
use doorward::limit::{Policy, Quota, Rules};

use super::*;
use crate::gotrue::assert_added_by;
use crate::support::mailbox::{digits, token};

const SECRET: &str = "an admin secret of at least 32 bytes";
const NEW: &str = "new@example.com";

fn open(email_rule: EmailRule) -> Bed {
    Bed {
        admin_secret: Some(SECRET),
        ..Bed::open(Shape::Vaniyk, email_rule)
    }
}

async fn start() -> Bench {
    open(EmailRule::MustBeVerified).start().await
}

async fn post(bench: &Bench, path: &str, body: Value) -> Answer {
    bench.post(&format!("/api/auth/{path}"), body, &[]).await
}

fn person(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "name": "New" })
}

fn with_secret(mut body: Value, secret: &str) -> Value {
    body["adminSecret"] = json!(secret);
    body
}

#[track_caller]
fn is_directory_id(id: &str) -> bool {
    id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[tokio::test]
async fn a_sign_up_has_a_session_where_no_address_must_be_proved() {
    let bench = open(EmailRule::MayBeUnverified).start().await;
    let answer = post(&bench, "signup", person(NEW)).await.expect(201);
    assert_eq!(names(&answer.json), ["message", "session", "user"]);
    assert_eq!(answer.json["message"], "User created successfully");
    assert_eq!(names(&answer.json["user"]), ["email", "id", "name"]);
    assert_eq!(answer.json["user"]["name"], "New");
    assert!(is_directory_id(answer.text("/user/id")));
    let token = bearer(answer.text("/session/access_token"));
    let profile = bench
        .get(PROFILE, &[("authorization", &token)])
        .await
        .expect(200);
    assert_eq!(profile.json["user"]["role"], "user");
    assert_eq!(profile.json["user"]["emailVerified"], false);
    let again = post(&bench, "signup", person(NEW)).await;
    assert_error(&again, 400, "User already registered");
}

#[tokio::test]
async fn an_address_that_is_to_be_proved_is_answered_alike_whoever_has_it() {
    let bench = start().await;
    for email in [NEW, EMAIL] {
        let answer = post(&bench, "signup", person(email)).await.expect(201);
        assert_eq!(answer.json["session"], Value::Null);
        assert!(is_directory_id(answer.text("/user/id")));
        assert_ne!(answer.text("/user/id"), directory_id(bench.user.id));
        let expected = json!({
            "message": "User created successfully",
            "user": { "id": answer.text("/user/id"), "email": email, "name": "New" },
            "session": null,
        });
        assert_eq!(answer.json, expected);
        bench.mail_to(email).await;
    }
    let refused = login(&bench, LOGIN, NEW).await;
    assert_error(&refused, 401, "Email not confirmed");
}

#[tokio::test]
async fn the_secret_makes_an_administrator_once_the_address_is_proved() {
    let bench = start().await;
    let body = with_secret(person(NEW), SECRET);
    let answer = post(&bench, "signup/admin", body.clone()).await.expect(201);
    let expected = json!({
        "message": "Admin user created successfully",
        "user": { "id": answer.text("/user/id"), "email": NEW, "name": "New", "role": "admin" },
        "session": null,
    });
    assert_eq!(answer.json, expected);
    assert_added_by(&bench, "vaniyk:admin-secret");
    let refused = login(&bench, ADMIN_LOGIN, NEW).await;
    assert_error(&refused, 401, "Email not confirmed");
    let code = bench.digits_to(NEW).await;
    let proof = json!({ "email": NEW, "token": code });
    let verified = post(&bench, "email/verify", proof).await.expect(200);
    assert_eq!(names(&verified.json), ["message", "session"]);
    assert_eq!(verified.json["message"], "Email verified successfully");
    login(&bench, ADMIN_LOGIN, NEW).await.expect(200);
    let taken = post(&bench, "signup/admin", body).await;
    assert_error(&taken, 400, "User already registered");
}

#[tokio::test]
async fn nobody_is_an_administrator_without_the_secret() {
    let bench = start().await;
    let near = SECRET.replace("32", "33");
    for secret in ["", "wrong", &near, &SECRET.to_uppercase()] {
        let body = with_secret(person(NEW), secret);
        let answer = post(&bench, "signup/admin", body).await;
        assert_error(&answer, 403, "Invalid admin secret");
    }
    let without = post(&bench, "signup/admin", person(NEW)).await;
    assert_error(&without, 403, "Invalid admin secret");
    // Where none is configured, none is right.
    let bare = Bed::open(Shape::Vaniyk, EmailRule::MustBeVerified);
    let bare = bare.start().await;
    let answer = post(&bare, "signup/admin", with_secret(person(NEW), "")).await;
    assert_error(&answer, 403, "Invalid admin secret");
    // And nobody asks for a role.
    let mut body = person(NEW);
    body["role"] = json!("admin");
    post(&bench, "signup", body).await.expect(201);
    let code = bench.digits_to(NEW).await;
    let proof = json!({ "email": NEW, "token": code, "type": "signup" });
    post(&bench, "email/verify", proof).await.expect(200);
    let refused = login(&bench, ADMIN_LOGIN, NEW).await;
    assert_error(&refused, 403, "Access denied. Admin privileges required.");
}

#[tokio::test]
async fn guesses_at_the_secret_are_limited() {
    let limits = Policy {
        api_key: Rules {
            address: Quota::parse("2/1h"),
            ..Rules::default()
        },
        ..Policy::off()
    };
    let bed = Bed {
        limits,
        ..open(EmailRule::MustBeVerified)
    };
    let bench = bed.start().await;
    let right = with_secret(person(NEW), SECRET);
    post(&bench, "signup/admin", right.clone())
        .await
        .expect(201);
    for _ in 0..2 {
        let body = with_secret(person(NEW), "wrong");
        post(&bench, "signup/admin", body).await.expect(403);
    }
    for _ in 0..50 {
        let answer = post(&bench, "signup/admin", right.clone()).await;
        assert_error(&answer, 429, "Request rate limit reached");
        assert!(answer.headers.contains_key("retry-after"));
    }
    let told = bench.core.audited();
    let refused = |reason: &str| {
        let of = |entry: &&Value| entry["outcome"] == "refused" && entry["reason"] == reason;
        told.iter().filter(of).count()
    };
    assert_eq!(refused("wrong-admin-secret"), 2);
    // As many lines a minute as other limited attempts of one address may have.
    assert_eq!(refused("limited"), 4);
    let told = json!(told).to_string();
    assert!(
        !told.contains("\"wrong\"") && !told.contains(SECRET),
        "{told}"
    );
}

#[tokio::test]
async fn a_password_is_reset_by_the_code_of_a_mail() {
    let bench = start().await;
    for email in ["nobody@example.com", EMAIL] {
        let body = json!({ "email": email });
        let answer = post(&bench, "password-reset/request", body)
            .await
            .expect(200);
        assert_eq!(
            answer.json,
            json!({ "message": "Password reset email sent" })
        );
    }
    let code = bench.digits_to(EMAIL).await;
    let new = "another horse battery";
    let body = json!({ "email": EMAIL, "token": code, "password": new });
    let answer = post(&bench, "password-reset/update", body.clone())
        .await
        .expect(200);
    assert_eq!(
        answer.json,
        json!({ "message": "Password updated successfully" })
    );
    let again = post(&bench, "password-reset/update", body).await;
    assert_error(&again, 400, "Token has expired or is invalid");
    let body = json!({ "email": EMAIL, "password": new });
    post(&bench, "login", body).await.expect(200);
    bench.expect_no_other_mail().await;
}

#[tokio::test]
async fn a_password_is_reset_in_the_session_that_a_link_opens() {
    let link = || LinkTemplate::parse("https://app.test/?token={token}").unwrap();
    let bed = open(EmailRule::MustBeVerified);
    let accounts = AccountRules {
        deliveries: Deliveries {
            verify_email: Delivery::Link(link()),
            reset_password: Delivery::Link(link()),
            ..Deliveries::default()
        },
        ..bed.accounts
    };
    let bench = Bed { accounts, ..bed }.start().await;
    let body = json!({ "email": EMAIL });
    post(&bench, "password-reset/request", body)
        .await
        .expect(200);
    let code = token(&bench.mail_to(EMAIL).await);
    let body = json!({ "token_hash": code, "type": "recovery" });
    let verified = post(&bench, "email/verify", body).await.expect(200);
    let session = bearer(verified.text("/session/access_token"));
    let headers = [("authorization", session.as_str())];
    let update = async |headers: &[(&str, &str)], password: &str| {
        let body = json!({ "password": password });
        bench
            .post("/api/auth/password-reset/update", body, headers)
            .await
    };
    let new = "another horse battery";
    assert_error(&update(&[], new).await, 400, "Auth session missing!");
    let weak = update(&headers, "short").await;
    assert_eq!(weak.status, 400);
    update(&headers, new).await.expect(200);
    let body = json!({ "email": EMAIL, "password": new });
    post(&bench, "login", body).await.expect(200);

    post(&bench, "signup", person(NEW)).await.expect(201);
    let code = token(&bench.mail_to(NEW).await);
    let body = json!({ "token_hash": code });
    post(&bench, "email/verify", body.clone()).await.expect(200);
    let again = post(&bench, "email/verify", body).await;
    assert_error(&again, 400, "Token has expired or is invalid");
    login(&bench, LOGIN, NEW).await.expect(200);
}

#[tokio::test]
async fn the_mail_that_proves_an_address_comes_again() {
    let bench = start().await;
    post(&bench, "signup", person(NEW)).await.expect(201);
    bench.mail_to(NEW).await;
    for email in [NEW, EMAIL, "nobody@example.com"] {
        let body = json!({ "email": email });
        let answer = post(&bench, "email/resend", body).await.expect(200);
        assert_eq!(answer.json, json!({ "message": "Verification email sent" }));
    }
    let code = digits(&bench.mail_to(NEW).await);
    let proof = json!({ "email": NEW, "token": code });
    post(&bench, "email/verify", proof).await.expect(200);
    bench.expect_no_other_mail().await;
}

#[tokio::test]
async fn whatever_is_wrong_with_a_request_is_a_400() {
    let bench = start().await;
    let check = async |path: &str, body: Value, error: &str| {
        assert_error(&post(&bench, path, body).await, 400, error);
    };
    let format = "Unable to validate email address: invalid format";
    check(
        "signup",
        json!({ "email": "new", "password": PASSWORD }),
        format,
    )
    .await;
    let missing = "Signup requires a valid email";
    check("signup", json!({ "password": PASSWORD }), missing).await;
    let missing = "Signup requires a valid password";
    check("signup", json!({ "email": NEW }), missing).await;
    let missing = "Password recovery requires an email";
    check("password-reset/request", json!({}), missing).await;
    let missing = "Type provided requires an email address";
    check("email/resend", json!({}), missing).await;
    let missing = "Verify requires either a token or a token hash";
    check("email/verify", json!({}), missing).await;
    let odd = json!({ "type": "email_change", "token_hash": "abc" });
    check("email/verify", odd, "Unsupported verification type").await;
    let closed = Bench::start(Shape::Vaniyk).await;
    let answer = post(&closed, "signup", person(NEW)).await;
    assert_error(&answer, 400, "Signups not allowed for this instance");
    let answer = bench.get("/api/auth/signup", &[]).await;
    assert_error(&answer, 405, "method not allowed");
}
