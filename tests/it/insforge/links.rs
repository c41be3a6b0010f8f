//! Links in mails: where they lead, and where they never lead.

use super::*;
use crate::support::mailbox::token;

const PAGE: &str = "https://app.test/welcome?a=1";
const SEND_VERIFICATION: &str = "/api/auth/email/send-verification";
const SEND_RESET: &str = "/api/auth/email/send-reset-password";
const NOT_ALLOWED: &str = "redirectTo: Not an allowed redirect URL";

async fn dialect() -> Dialect {
    Dialect::ruled(EmailRule::MustBeVerified, linking()).await
}

/// The link of the next mail, behind the origin of the gateway.
async fn next_link(dialect: &Dialect) -> String {
    let mail = dialect.core.mails.next().await;
    let mut lines = mail.text.lines();
    let link = lines.find_map(|line| line.strip_prefix(ORIGIN));
    link.expect("a link to the gateway").to_owned()
}

#[track_caller]
fn location(answer: &Answer) -> &str {
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.json);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["referrer-policy"], "no-referrer");
    answer.headers["location"].to_str().unwrap()
}

#[tokio::test]
async fn a_link_proves_the_address_once_and_leads_to_the_page() {
    let dialect = dialect().await;
    let body = json!({"email": NEW, "password": PASSWORD, "redirectTo": PAGE});
    let answer = dialect.post(USERS, body, Call::default()).await;
    let expected = json!({"accessToken": null, "requireEmailVerification": true});
    assert_eq!(answer.expect(StatusCode::OK).json, expected);
    let link = next_link(&dialect).await;
    assert!(link.starts_with("/api/auth/email/verify-link?token="));

    let head = Call::default().request(Method::HEAD, &link);
    let head = dialect.send(head.body(Body::empty()).unwrap()).await;
    assert_eq!(head.status, StatusCode::NOT_FOUND);

    let answer = dialect.get(&link, Call::default()).await;
    let status = "&insforge_status=success&insforge_type=verify_email";
    assert_eq!(location(&answer), format!("{PAGE}{status}"));
    assert_eq!(answer.set_cookie(), None);
    let answer = dialect.get(&link, Call::default()).await;
    let status = "&insforge_status=error&insforge_type=verify_email\
                  &insforge_error=Invalid+or+expired+verification+code";
    assert_eq!(location(&answer), format!("{PAGE}{status}"));

    let body = json!({"email": NEW, "password": PASSWORD});
    let target = "/api/auth/sessions";
    let signed_in = dialect.post(target, body, Call::default()).await;
    signed_in.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_link_takes_its_token_to_the_page_that_asks_for_the_password() {
    let dialect = dialect().await;
    let body = json!({"email": EMAIL, "redirectTo": PAGE});
    let answer = dialect.post(SEND_RESET, body, Call::default()).await;
    answer.accepted();
    let link = next_link(&dialect).await;
    let shown = token(&link);
    // Mail programs look at links before their readers do.
    for _ in 0..2 {
        let answer = dialect.get(&link, Call::default()).await;
        let told = "&insforge_status=ready&insforge_type=reset_password";
        assert_eq!(location(&answer), format!("{PAGE}&token={shown}{told}"));
    }
    let body = json!({"newPassword": "another horse battery", "otp": shown});
    let target = "/api/auth/email/reset-password";
    let answer = dialect.post(target, body, Call::default()).await;
    answer.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_link_needs_a_page_that_is_listed() {
    let dialect = dialect().await;
    for target in [SEND_VERIFICATION, SEND_RESET] {
        let body = json!({ "email": EMAIL });
        let answer = dialect.post(target, body, Call::default()).await;
        answer.refused(400, "INVALID_INPUT", "redirectTo: Required");
    }
    let pages = [
        "https://evil.test/",
        "https://app.test@evil.test/",
        "app:/x",
    ];
    for page in pages {
        for target in [SEND_VERIFICATION, SEND_RESET, USERS] {
            let body = json!({"email": NEW, "password": PASSWORD, "redirectTo": page});
            let answer = dialect.post(target, body, Call::default()).await;
            answer.refused(400, "INVALID_INPUT", NOT_ALLOWED);
        }
    }
    assert_eq!(dialect.core.mails.count(), 0);
}

#[tokio::test]
async fn a_link_with_another_page_in_it_leads_nowhere_and_uses_up_nothing() {
    let dialect = dialect().await;
    let body = json!({"email": NEW, "password": PASSWORD, "redirectTo": PAGE});
    let answer = dialect.post(USERS, body, Call::default()).await;
    answer.expect(StatusCode::OK);
    let link = next_link(&dialect).await;
    let (before, _) = link.split_once("&redirect_to=").unwrap();
    for path in [
        before.to_owned(),
        before.replace("verify", "reset-password"),
    ] {
        let bent = format!("{path}&redirect_to=https%3A%2F%2Fevil.test%2F");
        let answer = dialect.get(&bent, Call::default()).await;
        answer.refused(400, "INVALID_INPUT", NOT_ALLOWED);
        let answer = dialect.get(&path, Call::default()).await;
        answer.refused(400, "INVALID_INPUT", "redirect_to: Required");
    }
    let answer = dialect.get(&link, Call::default()).await;
    assert!(location(&answer).contains("insforge_status=success"));
}
