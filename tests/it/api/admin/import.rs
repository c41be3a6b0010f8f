//! Users from a file: what is taken, what is refused, and where it stands.

use doorward::database::Database;
use futures_util::future::select;
use sqlx::Executor as _;

use super::*;

const BCRYPT: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

impl Site {
    async fn import(&self, query: &str, (kind, text): (&str, &str)) -> Answer {
        let request = Request::post(format!("{ADMIN}/users/import{query}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", kind);
        self.api.call(request.body(text.to_owned()).unwrap()).await
    }

    async fn total(&self) -> u64 {
        let users = self.ask("GET", "users").await;
        users.body["total"].as_u64().unwrap()
    }
}

/// The lines that were refused.
fn lines(answer: &Answer) -> Vec<u64> {
    let refused = answer.body["refused"].as_array().unwrap().iter();
    refused.map(|row| row["line"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_file_is_taken_row_by_row_and_what_is_refused_is_named() {
    let site = Site::start().await;
    let csv = format!(
        "email,username,password_hash,roles,email_verified,disabled\n\
         a@example.com,anna,{BCRYPT},\"admin,editor\",true,\n\
         b@example.com,anna,,,,\n\
         c@example.com,,5f4dcc3b5aa765d61d8327deb882cf99,,,\n\
         d@example.com,dora,{BCRYPT},,,true\n"
    );
    let taken = site.import("", ("text/csv; charset=utf-8", &csv)).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.body);
    assert_eq!(taken.body["taken"], 2, "{}", taken.body);
    assert_eq!(taken.body["dry_run"], false);
    assert_eq!(lines(&taken), [3, 4]);
    assert_eq!(
        taken.body["refused"][0]["reason"],
        "a user with this user name exists"
    );
    assert!(!taken.body.to_string().contains("5f4dcc"), "{}", taken.body);
    let signed_in = site.api.sign_in("anna", "U*U").await;
    assert_eq!(signed_in.status, StatusCode::OK, "{}", signed_in.body);
    assert_eq!(signed_in.body["user"]["roles"], json!(["admin", "editor"]));
    assert_eq!(
        refusal(&site.api.sign_in("dora", "U*U").await),
        is(403, "account_disabled")
    );

    let array = "[{\"email\":\"e@example.com\"},\n{\"email\":\"a@example.com\"}]";
    let taken = site.import("", ("application/json", array)).await;
    let reason = "a user with this email exists";
    let expected = json!({
        "taken": 1, "refused": [{ "line": 2, "item": 2, "reason": reason }], "dry_run": false,
    });
    assert_eq!(taken.body, expected);
    let rows = "{\"email\":\"f@example.com\"}\n\n{\"email\":\"g@example.com\",\"locked\":true}\n";
    let kind = "application/x-ndjson";
    let taken = site.import("", (kind, rows)).await;
    assert_eq!(
        (taken.body["taken"].as_u64(), lines(&taken)),
        (Some(1), vec![3])
    );
    let again = site.import("?ignore=locked", (kind, rows)).await;
    assert_eq!(
        (again.body["taken"].as_u64(), lines(&again)),
        (Some(1), vec![1])
    );
    let nothing = site.import("", (kind, "")).await;
    assert_eq!(nothing.body["taken"], 0);

    let audited = site.api.core.audited();
    let told = audited.iter().filter(|event| event["reason"] == "imported");
    let told: Vec<_> = told.collect();
    assert_eq!(told.len(), 5);
    for event in told {
        assert_eq!(event["action"], "add-user");
        assert_eq!(event["outcome"], "success");
        assert_eq!(event["actor"], site.root.id.to_string());
        let user = format!("users/{}", event["user"].as_str().unwrap());
        assert_eq!(site.ask("GET", &user).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_rehearsal_says_the_same_and_changes_nothing() {
    let site = Site::start().await;
    let rows = format!(
        "{{\"email\":\"a@example.com\"}}\n{{\"email\":\"A@example.com\"}}\n{{\"email\":\"{ROOT}\"}}"
    );
    let kind = "application/x-ndjson";
    let rehearsed = site.import("?dry_run=true", (kind, &rows)).await;
    assert_eq!(rehearsed.body["taken"], 1, "{}", rehearsed.body);
    assert_eq!(rehearsed.body["dry_run"], true);
    assert_eq!(lines(&rehearsed), [2, 3]);
    assert_eq!(site.total().await, 1);
    let audited = site.api.core.audited();
    assert!(!audited.iter().any(|event| event["action"] == "add-user"));
    let taken = site.import("?dry_run=false", (kind, &rows)).await;
    assert_eq!(
        (taken.body["taken"].as_u64(), lines(&taken)),
        (Some(1), vec![2, 3])
    );
}

#[tokio::test]
async fn a_file_that_is_none_makes_no_users() {
    let site = Site::start().await;
    let check = async |query: &str, file: (&str, &str), expected: (u16, String)| {
        let answer = site.import(query, file).await;
        assert_eq!(
            refusal(&answer),
            expected,
            "{query} {file:?}: {}",
            answer.body
        );
        answer.body["detail"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let (csv, json) = ("text/csv", "application/json");
    let row = "email\na@example.com\n";
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "text/csvx",
    ] {
        check("", (kind, row), is(415, "not_a_table")).await;
    }
    let columns = "email,locked,sesame\na@example.com,true,x\n";
    let told = check("", (csv, columns), is(400, "malformed")).await;
    assert_eq!(
        told,
        "unknown columns: \"locked\", \"sesame\"; `ignore` passes one over"
    );
    let both = site.import("?dry_run=true&ignore=locked&ignore=sesame", (csv, columns));
    assert_eq!(both.await.body["taken"], 1);
    let told = check("", (json, "{\"secret\":1}"), is(400, "malformed")).await;
    assert!(!told.contains("secret"), "{told}");
    check(
        "",
        (json, "[{\"email\":\"a@example.com\"},"),
        is(400, "malformed"),
    )
    .await;
    check(
        "?dry_run=perhaps",
        (csv, row),
        is(400, "invalid_parameters"),
    )
    .await;
    check(
        "?file=/etc/passwd",
        (csv, row),
        is(400, "invalid_parameters"),
    )
    .await;
    let long = "x".repeat(8 * 1024 * 1024 + 1);
    check("", (csv, &long), is(413, "too_large")).await;
    let many = "{\"email\":\"a@example.com\"}\n".repeat(5_001);
    let told = check("", ("application/x-ndjson", &many), is(413, "too_large")).await;
    assert_eq!(told, "Send at most 5000 rows at a time.");
    assert_eq!(site.total().await, 1);
    // More than any other call may send.
    let many = "email\n".to_owned() + &"not an address at all\n".repeat(4_000);
    assert_eq!(lines(&site.import("", (csv, &many)).await).len(), 4_000);
}

#[tokio::test]
async fn a_store_that_goes_away_in_the_middle_leaves_whole_rows() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::embedded(directory.path()).await.unwrap();
    let site = Site::of(Setup {
        database: Some(database.clone()),
        ..Setup::default()
    })
    .await;
    let pool = database.pool().await.unwrap();
    let trigger = "CREATE TRIGGER broken BEFORE INSERT ON users WHEN NEW.email LIKE 'c@%' \
                   BEGIN SELECT RAISE(ABORT, 'broken'); END";
    pool.execute(trigger).await.unwrap();
    let rows = "email\na@example.com\nb@example.com\nc@example.com\nd@example.com\n";
    let stopped = site.import("", ("text/csv", rows)).await;
    assert_eq!(refusal(&stopped), is(503, "import_stopped"));
    assert!(stopped.headers.contains_key("retry-after"));
    let told = stopped.body["detail"].as_str().unwrap();
    assert!(
        told.starts_with("2 rows were taken, then line 4 was not"),
        "{told}"
    );
    assert_eq!(site.total().await, 3);
    let audited = site.api.core.audited();
    let told = audited.iter().filter(|event| event["reason"] == "imported");
    assert_eq!(told.count(), 2, "what was made before is in the trail");
    pool.execute("DROP TRIGGER broken").await.unwrap();
    let again = site.import("", ("text/csv", rows)).await;
    assert_eq!(
        (again.body["taken"].as_u64(), lines(&again)),
        (Some(2), vec![2, 3])
    );
}

#[tokio::test]
async fn one_file_is_imported_at_a_time_and_to_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::embedded(directory.path()).await.unwrap();
    let site = Site::of(Setup {
        database: Some(database.clone()),
        ..Setup::default()
    })
    .await;
    let rows = "email\na@example.com\nb@example.com\n";
    let import = || Box::pin(site.import("", ("text/csv", rows)));
    // Whoever came first waits for the lock.
    let lock = database.change().await.unwrap();
    let (second, first) = select(import(), import()).await.factor_first();
    assert_eq!(refusal(&second), is(409, "under_way"));
    // Who hangs up leaves it to go on.
    drop(first);
    assert_eq!(refusal(&import().await), is(409, "under_way"));
    lock.rollback().await.unwrap();
    let last = loop {
        let answer = import().await;
        if answer.status == StatusCode::OK {
            break answer;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(last.body["taken"], 0, "{}", last.body);
    assert_eq!(site.total().await, 3);
    let audited = site.api.core.audited();
    let told = audited.iter().filter(|event| event["reason"] == "imported");
    assert_eq!(told.count(), 2);
}
