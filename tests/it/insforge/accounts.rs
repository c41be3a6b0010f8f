//! Sign-up, proof of the address, and new passwords, by the digits of a mail.

use super::*;

const VERIFY: &str = "/api/auth/email/verify";
const SEND_VERIFICATION: &str = "/api/auth/email/send-verification";
const SEND_RESET: &str = "/api/auth/email/send-reset-password";
const EXCHANGE: &str = "/api/auth/email/exchange-reset-password-token";
const RESET: &str = "/api/auth/email/reset-password";
const SEND_OTP: &str = "/api/auth/email/send-otp";
const SESSIONS: &str = "/api/auth/sessions";
const WRONG_CODE: &str = "Invalid or expired verification code";

#[tokio::test]
async fn a_sign_up_signs_in_where_no_proof_is_asked_for() {
    let dialect = Dialect::open(EmailRule::MayBeUnverified).await;
    let body = json!({"email": "New@Example.com", "password": PASSWORD, "name": "Nora"});
    let answer = dialect.post(USERS, body, Call::default()).await;
    let answer = answer.expect(StatusCode::OK);
    let names = [
        "accessToken",
        "csrfToken",
        "requireEmailVerification",
        "user",
    ];
    assert_eq!(answer.names(), names);
    assert_eq!(answer.json["requireEmailVerification"], false);
    let user = &answer.json["user"];
    assert_eq!(user["email"], NEW);
    assert_eq!(user["emailVerified"], false);
    assert_eq!(user["profile"], json!({"name": "Nora"}));
    assert!(user["metadata"].is_null());
    assert!(answer.cookie().starts_with("insforge_refresh_token="));
    assert!(dialect.is_live(answer.text("accessToken")).await);
}

#[tokio::test]
async fn a_program_that_signs_up_gets_a_refresh_token() {
    let dialect = Dialect::open(EmailRule::MayBeUnverified).await;
    let body = json!({"email": NEW, "password": PASSWORD});
    let target = "/api/auth/users?client_type=mobile";
    let answer = dialect.post(target, body, Call::default()).await;
    let answer = answer.expect(StatusCode::OK);
    let names = [
        "accessToken",
        "refreshToken",
        "requireEmailVerification",
        "user",
    ];
    assert_eq!(answer.names(), names);
    assert_eq!(answer.set_cookie(), None);
    assert!(answer.json["user"]["profile"].is_null());
}

#[tokio::test]
async fn a_sign_up_is_refused_in_the_words_of_the_dialect() {
    let closed = Dialect::start().await;
    let body = |email: &str, password: &str| json!({"email": email, "password": password});
    let answer = closed.post(USERS, body(NEW, PASSWORD), Call::default());
    let message = "User signups are disabled for this project.";
    answer.await.refused(403, "AUTH_SIGNUP_DISABLED", message);

    let dialect = Dialect::open(EmailRule::MayBeUnverified).await;
    let check = async |body: Value, (status, error, message): (u16, &str, &str)| {
        let answer = dialect.post(USERS, body, Call::default()).await;
        answer.refused(status, error, message);
        assert_eq!(answer.set_cookie(), None);
    };
    let taken = (409, "AUTH_EMAIL_EXISTS", "User already exists");
    check(body(EMAIL, PASSWORD), taken).await;
    let short = "a password needs at least 8 characters";
    check(body(NEW, "short"), (400, "INVALID_INPUT", short)).await;
    let missing = "email: Required, password: Required";
    check(json!({}), (400, "INVALID_INPUT", missing)).await;
    let bad = (400, "INVALID_INPUT", "email: Invalid email");
    check(body("new", PASSWORD), bad).await;
    let confirmed = json!({"email": NEW, "password": PASSWORD, "autoConfirm": true});
    let not_admin = (403, "AUTH_UNAUTHORIZED", "Admin access required");
    check(confirmed, not_admin).await;
    let wrong_type = json!({"email": NEW, "password": PASSWORD, "name": 1, "autoConfirm": 1});
    let message = "name: Expected string, autoConfirm: Expected boolean";
    check(wrong_type, (400, "INVALID_INPUT", message)).await;
}

#[tokio::test]
async fn the_digits_of_a_mail_prove_the_address_and_sign_in() {
    let dialect = Dialect::open(EmailRule::MustBeVerified).await;
    let code = dialect.sign_up_to_verify().await;
    let password = json!({"email": NEW, "password": PASSWORD});
    let answer = dialect.post(SESSIONS, password, Call::default()).await;
    answer.refused(403, "FORBIDDEN", "Email verification required");

    let wrong = if code == "000000" { "000001" } else { "000000" };
    let shown = |code: &str| json!({"email": NEW, "otp": code});
    let answer = dialect.post(VERIFY, shown(wrong), Call::default()).await;
    answer.refused(400, "INVALID_INPUT", WRONG_CODE);
    let answer = dialect.post(VERIFY, shown("12"), Call::default()).await;
    answer.refused(400, "INVALID_INPUT", "otp: Must be a 6-digit code");

    let answer = dialect.post(VERIFY, shown(&code), Call::default()).await;
    let answer = answer.expect(StatusCode::OK);
    assert_eq!(answer.names(), ["accessToken", "csrfToken", "user"]);
    assert_eq!(answer.json["user"]["emailVerified"], true);
    assert!(answer.cookie().starts_with("insforge_refresh_token="));
    assert!(dialect.is_live(answer.text("accessToken")).await);

    let again = dialect.post(VERIFY, shown(&code), Call::default()).await;
    again.refused(400, "INVALID_INPUT", WRONG_CODE);
}

#[tokio::test]
async fn a_program_that_verifies_gets_a_refresh_token() {
    let dialect = Dialect::open(EmailRule::MustBeVerified).await;
    let code = dialect.sign_up_to_verify().await;
    let target = format!("{VERIFY}?client_type=server");
    let body = json!({"email": NEW, "otp": code});
    let answer = dialect.post(&target, body, Call::default()).await;
    let answer = answer.expect(StatusCode::OK);
    assert_eq!(answer.names(), ["accessToken", "refreshToken", "user"]);
    assert_eq!(answer.set_cookie(), None);
}

#[tokio::test]
async fn whether_an_address_is_known_does_not_show_where_a_mail_is_asked_for() {
    let dialect = Dialect::open(EmailRule::MustBeVerified).await;
    for target in [SEND_VERIFICATION, SEND_RESET, SEND_OTP] {
        let mut answers = Vec::new();
        for email in [EMAIL, "nobody@example.com"] {
            let body = json!({ "email": email });
            let answer = dialect.post(target, body, Call::default()).await;
            answer.accepted();
            answers.push(answer.json);
        }
        assert_eq!(answers[0], answers[1]);
        let answer = dialect.post(target, json!({}), Call::default()).await;
        answer.refused(400, "INVALID_INPUT", "email: Required");
    }
}

#[tokio::test]
async fn a_mail_is_not_promised_where_none_is_sent() {
    let setup = Setup {
        mail: crate::support::core::Mail::Off,
        accounts: rules(),
        ..Setup::default()
    };
    let dialect = Dialect::over(Core::of(setup).await).await;
    for target in [SEND_VERIFICATION, SEND_RESET, SEND_OTP] {
        let body = json!({ "email": EMAIL });
        let answer = dialect.post(target, body, Call::default()).await;
        answer.refused(403, "FORBIDDEN", "No email is sent from here");
    }
}

#[tokio::test]
async fn the_digits_of_a_mail_are_exchanged_for_a_token_that_sets_a_password() {
    let dialect = Dialect::open(EmailRule::MayBeUnverified).await;
    let before = dialect.sign_in("?client_type=server").await;
    let code = dialect.reset_code().await;
    let body = json!({"email": EMAIL, "code": code});
    let exchanged = dialect.post(EXCHANGE, body.clone(), Call::default()).await;
    let exchanged = exchanged.expect(StatusCode::OK);
    assert_eq!(exchanged.names(), ["expiresAt", "token"]);
    assert!(exchanged.text("expiresAt").ends_with('Z'));
    let again = dialect.post(EXCHANGE, body, Call::default()).await;
    again.refused(400, "INVALID_INPUT", WRONG_CODE);

    let new = "another horse battery";
    let token = exchanged.text("token");
    let reset = json!({"newPassword": new, "otp": token});
    let answer = dialect.post(RESET, reset.clone(), Call::default()).await;
    let answer = answer.expect(StatusCode::OK);
    let message = json!({"message": "Password reset successfully"});
    assert_eq!(answer.json, message);
    assert_eq!(answer.set_cookie(), None);
    assert!(!dialect.is_live(before.text("accessToken")).await);
    let again = dialect.post(RESET, reset, Call::default()).await;
    again.refused(400, "INVALID_INPUT", WRONG_CODE);

    let sign_in = |password: &str| json!({"email": EMAIL, "password": password});
    let old = dialect.post(SESSIONS, sign_in(PASSWORD), Call::default());
    old.await
        .refused(401, "AUTH_UNAUTHORIZED", "Invalid credentials");
    let new = dialect.post(SESSIONS, sign_in(new), Call::default()).await;
    new.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_reset_is_refused_field_by_field() {
    let dialect = Dialect::open(EmailRule::MayBeUnverified).await;
    let check = async |target: &str, body: Value, message: &str| {
        let answer = dialect.post(target, body, Call::default()).await;
        answer.refused(400, "INVALID_INPUT", message);
    };
    check(EXCHANGE, json!({}), "email: Required, code: Required").await;
    let wrong = json!({"email": EMAIL, "code": "123456"});
    check(EXCHANGE, wrong, WRONG_CODE).await;
    check(RESET, json!({}), "newPassword: Required, otp: Required").await;
    let wrong = json!({"newPassword": "another horse", "otp": "a".repeat(43)});
    check(RESET, wrong, WRONG_CODE).await;
    // The digits are no token.
    let code = dialect.reset_code().await;
    let digits = json!({"newPassword": "another horse", "otp": code});
    check(RESET, digits, WRONG_CODE).await;
}

#[tokio::test]
async fn a_code_signs_in_and_names_a_new_account() {
    let dialect = Dialect::open(EmailRule::MustBeVerified).await;
    let body = json!({"email": NEW});
    dialect
        .post(SEND_OTP, body, Call::default())
        .await
        .accepted();
    let code = digits(&dialect.core.mails.next().await.text);
    let body = json!({"method": "otp", "email": NEW, "otp": code, "name": "Nora"});
    let target = format!("{SESSIONS}?client_type=desktop");
    let answer = dialect.post(&target, body.clone(), Call::default()).await;
    let answer = answer.expect(StatusCode::OK);
    assert_eq!(answer.names(), ["accessToken", "refreshToken", "user"]);
    assert_eq!(answer.json["user"]["profile"], json!({"name": "Nora"}));
    assert_eq!(answer.json["user"]["emailVerified"], true);
    assert!(dialect.is_live(answer.text("accessToken")).await);
    let again = dialect.post(&target, body, Call::default()).await;
    again.refused(400, "INVALID_INPUT", WRONG_CODE);
}

#[tokio::test]
async fn a_code_for_one_thing_is_none_for_another() {
    let dialect = Dialect::open(EmailRule::MayBeUnverified).await;
    let code = dialect.reset_code().await;
    for (target, body) in [
        (VERIFY, json!({"email": EMAIL, "otp": code})),
        (
            SESSIONS,
            json!({"method": "otp", "email": EMAIL, "otp": code}),
        ),
    ] {
        let answer = dialect.post(target, body, Call::default()).await;
        answer.refused(400, "INVALID_INPUT", WRONG_CODE);
    }
}
