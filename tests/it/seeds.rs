//! The published documents that the dialects `vaniyk` and `strikebet` were made by: what they say is read
//! out of them, sent as written, and answered as written. Users are kept in a Supabase project, as there.

use std::io::Write as _;

use doorward::auth::EmailRule;
use doorward::dialect::Shape;
use doorward::limit::{Policy, Quota, Rules};
use http::Method;
use serde_json::{Value, json};

use crate::gotrue::{Answer, Bed, Bench, decoded, names, seed};
use crate::supabase_project::{config, member};
use crate::support::supabase_project::{Member, Mood, SupabaseProject};

/// A document, unless it is not at hand, which is said.
fn document(name: &str) -> Option<String> {
    let text = seed(name);
    if text.is_none() {
        let mut stderr = std::io::stderr();
        writeln!(stderr, "{name} is not here: nothing is compared with it").unwrap();
    }
    text
}

/// The first JSON in a document behind these words.
#[track_caller]
fn example(document: &str, behind: &str) -> Value {
    let (_, rest) = document.split_once(behind).expect(behind);
    let (_, rest) = rest.split_at(rest.find('{').unwrap());
    let mut values = serde_json::Deserializer::from_str(rest).into_iter();
    values.next().unwrap().unwrap()
}

/// The statuses in a document with what it says of each: `401 - Unauthorized`, `400: Invalid request`.
fn statuses(document: &str) -> Vec<(u16, &str)> {
    // A list may begin behind the sentence before it.
    let lines = document
        .split('\n')
        .flat_map(|line| line.split(":-"))
        .map(|line| line.trim_start_matches(['-', '•', ' ']));
    let said = lines.filter_map(|line| {
        let (status, said) = line.split_at_checked(3)?;
        let said = said.trim_start().strip_prefix(['-', ':'])?;
        Some((status.parse().ok()?, said.trim()))
    });
    said.collect()
}

/// A dialect whose users a project keeps: an administrator, a user, and one without a row.
async fn bench(shape: Shape, people: [Member; 3]) -> (Bench, SupabaseProject) {
    let project = SupabaseProject::start().await;
    for person in people {
        project.has(person);
    }
    let bed = Bed {
        supabase: Some(config(&project)),
        email_rule: EmailRule::MustBeVerified,
        ..Bed::of(shape)
    };
    (bed.start().await, project)
}

fn people(email: &'static str, password: &'static str) -> [Member; 3] {
    let person = |number, email, row| Member {
        password,
        row,
        ..member(number, email)
    };
    [
        person(1, email, Some(true)),
        person(2, "user@project.test", Some(false)),
        person(3, "rowless@project.test", None),
    ]
}

/// Whether `answer` has all that `example` has, each of the same type, and the same where it does not
/// differ from one sign-in to the next.
#[track_caller]
fn assert_as_written(answer: &Value, example: &Value, path: &str) {
    const OF_ITS_OWN: &[&str] = &["id", "access_token", "refresh_token"];
    match (answer, example) {
        (Value::Object(answer), Value::Object(example)) => {
            for (name, example) in example {
                let found = answer.get(name);
                let found = found.unwrap_or_else(|| panic!("no {path}/{name}"));
                assert_as_written(found, example, &format!("{path}/{name}"));
            }
        }
        (Value::String(answer), Value::String(_))
            if OF_ITS_OWN
                .iter()
                .any(|name| path.ends_with(&format!("/{name}"))) =>
        {
            assert!(!answer.is_empty(), "{path}");
        }
        (answer, example) => assert_eq!(answer, example, "{path}"),
    }
}

#[tokio::test]
async fn the_document_of_vaniyk_is_answered_as_written() {
    let Some(document) = document("002_7cf664919cd2f185.txt") else {
        return;
    };
    let request = example(&document, "-d '");
    let text = |name: &str| request[name].as_str().unwrap().to_owned().leak() as &'static str;
    let (email, password) = (text("email"), text("password"));
    let (_, target) = document.split_once("curl -X POST https://").unwrap();
    let target = target.split_whitespace().next().unwrap();
    let (_, target) = target.split_at(target.find('/').unwrap());
    assert!(document.contains(r#"-H "Content-Type: application/json""#));
    let (bench, project) = bench(Shape::Vaniyk, people(email, password)).await;
    let send = async |body: &Value| {
        let headers = [("content-type", "application/json")];
        let call = (Method::POST, target);
        bench.send(call, &headers, body.to_string()).await
    };
    let whom = |email: &str| json!({ "email": email, "password": password });

    let written = example(&document, "Example Success Response");
    // A project keeps no names.
    let here = Bench::start(Shape::Vaniyk).await;
    let name = json!({ "name": written["user"]["name"] });
    here.add_person((email, password), name).await;
    let answer = here.post(target, request.clone(), &[]).await.expect(200);
    assert_as_written(&answer.json, &written, "");
    assert_eq!(names(&answer.json), names(&written));
    assert_eq!(names(&answer.json["user"]), names(&written["user"]));
    send(&request).await.expect(200);
    let refused = send(&whom("user@project.test")).await;
    assert_eq!(
        refused.json,
        example(&document, "Example Error Response (Non-Admin User)")
    );

    let said = statuses(&document);
    assert_eq!(
        said.iter().map(|(status, _)| *status).collect::<Vec<_>>(),
        [401, 403, 404, 500]
    );
    for (status, said) in said {
        let answer = match status {
            401 => {
                let wrong = json!({ "email": email, "password": "wrong" });
                send(&wrong).await.expect(401)
            }
            403 => send(&whom("user@project.test")).await.expect(403),
            404 => send(&whom("rowless@project.test")).await.expect(404),
            // As everywhere here, what is away is told with a 503.
            500 => {
                project.is(Mood::Broken);
                send(&request).await.expect(503)
            }
            _ => panic!("{status} {said} is new"),
        };
        assert_eq!(names(&answer.json), ["error"], "{said}");
        assert!(answer.json["error"].is_string());
    }
}

/// What the document of `strikebet` says of each field of an answer, and what that means.
type Field = (&'static str, &'static str, fn(&Value) -> bool);

const FIELDS: &[Field] = &[
    ("JWT access token", "access_token", |value| {
        value
            .as_str()
            .is_some_and(|token| token.split('.').count() == 3)
    }),
    ("Token type, always “bearer”", "token_type", |value| {
        value == "bearer"
    }),
    (
        "Token expiration time in seconds (typically 3600",
        "expires_in",
        |value| value == 3600,
    ),
    (
        "Token expiration timestamp (Unix timestamp)",
        "expires_at",
        Value::is_i64,
    ),
    (
        "Refresh token for obtaining new",
        "refresh_token",
        Value::is_string,
    ),
    ("Standard user information object", "user", Value::is_object),
    (
        "Additional admin-specific user details",
        "admin_details",
        Value::is_object,
    ),
];

async fn log_in(bench: &Bench, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    bench.post("/login-admin", body, &[]).await
}

#[tokio::test]
async fn the_document_of_strikebet_is_answered_as_written() {
    let Some(document) = document("004_66d585b5d6c13aa0.txt") else {
        return;
    };
    let (email, password) = ("root@project.test", "correct horse");
    let (bench, project) = bench(Shape::Strikebet, people(email, password)).await;
    let answer = log_in(&bench, email, password).await.expect(200);
    for (said, name, holds) in FIELDS {
        assert!(document.contains(said), "{said}");
        assert!(holds(&answer.json[name]), "{name} in {}", answer.json);
    }
    assert_eq!(names(&answer.json).len(), FIELDS.len());
    assert_eq!(answer.json["admin_details"]["is_admin"], true);
    assert_eq!(
        answer.json["expires_at"],
        decoded(answer.text("/access_token")).1["exp"]
    );
    // The two steps, with the header that the document names.
    assert!(document.contains("/rest/v1/users?id=eq.<UUID>"));
    assert!(document.contains("Accept-Profile: users"));
    let asked = project.asked();
    let look_up = asked
        .iter()
        .find(|asked| asked.what.contains("/rest/v1/users"))
        .unwrap();
    assert_eq!(look_up.profile, "users");
    assert!(
        look_up
            .what
            .contains(&format!("id=eq.{}", answer.text("/user/id")))
    );

    let said = statuses(&document);
    assert_eq!(
        said.iter().map(|(status, _)| *status).collect::<Vec<_>>(),
        [400, 403, 404, 500]
    );
    for (status, said) in said {
        let answers = match status {
            400 => {
                let body = (Method::POST, "/login-admin");
                let body = bench.send(body, &[], "{".to_owned()).await.expect(400);
                vec![body, log_in(&bench, email, "wrong").await.expect(400)]
            }
            403 => vec![
                log_in(&bench, "user@project.test", password)
                    .await
                    .expect(403),
            ],
            404 => vec![
                log_in(&bench, "rowless@project.test", password)
                    .await
                    .expect(404),
            ],
            // As everywhere here, what is away is told with a 503.
            500 => {
                let mut answers = Vec::new();
                for mood in [Mood::Broken, Mood::Nonsense] {
                    project.is(mood);
                    answers.push(log_in(&bench, email, password).await.expect(503));
                }
                answers
            }
            _ => panic!("{status} {said} is new"),
        };
        for answer in answers {
            assert_eq!(names(&answer.json), ["code", "details", "msg"], "{said}");
            assert_eq!(answer.json["code"], answer.status.as_u16());
        }
    }
}

#[tokio::test]
async fn who_has_no_row_is_counted_audited_and_told_so() {
    let project = SupabaseProject::start().await;
    for person in people("root@project.test", "correct horse") {
        project.has(person);
    }
    let few = Rules {
        address: Quota::parse("5/1h"),
        ..Rules::default()
    };
    let bed = Bed {
        supabase: Some(config(&project)),
        limits: Policy {
            admin_sign_in: few,
            ..Policy::off()
        },
        ..Bed::of(Shape::Strikebet)
    };
    let bench = bed.start().await;
    let answer = log_in(&bench, "rowless@project.test", "correct horse")
        .await
        .expect(404);
    assert_eq!(answer.json["msg"], "User not found in database");
    assert_eq!(answer.header("x-ratelimit-limit"), "5");
    assert_eq!(answer.header("x-ratelimit-remaining"), "4");
    let audited = bench.core.audited();
    let [line] = &audited[..] else {
        panic!("{audited:?}");
    };
    assert_eq!(line["action"], "admin-sign-in");
    assert_eq!(line["outcome"], "refused");
}
