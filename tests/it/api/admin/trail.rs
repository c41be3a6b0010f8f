//! The audit trail: what administrators do stands in it before they are answered, and they can read it.

use std::path::Path;

use doorward::audit::seal::SealKeys;
use doorward::audit::store::AuditStore;
use doorward::audit::{Audit, Counters, Writer};
use doorward::clock::{ManualClock, Timestamp};
use doorward::database::Database;
use doorward::logs::LineLog;
use doorward::secret::SecretBytes;
use tokio_util::task::AbortOnDropHandle;

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

async fn trail(directory: &Path) -> (Audit, Writer) {
    let database = Database::embedded(directory).await.unwrap();
    let keys = SealKeys::new(&[SecretBytes::new(vec![1; 32])]).unwrap();
    let store = AuditStore::new(database, keys);
    let audit = Audit::new(LineLog::off(), ManualClock::at(NOW));
    audit.kept(store, Counters::default())
}

async fn site(audit: Audit) -> Site {
    Site::of(Setup {
        audit: Some(audit),
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn what_administrators_do_is_in_the_trail_with_their_name() {
    let directory = tempfile::tempdir().unwrap();
    let (audit, writer) = trail(directory.path()).await;
    let _writing = AbortOnDropHandle::new(tokio::spawn(writer.run()));
    let site = site(audit).await;
    let root = site.root.id.to_string();
    let made = site
        .tell(
            "POST",
            "users",
            &json!({ "email": ALICE, "password": PASSWORD }),
        )
        .await;
    let alice = made.body["id"].as_str().unwrap();
    site.patch(alice, "*", &json!({ "roles": ["editor"] }))
        .await;
    site.patch(&root, "*", &json!({ "disabled": true })).await;
    token(&site.api, ALICE).await;
    site.ask("DELETE", &format!("users/{alice}/sessions")).await;
    let key = site
        .tell("POST", "api-keys", &json!({ "name": "x", "service": "ci" }))
        .await;
    let key = key.body["api_key"]["id"].as_str().unwrap();
    site.ask("DELETE", &format!("api-keys/{key}")).await;
    site.ask("DELETE", &format!("users/{alice}")).await;

    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("audit?actor={root}&limit=3{cursor}");
        let page = site.ask("GET", &path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        for entry in page.body["entries"].as_array().unwrap() {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            found.push([text("action"), text("outcome"), text("reason")].join(" "));
        }
        match page.body["next_cursor"].as_i64() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    found.reverse();
    let expected = [
        "add-user success added",
        "change-user success amended",
        "change-user refused own-account",
        "sign-out-all success ended",
        "create-api-key success stored",
        "revoke-api-key success stored",
        "remove-user success removed",
    ];
    assert_eq!(found, expected);
    let count = async |query: &str| {
        let page = site.ask("GET", &format!("audit?{query}")).await;
        page.body["entries"].as_array().unwrap().len()
    };
    assert_eq!(count(&format!("user={alice}&action=remove-user")).await, 1);
    assert_eq!(count(&format!("api_key={key}")).await, 2);
    assert_eq!(count(&format!("actor={root}&outcome=refused")).await, 1);
    assert_eq!(
        count("address=192.0.2.1&since=2099-01-01T00:00:00Z").await,
        0
    );
    assert!(count("until=2099-01-01T00:00:00Z").await >= 7);
    let bad = site.refusal("GET", "audit?since=yesterday").await;
    assert_eq!(bad, is(400, "invalid_parameters"));
}

#[tokio::test]
async fn a_change_that_the_trail_cannot_be_told_of_is_made_and_no_success() {
    let directory = tempfile::tempdir().unwrap();
    let (audit, writer) = trail(directory.path()).await;
    drop(writer);
    let site = site(audit).await;
    let user = site.api.core.add_user(ALICE, PASSWORD, &[]).await;
    let id = user.id.to_string();
    let session = token(&site.api, ALICE).await;
    let answer = site.patch(&id, "*", &json!({ "disabled": true })).await;
    assert_eq!(refusal(&answer), is(503, "not_recorded"));
    assert!(answer.headers.contains_key("retry-after"));
    assert!(!site.is_good(&session).await);
    let read = site.ask("GET", &format!("users/{id}")).await;
    assert_eq!(read.body["disabled"], true);
    let key = json!({ "name": "x", "service": "ci" });
    let key = site.tell("POST", "api-keys", &key).await;
    assert_eq!(refusal(&key), is(503, "not_recorded"));
    let rotated = site.refusal("POST", "signing-keys/rotate").await;
    assert_eq!(rotated, is(503, "not_recorded"));
    let keys = site.ask("GET", "signing-keys").await;
    assert_eq!(keys.body["signing_keys"].as_array().unwrap().len(), 2);
}
