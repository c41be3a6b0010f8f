//! Keys at the real binary, over real TLS, made and ended by its command line.

use doorward::id::ApiKeyId;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::support::doorward::{Answer, Doorward, Setup, USER};
use crate::support::redis::until;

const HEADER: &str = "[api_keys]\nheader = \"X-API-Key\"\n";

/// A key made at the command line: its text, and its id.
fn create(gateway: &Doorward, arguments: &[&str]) -> (String, ApiKeyId) {
    let before = ids(gateway);
    let mut all = vec!["api-key", "create", "deploy"];
    all.extend(arguments);
    let made = gateway.command(&all, "");
    assert!(made.status.success(), "{made:?}");
    let text = String::from_utf8(made.stdout).unwrap();
    let told = String::from_utf8(made.stderr).unwrap();
    assert!(!told.contains(text.trim()), "{told}");
    let id = ids(gateway).into_iter().find(|id| !before.contains(id));
    (text.trim().to_owned(), id.unwrap())
}

fn ids(gateway: &Doorward) -> Vec<ApiKeyId> {
    let listed = list(gateway);
    let ids = listed.iter().map(|key| key["id"].as_str().unwrap());
    ids.map(|id| id.parse().unwrap()).collect()
}

fn list(gateway: &Doorward) -> Vec<Value> {
    let listed = gateway.command(&["api-key", "list", "--json"], "");
    assert!(listed.status.success(), "{listed:?}");
    let text = String::from_utf8(listed.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

async fn with_headers(gateway: &Doorward, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    gateway.send(request.body(Full::default()).unwrap()).await
}

#[tokio::test]
async fn a_key_passes_the_wall_and_stays_here() {
    let gateway = Doorward::with(Setup {
        more: HEADER.to_owned(),
        ..Setup::default()
    })
    .await;
    let (key, _) = create(&gateway, &["--user", USER, "--role", "admin"]);
    gateway.until(StatusCode::OK, ("/api/x", Some(&key))).await;
    // The user has no such role, so neither has the key.
    let refused = gateway.get("/admin/x", Some(&key)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let (admin, _) = create(&gateway, &["--service", "ci", "--role", "admin"]);
    gateway
        .until(StatusCode::OK, ("/admin/x", Some(&admin)))
        .await;
    let spelt = [
        ("x-api-key", &*admin),
        ("x_api_key", &*admin),
        ("accept", "a/b"),
    ];
    let by_header = with_headers(&gateway, "/admin/x", &spelt).await;
    assert_eq!(by_header.status, StatusCode::OK);

    let seen = gateway.sample.seen();
    let (by_user, by_service) = (&seen[0], &seen[seen.len() - 1]);
    assert_eq!(by_user.all("x-auth-email"), [USER]);
    assert_eq!(by_service.all("x-auth-subject"), ["service:ci"]);
    assert_eq!(by_service.all("x-auth-roles"), ["admin"]);
    for request in &seen {
        let text = format!("{request:?}");
        assert!(!text.contains(&key) && !text.contains(&admin), "{text}");
        assert!(request.all("x-auth-session").is_empty());
    }
    for log in ["access.log", "audit.log", "stderr.log"] {
        let text = std::fs::read_to_string(gateway.path(log)).unwrap();
        assert!(!text.contains(&key) && !text.contains(&admin), "{log}");
    }
}

/// Each of these on a public route as well: a bad credential is not "none".
#[tokio::test]
async fn a_key_where_it_does_not_belong_reaches_no_service() {
    let gateway = Doorward::with(Setup {
        more: HEADER.to_owned(),
        ..Setup::default()
    })
    .await;
    let (key, id) = create(&gateway, &["--service", "ci"]);
    gateway.until(StatusCode::OK, ("/api/x", Some(&key))).await;
    let before = gateway.sample.seen().len();
    let bearer = format!("Bearer {key}");
    let mistyped = format!("Bearer {key}x");
    let cookie = format!("__Host-doorward={key}");
    for headers in [
        vec![("authorization", &*bearer), ("x-api-key", &*key)],
        vec![("authorization", "Basic eDp5"), ("x-api-key", &*key)],
        vec![("x-api-key", &*key), ("x-api-key", &*key)],
        vec![("x-api-key", "junk")],
        vec![("authorization", &*mistyped)],
        vec![("cookie", &*cookie)],
    ] {
        for path in ["/api/x", "/public/x"] {
            let answer = with_headers(&gateway, path, &headers).await;
            assert_eq!(
                answer.status,
                StatusCode::UNAUTHORIZED,
                "{path} {headers:?}"
            );
            assert!(!answer.text.contains(&key));
        }
    }
    for path in [
        format!("/api/x?api_key={key}"),
        format!("/api/x?access_token={key}"),
    ] {
        let answer = gateway.get(&path, None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let revoked = gateway.command(&["api-key", "revoke", &id.to_string()], "");
    assert!(revoked.status.success(), "{revoked:?}");
    let refused = (StatusCode::UNAUTHORIZED, ("/public/x", Some(&*key)));
    let mut passed = 0;
    while gateway.get(refused.1.0, refused.1.1).await.status != refused.0 {
        passed += 1;
        assert!(passed < 400, "it never was refused");
    }
    assert_eq!(gateway.sample.seen().len(), before + passed);
}

#[tokio::test]
async fn a_key_is_no_session() {
    let gateway = Doorward::start().await;
    let (key, _) = create(&gateway, &["--user", USER, "--scope", "read,write"]);
    gateway.until(StatusCode::OK, ("/api/x", Some(&key))).await;
    let tokens = gateway.sign_in(USER).await;
    let check = async |method: &str, path: &str, status: StatusCode| {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {key}"));
        let request = request.header("content-type", "application/json");
        let body = Full::from(json!({ "all": true }).to_string());
        let answer = gateway.send(request.body(body).unwrap()).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        answer
    };
    let forbidden = StatusCode::FORBIDDEN;
    check("GET", "/.doorward/api/session", forbidden).await;
    check("GET", "/.doorward/api/sessions", forbidden).await;
    check("POST", "/.doorward/api/sign-out", forbidden).await;
    let session = gateway
        .get("/.doorward/api/sessions", Some(&tokens.access))
        .await;
    let session = session.json()["sessions"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/.doorward/api/sessions/{session}");
    check("DELETE", &path, forbidden).await;
    assert_eq!(gateway.refresh(&key).await.status, StatusCode::UNAUTHORIZED);
    // Nothing of it has ended the session of the user.
    assert_eq!(
        gateway.refresh(&tokens.refresh).await.status,
        StatusCode::OK
    );
    check("GET", "/.doorward/api/session", forbidden).await;
}

#[tokio::test]
async fn a_key_that_is_revoked_while_the_service_answers_passes_no_more() {
    let gateway = Doorward::start().await;
    let (key, id) = create(&gateway, &["--service", "ci"]);
    gateway.until(StatusCode::OK, ("/api/x", Some(&key))).await;
    let before = gateway.sample.seen().len();
    let in_flight = async {
        let answer = gateway.get("/slow", Some(&key)).await;
        assert_eq!(answer.status, StatusCode::OK, "it was let in before");
    };
    let meanwhile = async {
        gateway.sample.received(before + 1).await;
        let revoked = gateway.command(&["api-key", "revoke", &id.to_string()], "");
        assert!(revoked.status.success(), "{revoked:?}");
        let refused = (StatusCode::UNAUTHORIZED, ("/public/x", Some(&*key)));
        gateway.until(refused.0, refused.1).await;
        let seen = gateway.sample.seen().len();
        for path in ["/api/x", "/public/x", "/slow"] {
            let answer = gateway.get(path, Some(&key)).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        }
        assert_eq!(gateway.sample.seen().len(), seen);
        gateway.sample.release();
    };
    tokio::join!(in_flight, meanwhile);
    // The log is written behind the requests.
    let told = async || {
        let audit = tokio::fs::read_to_string(gateway.path("audit.log")).await;
        let (audit, id) = (audit.unwrap(), id.to_string());
        let of_key = |word: &str| audit.lines().any(|l| l.contains(word) && l.contains(&id));
        ["create-api-key", "revoke-api-key", "use-api-key"]
            .into_iter()
            .all(of_key)
    };
    until("the audit log tells of it", told).await;
}

#[tokio::test]
async fn a_rotated_key_hands_over_at_the_command_line() {
    let gateway = Doorward::start().await;
    let (old, id) = create(&gateway, &["--service", "ci", "--expires", "90d"]);
    let rotated = gateway.command(&["api-key", "rotate", &id.to_string(), "--grace", "1h"], "");
    assert!(rotated.status.success(), "{rotated:?}");
    let new = String::from_utf8(rotated.stdout).unwrap().trim().to_owned();
    gateway.until(StatusCode::OK, ("/api/x", Some(&new))).await;
    gateway.until(StatusCode::OK, ("/api/x", Some(&old))).await;
    let again = gateway.command(&["api-key", "rotate", &id.to_string()], "");
    assert!(!again.status.success(), "it was rotated already");
    let newest = ids(&gateway)[0].to_string();
    let last = gateway.command(&["api-key", "rotate", &newest], "");
    assert!(last.status.success(), "{last:?}");
    gateway
        .until(StatusCode::UNAUTHORIZED, ("/api/x", Some(&new)))
        .await;
    let shown = gateway.command(&["api-key", "show", &newest], "");
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(
        shown.contains("revoked") && !shown.contains(&new),
        "{shown}"
    );
    let listed = list(&gateway);
    assert_eq!(listed.len(), 3);
    assert!(listed[2]["retires_at"].is_string());
    assert_eq!(listed[1]["rotated_from"], json!(id.to_string()));
}

#[tokio::test]
async fn kill_nine_loses_no_key_and_no_end_of_one() {
    let mut gateway = Doorward::start().await;
    let (kept, _) = create(&gateway, &["--service", "ci"]);
    let (revoked, id) = create(&gateway, &["--service", "ci"]);
    gateway
        .until(StatusCode::OK, ("/api/x", Some(&revoked)))
        .await;
    gateway.command(&["api-key", "revoke", &id.to_string()], "");
    gateway.kill_and_start_again().await;
    gateway.until(StatusCode::OK, ("/api/x", Some(&kept))).await;
    let seen = gateway.sample.seen().len();
    let refused = gateway.get("/api/x", Some(&revoked)).await.status;
    assert_eq!(refused, StatusCode::UNAUTHORIZED);
    assert_eq!(gateway.sample.seen().len(), seen);
}
