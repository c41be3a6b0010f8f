//! The `vaniyk` dialect over the real core: its document's example, and what its code does beyond it.

use doorward::dialect::Shape;
use doorward::dialect::vaniyk::directory_id;
use doorward::user::{AccountStatus, Roles};
use doorward::users::UserChange;
use http::Method;
use serde_json::{Value, json};

use crate::gotrue::{
    ADMIN, Answer, Bed, Bench, EMAIL, PASSWORD, assert_written, bearer, decoded, names, seed,
};

mod accounts;

const ADMIN_LOGIN: &str = "/api/auth/admin/login";
const LOGIN: &str = "/api/auth/login";
const PROFILE: &str = "/api/auth/profile";

/// The example of the document: what is sent.
const SENT: &str = r#"{
    "email": "admin@vaniyk.com",
    "password": "adminSecurePass456"
  }"#;

/// The example of the document: the answer, but for what differs each time.
fn answered() -> Value {
    json!({
        "message": "Admin login successful",
        "user": {
            "id": "507f1f77bcf86cd799439012",
            "email": "admin@vaniyk.com",
            "name": "Jane Admin",
            "role": "admin",
        },
        "session": {
            "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...",
            "refresh_token": "v1.MRjoP7GqRGKK9Sh91...",
            "expires_in": 3600,
            "user": {
                "id": "d2f3a8b9-1c4e-5f6g-7h8i-9j0k1l2m3n4o",
                "email": "admin@vaniyk.com",
                "aud": "authenticated",
                "role": "authenticated",
            },
        },
    })
}

/// The example of the document: the answer to who is no admin.
fn refused() -> Value {
    json!({ "error": "Access denied. Admin privileges required." })
}

/// Whether `answer` has all that `example` has, with values of the same kind.
#[track_caller]
fn assert_like(answer: &Value, example: &Value) {
    match (answer, example) {
        (Value::Object(answer), Value::Object(example)) => {
            for (name, example) in example {
                let found = answer.get(name);
                let found = found.unwrap_or_else(|| panic!("no {name} in {answer:?}"));
                assert_like(found, example);
            }
        }
        (Value::String(_), Value::String(_)) => {}
        (answer, example) => assert_eq!(answer, example),
    }
}

async fn login(bench: &Bench, target: &str, email: &str) -> Answer {
    let body = json!({ "email": email, "password": PASSWORD });
    bench.post(target, body, &[]).await
}

#[track_caller]
fn assert_error(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.json);
    assert_eq!(answer.json, json!({ "error": error }));
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn the_example_of_the_document_is_answered_as_written() {
    let bench = Bench::start(Shape::Vaniyk).await;
    let person = ("admin@vaniyk.com", "adminSecurePass456");
    let user = bench
        .add_person(person, json!({ "name": "Jane Admin" }))
        .await;
    let headers = [("content-type", "application/json")];
    let answer = bench
        .send((Method::POST, ADMIN_LOGIN), &headers, SENT.to_owned())
        .await
        .expect(200);
    assert_like(&answer.json, &answered());
    assert_eq!(names(&answer.json), ["message", "session", "user"]);
    assert_eq!(answer.json["message"], "Admin login successful");
    let expected = json!({
        "id": directory_id(user.id), "email": "admin@vaniyk.com", "name": "Jane Admin", "role": "admin",
    });
    assert_eq!(answer.json["user"], expected);
    let id = answer.text("/user/id");
    assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_ne!(id, answer.text("/session/user/id"));
    let session = &answer.json["session"];
    let expected = [
        "access_token",
        "expires_at",
        "expires_in",
        "refresh_token",
        "token_type",
        "user",
    ];
    assert_eq!(names(session), expected);
    for (name, value) in [("email", "admin@vaniyk.com"), ("aud", "authenticated")] {
        assert_eq!(session["user"][name], value);
    }
    assert_eq!(session["user"]["role"], "authenticated");
}

#[tokio::test]
async fn whoever_is_no_admin_is_told_so_as_written() {
    let bench = Bench::start(Shape::Vaniyk).await;
    let answer = login(&bench, ADMIN_LOGIN, EMAIL).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json, refused());
}

#[test]
fn the_examples_are_those_of_the_document() {
    let Some(document) = seed("002_7cf664919cd2f185.txt") else {
        return;
    };
    assert!(document.contains(SENT));
    assert!(document.contains("POST https://api.vaniyk.com/api/auth/admin/login"));
    assert_written(&document, &refused());
    // Its order is that of the document in the text, and of no matter.
    let dense: String = document.split_whitespace().collect();
    for (_, value) in answered()["user"].as_object().unwrap() {
        let value: String = value.to_string().split_whitespace().collect();
        assert!(dense.contains(&value), "{value}");
    }
    for name in names(&answered()["session"]) {
        assert!(document.contains(&format!("\"{name}\":")), "{name}");
    }
}

#[tokio::test]
async fn credentials_are_judged_before_the_role() {
    let bench = Bench::start(Shape::Vaniyk).await;
    let check = async |target: &str, body: Value, error: &str| {
        assert_error(&bench.post(target, body, &[]).await, 401, error);
    };
    let wrong = "Invalid login credentials";
    for email in [EMAIL, ADMIN, "nobody@example.com"] {
        let body = json!({ "email": email, "password": "wrong" });
        check(ADMIN_LOGIN, body.clone(), wrong).await;
        check(LOGIN, body, wrong).await;
    }
    // What is missing is the login service's to complain of, with its words and this status.
    check(
        LOGIN,
        json!({ "password": PASSWORD }),
        "missing email or phone",
    )
    .await;
    check(LOGIN, json!({ "email": EMAIL }), wrong).await;
    let body = json!({ "phone": "+49", "password": PASSWORD });
    check(LOGIN, body, "Phone logins are disabled").await;
    let disable = UserChange::Status(AccountStatus::Disabled);
    bench.change(&bench.user, disable).await;
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    check(ADMIN_LOGIN, body, "User is banned").await;
}

#[tokio::test]
async fn everybody_logs_in_at_the_other_entrance() {
    let bench = Bench::start(Shape::Vaniyk).await;
    for (email, role) in [(EMAIL, "user"), (ADMIN, "admin")] {
        let answer = login(&bench, LOGIN, email).await.expect(200);
        assert_eq!(answer.json["message"], "Login successful");
        assert_eq!(answer.json["user"]["role"], role);
    }
}

#[tokio::test]
async fn the_profile_is_read_anew_each_time() {
    let bench = Bench::start(Shape::Vaniyk).await;
    let answer = login(&bench, ADMIN_LOGIN, ADMIN).await.expect(200);
    let token = bearer(answer.text("/session/access_token"));
    let headers = [("authorization", token.as_str())];
    let profile = bench.get(PROFILE, &headers).await.expect(200);
    let expected = json!({ "user": {
        "id": directory_id(bench.admin.id), "email": ADMIN, "name": "root", "role": "admin",
        "emailVerified": true,
    }});
    assert_eq!(profile.json, expected);
    let demote = UserChange::Roles(Roles::default());
    bench.change(&bench.admin, demote).await;
    let profile = bench.get(PROFILE, &headers).await.expect(200);
    assert_eq!(profile.json["user"]["role"], "user");
    assert_error(
        &login(&bench, ADMIN_LOGIN, ADMIN).await,
        403,
        "Access denied. Admin privileges required.",
    );
}

#[tokio::test]
async fn a_profile_wants_a_token_that_holds() {
    let bench = Bench::start(Shape::Vaniyk).await;
    let check = async |headers: &[(&str, &str)], status: u16, error: &str| {
        assert_error(&bench.get(PROFILE, headers).await, status, error);
    };
    check(&[], 401, "No token provided").await;
    check(&[("authorization", "Bearer junk")], 401, "Invalid token").await;
    let answer = login(&bench, LOGIN, EMAIL).await.expect(200);
    let token = bearer(answer.text("/session/access_token"));
    let session = decoded(answer.text("/session/access_token")).1["session_id"].clone();
    let session = session.as_str().unwrap().parse().unwrap();
    let caller = doorward::auth::Caller {
        address: [192, 0, 2, 7].into(),
        user_agent: String::new(),
        request_id: doorward::id::RequestId::from_bytes([0; 16]),
    };
    bench.core.auth.sign_out(session, &caller).await.unwrap();
    check(&[("authorization", &token)], 401, "Invalid token").await;
    let answer = login(&bench, LOGIN, EMAIL).await.expect(200);
    let token = bearer(answer.text("/session/access_token"));
    assert!(bench.core.users.remove(bench.user.id).await.unwrap());
    check(&[("authorization", &token)], 404, "User not found").await;
}

#[tokio::test]
async fn other_paths_and_methods_are_errors_of_the_same_form() {
    let bench = Bed {
        prefix: "/shop",
        ..Bed::of(Shape::Vaniyk)
    };
    let bench = bench.start().await;
    let answer = bench.get("/shop/api/auth/login", &[]).await;
    assert_error(&answer, 405, "method not allowed");
    let answer = login(&bench, "/shop/api/auth/login", EMAIL).await;
    answer.expect(200);
}
