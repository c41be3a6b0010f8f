//! `ik_…` and `anon_…` keys, and which credential of a call counts.

use doorward::api_key::{KeyName, KeySubject, Kind, Scope, ServiceName};
use doorward::auth::api_keys::NewApiKey;
use doorward::user::Role;

use super::*;

const OTHER_ANON: &str = "anon_ffff456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const OTHER_KEY: &str = "ik_ffff456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

type Expected<'a> = Option<(u16, &'a str, &'a str)>;

const NOT_ADMIN: Expected<'_> = Some((403, "AUTH_UNAUTHORIZED", "Admin access required"));
const BAD_KEY: Expected<'_> = Some((401, "AUTH_INVALID_API_KEY", "Invalid API key"));
const BAD_ANON: Expected<'_> = Some((401, "AUTH_INVALID_CREDENTIALS", "Invalid anon key"));

/// An `ik_…` key with these roles and scopes.
pub(super) async fn key(dialect: &Dialect, roles: &[&str], scopes: &[&str]) -> String {
    let new = NewApiKey {
        kind: Kind::InsForgeAdmin,
        name: KeyName::parse("backend").unwrap(),
        subject: KeySubject::Service(ServiceName::parse("backend").unwrap()),
        roles: roles
            .iter()
            .map(|role| Role::parse(role).unwrap())
            .collect(),
        scopes: scopes.iter().map(|it| Scope::parse(it).unwrap()).collect(),
        expires_at: None,
    };
    let made = dialect.core.api_keys.create(new).await.unwrap();
    made.text.expose().to_owned()
}

fn both<'a>(bearer: &'a str, api_key: &'a str) -> Call<'a> {
    Call {
        bearer: Some(bearer),
        api_key: Some(api_key),
        ..Call::default()
    }
}

#[track_caller]
fn assert_as(answer: &Answer, expected: Expected<'_>) {
    match expected {
        Some((status, error, message)) => answer.refused(status, error, message),
        None => assert_eq!(answer.status, StatusCode::OK, "{}", answer.json),
    }
}

#[tokio::test]
async fn the_first_credential_in_the_order_counts_good_or_bad() {
    let dialect = Dialect::with_key().await;
    let admin = dialect.admin_sign_in().await;
    let admin = admin.text("accessToken");
    let user = dialect.sign_in("").await;
    let user = user.text("accessToken");
    let good = &key(&dialect, &["admin"], &[]).await;
    let check = async |call: Call<'_>, expected: Expected<'_>| {
        assert_as(&dialect.get(USERS, call).await, expected);
    };
    let header = |api_key| Call {
        api_key: Some(api_key),
        ..Call::default()
    };
    check(bearer(good), None).await;
    check(bearer(OTHER_KEY), BAD_KEY).await;
    check(bearer("ik_short"), BAD_KEY).await;
    check(header(good), None).await;
    check(header(OTHER_KEY), BAD_KEY).await;
    // A token has no place in the header for keys.
    check(header(admin), BAD_KEY).await;
    check(header(""), BAD_KEY).await;
    // Before the header.
    check(both(good, OTHER_KEY), None).await;
    check(both(OTHER_KEY, good), BAD_KEY).await;
    // The header before anonymous keys and tokens.
    check(both(ANON, good), None).await;
    check(both(user, good), None).await;
    check(both(admin, OTHER_KEY), BAD_KEY).await;
    check(both(OTHER_ANON, good), None).await;
    check(bearer(ANON), NOT_ADMIN).await;
    check(bearer(OTHER_ANON), BAD_ANON).await;
    check(bearer(admin), None).await;
    check(bearer(user), NOT_ADMIN).await;
}

#[tokio::test]
async fn a_key_may_do_no_more_than_it_says() {
    let dialect = Dialect::with_key().await;
    let roleless = key(&dialect, &[], &[]).await;
    let answer = dialect.get(USERS, bearer(&roleless)).await;
    assert_as(&answer, NOT_ADMIN);
    let reader = key(&dialect, &["admin"], &["read"]).await;
    let answer = dialect.get(USERS, bearer(&reader)).await;
    assert_as(&answer, None);
    let body = json!({"userIds": [dialect.user.id.to_string()]});
    let call = bearer(&reader);
    let answer = dialect.call(Method::DELETE, (USERS, body), call).await;
    assert_as(&answer, NOT_ADMIN);
    let user = dialect.core.auth.user(dialect.user.id).await.unwrap();
    assert!(user.is_some());
}

#[tokio::test]
async fn a_sign_up_asks_for_the_key_that_apps_carry() {
    let dialect = Dialect::with_key().await;
    let check = async |call: Call<'_>, email: &str, expected: Expected<'_>| {
        let body = json!({"email": email, "password": PASSWORD});
        let answer = dialect.post(USERS, body, call).await;
        assert_as(&answer, expected);
        answer
    };
    let none = Some((401, "AUTH_INVALID_CREDENTIALS", "No token provided"));
    check(Call::default(), NEW, none).await;
    check(bearer(OTHER_ANON), NEW, BAD_ANON).await;
    check(bearer(OTHER_KEY), NEW, BAD_KEY).await;
    let stale = Some((401, "AUTH_UNAUTHORIZED", "Invalid token"));
    check(bearer("e30.e30.e30"), NEW, stale).await;
    let answer = check(bearer(ANON), NEW, None).await;
    assert!(answer.json["accessToken"].is_string());
    let signed_in = dialect.sign_in("").await;
    let call = bearer(signed_in.text("accessToken"));
    let answer = check(call, "other@example.com", None).await;
    assert!(answer.json["accessToken"].is_string());
    let key = key(&dialect, &["admin"], &[]).await;
    let answer = check(bearer(&key), "third@example.com", None).await;
    assert!(answer.json["accessToken"].is_null());
}

#[tokio::test]
async fn a_key_beside_sign_in_refresh_and_logout_does_no_harm() {
    let dialect = Dialect::with_key().await;
    for key in [ANON, OTHER_ANON, "e30.e30.e30"] {
        let body = json!({"email": EMAIL, "password": PASSWORD});
        let target = "/api/auth/sessions?client_type=mobile";
        let answer = dialect.post(target, body, bearer(key)).await;
        let answer = answer.expect(StatusCode::OK);
        let body = json!({"refreshToken": answer.text("refreshToken")});
        let target = "/api/auth/refresh?client_type=mobile";
        let answer = dialect.post(target, body, bearer(key)).await;
        answer.expect(StatusCode::OK);
        let target = "/api/auth/logout?client_type=mobile";
        let answer = dialect.post_empty(target, bearer(key)).await;
        answer.expect(StatusCode::OK);
    }
}
