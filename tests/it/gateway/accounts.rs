//! What the command line changes while the gateway runs, and what the logs tell of it.

use http::StatusCode;
use serde_json::Value;

use crate::support::doorward::{ADMIN, Doorward, NO_LIMITS, PASSWORD, Setup, USER};

#[tokio::test]
async fn a_disabled_user_is_out_at_once_and_comes_back_when_enabled() {
    let gateway = Doorward::start().await;
    let user = gateway.sign_in(USER).await;
    assert!(
        gateway
            .command(&["user", "disable", USER], "")
            .status
            .success()
    );
    gateway
        .until(StatusCode::UNAUTHORIZED, ("/api/x", Some(&user.access)))
        .await;
    assert_eq!(
        gateway.try_sign_in(USER).await.status,
        StatusCode::FORBIDDEN
    );
    assert!(
        gateway
            .command(&["user", "enable", USER], "")
            .status
            .success()
    );
    assert_eq!(
        gateway.try_sign_in("user").await.status,
        StatusCode::OK,
        "by user name"
    );
}

#[tokio::test]
async fn a_user_who_is_added_while_the_gateway_runs_signs_in() {
    const NEW: &str = "new@example.com";
    let gateway = Doorward::start().await;
    let before = gateway.try_sign_in(NEW).await;
    assert_eq!(before.status, StatusCode::UNAUTHORIZED, "{}", before.text);
    let words = ["user", "add", NEW, "--username", "newcomer", "--verified"];
    let added = gateway.command(&words, &format!("{PASSWORD}\n"));
    assert!(added.status.success(), "{added:?}");
    for login in [NEW, "newcomer"] {
        let user = gateway.sign_in(login).await;
        let answer = gateway.get("/api/x", Some(&user.access)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let seen = gateway.sample.seen().pop().unwrap();
        assert_eq!(seen.all("x-auth-email"), [NEW]);
    }
}

#[tokio::test]
async fn a_role_that_is_taken_away_is_gone_from_tokens_already_given_out() {
    let gateway = Doorward::start().await;
    let admin = gateway.sign_in(ADMIN).await;
    let output = gateway.command(&["user", "roles", ADMIN, "--remove", "admin"], "");
    assert!(output.status.success(), "{output:?}");
    gateway
        .until(StatusCode::UNAUTHORIZED, ("/admin/x", Some(&admin.access)))
        .await;
    let seen = gateway.sample.seen().len();
    let admin = gateway.sign_in(ADMIN).await;
    let refused = gateway.get("/admin/x", Some(&admin.access)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(gateway.sample.seen().len(), seen);
}

#[tokio::test]
async fn a_rotated_key_signs_and_the_old_one_still_verifies() {
    let gateway = Doorward::with(Setup {
        more: NO_LIMITS.to_owned(),
        ..Setup::default()
    })
    .await;
    let before = gateway.sign_in(USER).await;
    let output = gateway.command(&["key", "rotate"], "");
    assert!(output.status.success(), "{output:?}");
    let audit = std::fs::read_to_string(gateway.path("audit.log")).unwrap();
    assert!(audit.contains("\"rotate-keys\""), "{audit}");
    let after = gateway.signed_anew(&before).await;
    for tokens in [&before, &after] {
        assert_eq!(
            gateway.get("/api/x", Some(&tokens.access)).await.status,
            StatusCode::OK
        );
    }
    for path in ["/.doorward/jwks.json", "/.well-known/jwks.json"] {
        let keys = gateway.get(path, None).await;
        assert_eq!(keys.status, StatusCode::OK, "{path}");
        assert_eq!(keys.json()["keys"].as_array().unwrap().len(), 2);
        assert!(!keys.text.contains("\"d\""), "a private key was published");
    }
}

#[tokio::test]
async fn explain_names_route_rule_verdict_and_reason() {
    let gateway = Doorward::start().await;
    let check = |arguments: &[&str], expected: &str| {
        let output = gateway.command(&[&["explain"], arguments].concat(), "");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(expected), "{arguments:?}: {text}");
        assert!(output.status.success());
    };
    check(&["GET", "/admin/x", "--as", "admin"], "verdict  allowed");
    check(&["GET", "/admin/x", "--as", USER], "verdict  refused, 403");
    check(&["GET", "/admin/x"], "rule     admin");
    check(&["GET", "/admin/x"], "verdict  refused, 401");
    check(&["GET", "/a%2fb"], "refused, 400");
    check(&["GET", "/public/x"], "route    /public/** -> sample");
    let user = gateway.sign_in(USER).await;
    std::fs::write(gateway.path("token"), &user.access).unwrap();
    let file = gateway.path("token");
    check(
        &["GET", "/api/x", "--token", file.to_str().unwrap()],
        "verdict  allowed",
    );
    let header = format!("Authorization: Bearer {}x", user.access);
    check(&["GET", "/api/x", "--header", &header], "refused, 401");
    assert!(gateway.sample.seen().is_empty());
}

#[tokio::test]
async fn the_logs_tell_what_happened_and_no_secret() {
    let mut gateway = Doorward::start().await;
    let user = gateway.sign_in(USER).await;
    gateway.get("/api/x?code=s3cret", Some(&user.access)).await;
    gateway.get("/admin/x", Some(&user.access)).await;
    let body = serde_json::json!({ "login": "nobody", "password": "wr0ng-password" });
    gateway.post("/.doorward/api/sign-in", None, &body).await;
    assert!(gateway.terminate().await.success());
    let access = std::fs::read_to_string(gateway.path("access.log")).unwrap();
    let audit = std::fs::read_to_string(gateway.path("audit.log")).unwrap();
    let said = std::fs::read_to_string(gateway.path("stderr.log")).unwrap();
    for secret in [
        &user.access,
        &user.refresh,
        PASSWORD,
        "wr0ng-password",
        "s3cret",
    ] {
        assert!(
            !format!("{access}{audit}{said}").contains(secret),
            "{secret} was logged"
        );
    }
    let lines = |text: &str| -> Vec<Value> {
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let refused = lines(&access)
        .into_iter()
        .find(|line| line["path"] == "/admin/x")
        .unwrap();
    assert_eq!(
        (&refused["status"], &refused["verdict"]),
        (&403.into(), &"refused".into())
    );
    assert_eq!(refused["route"], "/admin/**");
    let audited = lines(&audit);
    assert!(
        audited.iter().any(|line| line["reason"] == "signed-in"),
        "{audit}"
    );
    assert!(
        audited.iter().any(|line| line["reason"] == "unknown-user"),
        "{audit}"
    );
}
