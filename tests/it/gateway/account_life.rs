//! Accounts at the real binary, with mails as files.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::doorward::{Doorward, PASSWORD, Setup};
use crate::support::mailbox::digits;

const NEW: &str = "new@example.com";

const SETTINGS: &str = r#"
[users]
require_verified_email = true

[accounts]
sign_up = true

[mail]
file = "mails"
from = "Doorward <no-reply@example.com>"
"#;

async fn start() -> Doorward {
    let more = SETTINGS.to_owned();
    Doorward::with(Setup {
        more,
        ..Setup::default()
    })
    .await
}

/// The only mail in the directory, which is taken out of it.
async fn next_mail(gateway: &Doorward) -> String {
    let mut interval = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..1000 {
        interval.tick().await;
        let files = std::fs::read_dir(gateway.path("mails"));
        let mail = files.into_iter().flatten().flatten().find(|file| {
            let name = file.file_name();
            name.to_string_lossy().ends_with(".eml")
        });
        if let Some(mail) = mail {
            let text = std::fs::read_to_string(mail.path()).unwrap();
            std::fs::remove_file(mail.path()).unwrap();
            return text;
        }
    }
    panic!("no mail came");
}

async fn post(gateway: &Doorward, path: &str, body: &Value) -> StatusCode {
    let path = format!("/.doorward/api/{path}");
    gateway.post(&path, None, body).await.status
}

#[tokio::test]
async fn a_new_user_proves_their_address_signs_in_and_forgets_the_password() {
    let mut gateway = start().await;
    let account = json!({ "email": NEW, "password": "forgotten soon" });
    let signed_up = post(&gateway, "sign-up", &account).await;
    assert_eq!(signed_up, StatusCode::ACCEPTED);
    let mail = next_mail(&gateway).await;
    assert!(mail.contains("To: new@example.com"), "{mail}");
    gateway.kill_and_start_again().await;
    let proof = json!({ "email": NEW, "code": digits(&mail) });
    assert_eq!(post(&gateway, "verify-email", &proof).await, StatusCode::OK);
    let forgot = json!({ "email": NEW });
    let asked = post(&gateway, "password/forgot", &forgot).await;
    assert_eq!(asked, StatusCode::ACCEPTED);
    let code = digits(&next_mail(&gateway).await);
    let reset = json!({ "email": NEW, "code": code, "password": PASSWORD });
    let done = post(&gateway, "password/reset", &reset).await;
    assert_eq!(done, StatusCode::NO_CONTENT);
    let user = gateway.sign_in(NEW).await;
    let passed = gateway.get("/api/x", Some(&user.access)).await;
    assert_eq!(passed.status, StatusCode::OK);
    let seen = gateway.sample.seen().len();
    let again = json!({ "email": NEW });
    post(&gateway, "password/forgot", &again).await;
    let code = digits(&next_mail(&gateway).await);
    let reset = json!({ "email": NEW, "code": code, "password": "yet another one" });
    let done = post(&gateway, "password/reset", &reset).await;
    assert_eq!(done, StatusCode::NO_CONTENT);
    let refused = gateway.get("/api/x", Some(&user.access)).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(gateway.sample.seen().len(), seen);
}

#[tokio::test]
async fn neither_code_nor_password_is_logged() {
    let mut gateway = start().await;
    let account = json!({ "email": NEW, "password": PASSWORD });
    post(&gateway, "sign-up", &account).await;
    let code = digits(&next_mail(&gateway).await);
    let proof = json!({ "email": NEW, "code": code });
    post(&gateway, "verify-email", &proof).await;
    assert!(gateway.terminate().await.success());
    for log in ["access.log", "audit.log", "stderr.log"] {
        let text = std::fs::read_to_string(gateway.path(log)).unwrap();
        let spoken = [PASSWORD, &format!("\"{code}\""), &format!(" {code}")];
        for secret in spoken {
            assert!(!text.contains(secret), "{log} has {secret}: {text}");
        }
    }
}
