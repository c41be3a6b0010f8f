//! The `strikebet` dialect over the real core.

use doorward::dialect::Shape;
use doorward::limit::{Policy, Quota, Rules};
use doorward::user::AccountStatus;
use doorward::users::UserChange;
use http::Method;
use serde_json::{Value, json};

use crate::gotrue::{ADMIN, Answer, Bed, Bench, EMAIL, PASSWORD, decoded, names, seed};

const LOGIN: &str = "/login-admin";
const TOKEN: &str = "/token?grant_type=refresh_token";

async fn login(bench: &Bench, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    bench.post(LOGIN, body, &[]).await
}

#[track_caller]
fn assert_error(answer: &Answer, status: u16, msg: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.json);
    assert_eq!(answer.json["code"], status);
    assert_eq!(answer.json["msg"], msg);
    assert_eq!(names(&answer.json), ["code", "details", "msg"]);
}

#[tokio::test]
async fn an_administrator_gets_a_flat_session_and_what_the_directory_has() {
    let bench = Bench::start(Shape::Strikebet).await;
    let profile = json!({ "first_name": "Jane", "last_name": "Admin" });
    let user = bench
        .add_person(("jane@example.com", PASSWORD), profile.clone())
        .await;
    let answer = login(&bench, "jane@example.com", PASSWORD)
        .await
        .expect(200);
    let (user_id, created_at) = (user.id.to_string(), user.created_at.to_string());
    let expected = [
        "access_token",
        "admin_details",
        "expires_at",
        "expires_in",
        "refresh_token",
        "token_type",
        "user",
    ];
    assert_eq!(names(&answer.json), expected);
    assert_eq!(answer.json["token_type"], "bearer");
    assert_eq!(answer.json["expires_in"], 3600);
    let (_, claims) = decoded(answer.text("/access_token"));
    assert_eq!(answer.json["expires_at"], claims["exp"]);
    let expected = json!({
        "id": user_id, "email": "jane@example.com", "is_admin": true, "created_at": created_at,
    });
    assert_eq!(answer.json["admin_details"], expected);
    let expected = json!({
        "id": user_id, "aud": "authenticated", "role": "authenticated", "email": "jane@example.com",
        "phone": null, "email_confirmed_at": created_at, "phone_confirmed_at": null,
        "last_sign_in_at": created_at,
        "app_metadata": { "provider": "email", "providers": ["email"] },
        "user_metadata": profile,
        "created_at": created_at, "updated_at": user.updated_at.to_string(),
    });
    assert_eq!(answer.json["user"], expected);
}

#[test]
fn the_names_and_statuses_are_those_of_the_document() {
    let Some(document) = seed("004_66d585b5d6c13aa0.txt") else {
        return;
    };
    for said in [
        "Token type, always “bearer”",
        "typically 3600 for 1 hour",
        "Unix timestamp",
        "Additional admin-specific user details",
        "400: Invalid request body or credentials",
        "403: Valid user but not an admin",
        "404: User not found in database",
        "500: Internal server errors",
        "Implement aggressive rate limiting for admin login attempts",
        "Log all admin login attempts",
    ] {
        assert!(document.contains(said), "{said}");
    }
}

#[tokio::test]
async fn each_refusal_has_the_status_of_the_document() {
    let bench = Bench::start(Shape::Strikebet).await;
    let wrong = "Invalid login credentials";
    for email in [EMAIL, ADMIN, "nobody@example.com"] {
        assert_error(&login(&bench, email, "wrong").await, 400, wrong);
    }
    let answer = login(&bench, EMAIL, PASSWORD).await;
    let message = "Access denied: administrator privileges required";
    assert_error(&answer, 403, message);
    let post = (Method::POST, LOGIN);
    let answer = bench.send(post.clone(), &[], "{".to_owned()).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json["code"]),
        (400, &json!(400))
    );
    let answer = bench.send(post, &[], String::new()).await;
    assert_error(&answer, 400, "missing email or phone");
    bench
        .change(&bench.admin, UserChange::Status(AccountStatus::Disabled))
        .await;
    assert_error(&login(&bench, ADMIN, PASSWORD).await, 400, "User is banned");
}

#[tokio::test]
async fn every_attempt_is_audited() {
    let bench = Bench::start(Shape::Strikebet).await;
    login(&bench, EMAIL, PASSWORD).await.expect(403);
    login(&bench, ADMIN, "wrong").await.expect(400);
    login(&bench, ADMIN, PASSWORD).await.expect(200);
    let reasons: Vec<_> = bench
        .core
        .audited()
        .iter()
        .map(|line| (line["action"].clone(), line["reason"].clone()))
        .collect();
    let expected = ["not-an-admin", "wrong-password", "signed-in"];
    let expected = expected.map(|reason| (json!("admin-sign-in"), json!(reason)));
    assert_eq!(reasons, expected);
}

fn rules(address: &str) -> Rules {
    Rules {
        address: Quota::parse(address),
        ..Rules::default()
    }
}

#[tokio::test]
async fn each_answer_says_what_is_left() {
    let bed = Bed {
        limits: Policy {
            sign_in: rules("10/1h"),
            admin_sign_in: rules("3/1h"),
            ..Policy::off()
        },
        ..Bed::of(Shape::Strikebet)
    };
    let bench = bed.start().await;
    let check = async |password: &str, expected: (u16, &str, &str)| {
        let answer = login(&bench, ADMIN, password).await;
        let left = (
            answer.header("x-ratelimit-limit"),
            answer.header("x-ratelimit-remaining"),
        );
        assert_eq!((answer.status.as_u16(), left.0, left.1), expected);
        let reset: u64 = answer.header("x-ratelimit-reset").parse().unwrap();
        assert!((1..=3600).contains(&reset), "{reset}");
        answer
    };
    check("wrong", (400, "3", "2")).await;
    check(PASSWORD, (200, "3", "1")).await;
    check("wrong", (400, "3", "0")).await;
    let limited = check(PASSWORD, (429, "3", "0")).await;
    assert_error(&limited, 429, "Request rate limit reached");
    assert!(limited.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_session_goes_on_at_the_root() {
    let bench = Bench::start(Shape::Strikebet).await;
    let answer = login(&bench, ADMIN, PASSWORD).await.expect(200);
    let body = json!({ "refresh_token": answer.text("/refresh_token") });
    let refreshed = bench.post(TOKEN, body, &[]).await.expect(200);
    assert_ne!(
        refreshed.text("/refresh_token"),
        answer.text("/refresh_token")
    );
    assert_eq!(refreshed.text("/user/id"), bench.admin.id.to_string());
    let body: Value = json!({ "email": EMAIL, "password": PASSWORD });
    let token = "/token?grant_type=password";
    bench.post(token, body, &[]).await.expect(200);
    let answer = bench.post("/token", json!({}), &[]).await;
    assert_error(&answer, 400, "unsupported_grant_type");
}

#[tokio::test]
async fn an_administrator_who_is_none_any_more_does_not_go_on() {
    let bench = Bench::start(Shape::Strikebet).await;
    let answer = login(&bench, ADMIN, PASSWORD).await.expect(200);
    let demote = UserChange::Roles(doorward::user::Roles::default());
    bench.change(&bench.admin, demote).await;
    let body = json!({ "refresh_token": answer.text("/refresh_token") });
    let refused = bench.post(TOKEN, body, &[]).await;
    let message = "Invalid Refresh Token: Refresh Token Not Found";
    assert_error(&refused, 400, message);
}
