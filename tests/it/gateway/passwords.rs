//! Stored hashes that are not of today's kind: the sign-in that proves the password replaces them.

use doorward::database;
use http::StatusCode;
use serde_json::json;
use sqlx::sqlite::SqlitePool;

use crate::support::doorward::{Answer, Doorward, PASSWORD, Setup, USER};

/// bcrypt of "imported password", at its least cost.
const BCRYPT: &str = "$2b$04$6vzxlcPI1ga0/tpZcPYYCOIRvr6YVocBYYtM8Ae4x64kS58y2QnvC";
const IMPORTED: &str = "imported@example.com";

async fn sign_in(gateway: &Doorward, password: &str) -> Answer {
    let body = json!({ "login": IMPORTED, "password": password, "client": "native" });
    gateway.post("/.doorward/api/sign-in", None, &body).await
}

/// What the database holds for the password of this user.
async fn stored_hash(gateway: &Doorward, email: &str) -> String {
    let file = gateway.path("state").join(database::FILE_NAME);
    let pool = SqlitePool::connect(&format!("sqlite://{}", file.display())).await;
    let pool = pool.unwrap();
    let hash = sqlx::query_scalar("SELECT password_hash FROM users WHERE email = ?");
    let hash = hash.bind(email).fetch_one(&pool).await.unwrap();
    pool.close().await;
    hash
}

#[tokio::test]
async fn an_imported_hash_becomes_argon2id_at_the_first_sign_in() {
    let gateway = Doorward::start().await;
    let row = json!({ "email": IMPORTED, "password_hash": BCRYPT, "email_verified": true });
    let file = gateway.path("users.json");
    std::fs::write(&file, row.to_string()).unwrap();
    let output = gateway.command(&["user", "import", file.to_str().unwrap()], "");
    assert!(output.status.success(), "{output:?}");

    let wrong = sign_in(&gateway, PASSWORD).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(stored_hash(&gateway, IMPORTED).await, BCRYPT);
    let entered = sign_in(&gateway, "imported password").await;
    assert_eq!(entered.status, StatusCode::OK, "{}", entered.text);
    let upgraded = stored_hash(&gateway, IMPORTED).await;
    assert!(upgraded.starts_with("$argon2id$"), "{upgraded}");

    let again = sign_in(&gateway, "imported password").await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text);
    let wrong = sign_in(&gateway, PASSWORD).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(stored_hash(&gateway, IMPORTED).await, upgraded, "once");
}

#[tokio::test]
async fn a_hash_of_earlier_parameters_is_made_anew_at_the_next_sign_in() {
    let cheap = "[passwords]\nmemory_kib = 7168\niterations = 1\n";
    let mut gateway = Doorward::with(Setup {
        more: cheap.to_owned(),
        ..Setup::default()
    })
    .await;
    gateway.sign_in(USER).await;
    let before = stored_hash(&gateway, USER).await;
    assert!(before.contains("$m=7168,t=1,p=1$"), "{before}");

    let config = std::fs::read_to_string(gateway.path("gateway.toml")).unwrap();
    let dearer = config.replace(cheap, "[passwords]\nmemory_kib = 8192\niterations = 3\n");
    std::fs::write(gateway.path("gateway.toml"), dearer).unwrap();
    gateway.kill_and_start_again().await;
    gateway.sign_in(USER).await;
    let after = stored_hash(&gateway, USER).await;
    assert!(after.starts_with("$argon2id$"), "{after}");
    assert!(after.contains("$m=8192,t=3,p=1$"), "{after}");
    gateway.sign_in(USER).await;
    assert_eq!(stored_hash(&gateway, USER).await, after, "once");
}
