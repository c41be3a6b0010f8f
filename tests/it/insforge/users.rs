//! The directory, for administrators.

use doorward::id::UserId;

use super::keys::key;
use super::*;

async fn admin(dialect: &Dialect) -> String {
    let signed_in = dialect.admin_sign_in().await;
    signed_in.text("accessToken").to_owned()
}

#[tokio::test]
async fn an_administrator_sees_the_users_page_by_page() {
    let dialect = Dialect::start().await;
    let token = admin(&dialect).await;
    let list = async |query: &str| {
        let answer = dialect
            .get(&format!("{USERS}{query}"), bearer(&token))
            .await;
        let answer = answer.expect(StatusCode::OK);
        assert_eq!(answer.names(), ["data", "pagination"]);
        let users = answer.json["data"].as_array().unwrap();
        let emails = users.iter().map(|user| user["email"].as_str().unwrap());
        let emails: Vec<_> = emails.map(str::to_owned).collect();
        (emails, answer.json["pagination"].clone())
    };
    let pagination = |offset: u32, limit: u32, total: u32| json!({"offset": offset, "limit": limit, "total": total});
    // Both were made in the same moment, so that either may be the first.
    let (both, page) = list("").await;
    assert!(both.contains(&EMAIL.to_owned()) && both.contains(&ADMIN.to_owned()));
    assert_eq!(page, pagination(0, 10, 2));
    let (emails, page) = list("?limit=1&offset=1").await;
    assert_eq!(emails, both[1..]);
    assert_eq!(page, pagination(1, 1, 2));
    let (emails, page) = list("?search=ann").await;
    assert_eq!(emails, [EMAIL]);
    assert_eq!(page, pagination(0, 10, 1));
    let target = format!("{USERS}?limit=many");
    let answer = dialect.get(&target, bearer(&token)).await;
    answer.refused(400, "INVALID_INPUT", "limit: Expected number");
}

#[tokio::test]
async fn an_administrator_reads_a_user() {
    let dialect = Dialect::start().await;
    let token = admin(&dialect).await;
    let target = format!("{USERS}/{}", dialect.user.id);
    let answer = dialect.get(&target, bearer(&token)).await;
    let signed_in = dialect.sign_in("").await;
    assert_eq!(answer.expect(StatusCode::OK).json, signed_in.json["user"]);
    let answer = dialect.get(&format!("{USERS}/1"), bearer(&token)).await;
    answer.refused(400, "INVALID_INPUT", "Invalid user ID format");
    let target = format!("{USERS}/0190163d-8694-739b-aea5-966c26f8ad91");
    let answer = dialect.get(&target, bearer(&token)).await;
    answer.refused(404, "AUTH_USER_NOT_FOUND", "User not found");
}

#[tokio::test]
async fn an_administrator_removes_users_and_their_sessions() {
    let dialect = Dialect::start().await;
    let token = admin(&dialect).await;
    let signed_in = dialect.sign_in("").await;
    let id = dialect.user.id.to_string();
    let nobody = "0190163d-8694-739b-aea5-966c26f8ad91";
    let body = json!({"userIds": [id, nobody]});
    let call = bearer(&token);
    let answer = dialect.call(Method::DELETE, (USERS, body), call).await;
    let message = "Users deleted successfully";
    let expected = json!({"message": message, "deletedCount": 1});
    assert_eq!(answer.expect(StatusCode::OK).json, expected);
    assert!(!dialect.is_live(signed_in.text("accessToken")).await);
    let check = async |body: Value, message: &str| {
        let answer = dialect.call(Method::DELETE, (USERS, body), call).await;
        answer.refused(400, "INVALID_INPUT", message);
    };
    check(json!({}), "userIds: Required").await;
    let none = "userIds: At least one user ID is required";
    check(json!({"userIds": []}), none).await;
    check(
        json!({"userIds": ["1", 2]}),
        "userIds.0: Invalid uuid, userIds.1: Invalid uuid",
    )
    .await;
    check(json!({"userIds": "1"}), "userIds: Expected array").await;
}

#[tokio::test]
async fn no_administrator_locks_themselves_out_and_each_removal_names_who_did_it() {
    let dialect = Dialect::start().await;
    let token = admin(&dialect).await;
    let remove = async |id: UserId, token: &str| {
        let body = json!({"userIds": [id.to_string()]});
        dialect
            .call(Method::DELETE, (USERS, body), bearer(token))
            .await
    };
    let own = remove(dialect.admin.id, &token).await;
    own.refused(403, "FORBIDDEN", "You cannot remove your own account");
    let service = key(&dialect, &["admin"], &["write", "admin"]).await;
    let last = remove(dialect.admin.id, &service).await;
    last.refused(403, "FORBIDDEN", "The last administrator cannot be removed");
    remove(dialect.user.id, &token).await.expect(StatusCode::OK);
    let told = dialect.core.audited();
    let removed = told
        .iter()
        .find(|line| line["action"] == "remove-user" && line["outcome"] == "success");
    let removed = removed.unwrap();
    assert_eq!(removed["actor"], dialect.admin.id.to_string());
    assert_eq!(removed["user"], dialect.user.id.to_string());
}

#[tokio::test]
async fn an_administrator_makes_users_and_gets_no_session_of_theirs() {
    let dialect = Dialect::ruled(EmailRule::MustBeVerified, AccountRules::default()).await;
    let token = admin(&dialect).await;
    let make = async |email: &str, confirm: bool| {
        let body = json!({"email": email, "password": PASSWORD, "autoConfirm": confirm});
        let answer = dialect.post(USERS, body, bearer(&token)).await;
        let answer = answer.expect(StatusCode::OK);
        let names = ["accessToken", "requireEmailVerification", "user"];
        assert_eq!(answer.names(), names);
        assert!(answer.json["accessToken"].is_null());
        assert_eq!(answer.json["requireEmailVerification"], !confirm);
        assert_eq!(answer.json["user"]["email"], email);
        assert_eq!(answer.json["user"]["emailVerified"], confirm);
        assert_eq!(answer.set_cookie(), None);
    };
    make("confirmed@example.com", true).await;
    let told = dialect.core.audited();
    let added = told.iter().find(|line| line["action"] == "add-user");
    let added = added.unwrap();
    assert_eq!(added["actor"], dialect.admin.id.to_string());
    assert_eq!(
        (&added["outcome"], &added["reason"]),
        (&json!("success"), &json!("added"))
    );
    assert!(told.iter().all(|line| line["action"] != "sign-up"));
    assert_eq!(dialect.core.mails.count(), 0);
    make(NEW, false).await;
    let code = digits(&dialect.core.mails.next().await.text);
    let body = json!({"email": NEW, "otp": code});
    let target = "/api/auth/email/verify";
    let answer = dialect.post(target, body, Call::default()).await;
    answer.expect(StatusCode::OK);
    let body = json!({"email": NEW, "password": PASSWORD});
    let answer = dialect.post(USERS, body, bearer(&token)).await;
    answer.refused(409, "AUTH_EMAIL_EXISTS", "User already exists");
}

#[tokio::test]
async fn nobody_else_manages_users() {
    let dialect = Dialect::start().await;
    let user = dialect.sign_in("").await;
    let one = format!("{USERS}/{}", dialect.user.id);
    let check = async |call: Call<'_>, (status, error, message): (u16, &str, &str)| {
        for (method, target) in [
            (Method::GET, USERS),
            (Method::GET, &one),
            (Method::DELETE, USERS),
        ] {
            let body = json!({"userIds": [dialect.user.id.to_string()]});
            let answer = dialect.call(method, (target, body), call).await;
            answer.refused(status, error, message);
        }
    };
    let none = (401, "AUTH_INVALID_CREDENTIALS", "No admin token provided");
    check(Call::default(), none).await;
    check(bearer("junk"), (401, "AUTH_UNAUTHORIZED", "Invalid token")).await;
    let forbidden = (403, "AUTH_UNAUTHORIZED", "Admin access required");
    check(bearer(user.text("accessToken")), forbidden).await;
    assert!(dialect.is_live(user.text("accessToken")).await);
}
