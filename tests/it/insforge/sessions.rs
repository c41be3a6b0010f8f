//! Refreshing and ending sessions.

use super::*;

const REFRESH: &str = "/api/auth/refresh";
const NATIVE_REFRESH: &str = "/api/auth/refresh?client_type=mobile";
const INVALID: &str = "Invalid or expired refresh token";

#[track_caller]
fn cleared(answer: &Answer, name: &str, path: &str) {
    let expected = format!("{name}=; Path={path}; Max-Age=0; HttpOnly; Secure; SameSite=None");
    assert_eq!(answer.set_cookie(), Some(&*expected));
}

#[tokio::test]
async fn a_program_refreshes_with_either_spelling() {
    let dialect = Dialect::start().await;
    let signed_in = dialect.sign_in("?client_type=server").await;
    let mut token = signed_in.text("refreshToken").to_owned();
    for name in ["refreshToken", "refresh_token"] {
        let body = json!({name: token});
        // The access token beside it is stale; that is no harm.
        let call = Call {
            bearer: Some("stale"),
            ..Call::default()
        };
        let answer = dialect.post(NATIVE_REFRESH, body, call).await;
        let answer = answer.expect(StatusCode::OK);
        assert_eq!(answer.names(), ["accessToken", "refreshToken", "user"]);
        assert_ne!(answer.text("refreshToken"), token);
        token = answer.text("refreshToken").to_owned();
    }
}

#[tokio::test]
async fn a_refresh_without_a_good_token_is_refused() {
    let dialect = Dialect::start().await;
    let answer = dialect.post_empty(NATIVE_REFRESH, Call::default()).await;
    answer.refused(401, "AUTH_UNAUTHORIZED", "No refresh token provided");
    let body = json!({"refreshToken": "junk"});
    let answer = dialect.post(NATIVE_REFRESH, body, Call::default()).await;
    answer.refused(401, "AUTH_UNAUTHORIZED", INVALID);
    let body = json!({"refreshToken": 7});
    let answer = dialect.post(NATIVE_REFRESH, body, Call::default()).await;
    answer.refused(400, "INVALID_INPUT", "refreshToken: Expected string");
}

#[tokio::test]
async fn each_401_of_a_browser_refresh_clears_its_cookie() {
    let dialect = Dialect::start().await;
    let user = ("insforge_refresh_token", "/api/auth");
    let admin = ("insforge_admin_refresh_token", "/api/auth/admin");
    let check = async |(name, path): (&str, &str), cookie: Option<&str>, message: &str| {
        let cookie = cookie.map(|value| format!("{name}={value}"));
        let call = Call {
            cookie: cookie.as_deref(),
            ..Call::default()
        };
        let answer = dialect.post_empty(&format!("{path}/refresh"), call).await;
        answer.refused(401, "AUTH_UNAUTHORIZED", message);
        match cookie {
            Some(_shown) => cleared(&answer, name, path),
            None => assert_eq!(answer.set_cookie(), None),
        }
    };
    check(user, None, "No refresh token provided").await;
    check(user, Some("junk"), INVALID).await;
    check(user, Some(""), INVALID).await;
    check(admin, None, "No admin refresh token provided").await;
    check(admin, Some("junk"), INVALID).await;
    let user_cookie = dialect.sign_in("").await.cookie();
    let admin_cookie = dialect.admin_sign_in().await.cookie();
    let value = |cookie: &str| cookie.split_once('=').unwrap().1.to_owned();
    let (shown, message) = (value(&admin_cookie), "Invalid refresh session type");
    check(user, Some(&shown), message).await;
    let (shown, message) = (value(&user_cookie), "Invalid admin refresh session type");
    check(admin, Some(&shown), message).await;
    let body = json!({"refreshToken": value(&admin_cookie)});
    let answer = dialect.post(NATIVE_REFRESH, body, Call::default()).await;
    answer.refused(401, "AUTH_UNAUTHORIZED", "Invalid refresh session type");
}

#[tokio::test]
async fn an_admin_refreshes_in_a_browser() {
    let dialect = Dialect::start().await;
    let signed_in = dialect.admin_sign_in().await;
    let call = Call {
        cookie: Some(&signed_in.cookie()),
        csrf: &[signed_in.text("csrfToken")],
        bearer: Some("stale"),
        ..Call::default()
    };
    let answer = dialect.post_empty("/api/auth/admin/refresh", call).await;
    let answer = answer.expect(StatusCode::OK);
    assert_eq!(answer.json["admin"], json!({"sub": "local:root"}));
    assert_eq!(answer.text("csrfToken"), signed_in.text("csrfToken"));
    assert_ne!(answer.cookie(), signed_in.cookie());
    assert!(dialect.is_live(answer.text("accessToken")).await);
}

#[tokio::test]
async fn a_user_who_is_gone_does_not_refresh() {
    let dialect = Dialect::start().await;
    let user = dialect.sign_in("").await;
    let admin = dialect.admin_sign_in().await;
    for user in [dialect.user.id, dialect.admin.id] {
        assert!(dialect.core.users.remove(user).await.unwrap());
    }
    for (signed_in, path) in [(&user, "/api/auth"), (&admin, "/api/auth/admin")] {
        let cookie = signed_in.cookie();
        let call = Call {
            cookie: Some(&cookie),
            csrf: &[signed_in.text("csrfToken")],
            ..Call::default()
        };
        let answer = dialect.post_empty(&format!("{path}/refresh"), call).await;
        answer.refused(401, "AUTH_UNAUTHORIZED", "User not found");
        cleared(&answer, cookie.split_once('=').unwrap().0, path);
    }
}

#[tokio::test]
async fn two_tabs_that_refresh_at_once_both_go_on() {
    let dialect = Dialect::start().await;
    let signed_in = dialect.sign_in("").await;
    let cookie = signed_in.cookie();
    let call = Call {
        cookie: Some(&cookie),
        csrf: &[signed_in.text("csrfToken")],
        ..Call::default()
    };
    let one = dialect.post_empty(REFRESH, call).await;
    let other = dialect.post_empty(REFRESH, call).await;
    let one = one.expect(StatusCode::OK);
    let other = other.expect(StatusCode::OK);
    assert_eq!(one.cookie(), other.cookie());
}

#[tokio::test]
async fn a_stolen_refresh_token_ends_the_session_when_both_have_used_it() {
    let dialect = Dialect::start().await;
    let signed_in = dialect.sign_in("").await;
    let csrf = [signed_in.text("csrfToken")];
    let stolen = signed_in.cookie();
    let with = |cookie| Call {
        cookie: Some(cookie),
        csrf: &csrf,
        ..Call::default()
    };
    let refreshed = dialect.post_empty(REFRESH, with(&stolen)).await;
    let refreshed = refreshed.expect(StatusCode::OK);
    dialect.core.clock.advance(Duration::from_mins(1));
    let answer = dialect.post_empty(REFRESH, with(&stolen)).await;
    answer.refused(401, "AUTH_UNAUTHORIZED", INVALID);
    cleared(&answer, "insforge_refresh_token", "/api/auth");
    let newest = refreshed.cookie();
    let answer = dialect.post_empty(REFRESH, with(&newest)).await;
    answer.refused(401, "AUTH_UNAUTHORIZED", INVALID);
    assert!(!dialect.is_live(refreshed.text("accessToken")).await);
}

#[tokio::test]
async fn a_logout_in_a_browser_ends_the_session() {
    let dialect = Dialect::start().await;
    let user = dialect.sign_in("").await;
    let admin = dialect.admin_sign_in().await;
    for (signed_in, path) in [(&user, "/api/auth"), (&admin, "/api/auth/admin")] {
        let cookie = signed_in.cookie();
        let call = Call {
            cookie: Some(&cookie),
            csrf: &[signed_in.text("csrfToken")],
            ..Call::default()
        };
        let answer = dialect.post_empty(&format!("{path}/logout"), call).await;
        let answer = answer.expect(StatusCode::OK);
        let expected = json!({"success": true, "message": "Logged out successfully"});
        assert_eq!(answer.json, expected);
        cleared(&answer, cookie.split_once('=').unwrap().0, path);
        assert!(!dialect.is_live(signed_in.text("accessToken")).await);
        let answer = dialect.post_empty(&format!("{path}/refresh"), call).await;
        answer.refused(401, "AUTH_UNAUTHORIZED", INVALID);
    }
}

#[tokio::test]
async fn a_program_logs_out_by_what_it_holds() {
    let dialect = Dialect::start().await;
    let target = "/api/auth/logout?client_type=mobile";
    let one = dialect.sign_in("?client_type=mobile").await;
    let call = Call {
        bearer: Some(one.text("accessToken")),
        ..Call::default()
    };
    dialect
        .post_empty(target, call)
        .await
        .expect(StatusCode::OK);
    assert!(!dialect.is_live(one.text("accessToken")).await);
    let body = json!({"refreshToken": one.text("refreshToken")});
    let answer = dialect.post(NATIVE_REFRESH, body, Call::default()).await;
    answer.refused(401, "AUTH_UNAUTHORIZED", INVALID);
    let other = dialect.sign_in("?client_type=mobile").await;
    let body = json!({"refresh_token": other.text("refreshToken")});
    let answer = dialect.post(target, body, Call::default()).await;
    answer.expect(StatusCode::OK);
    assert!(!dialect.is_live(other.text("accessToken")).await);
}

#[tokio::test]
async fn a_logout_with_nothing_good_is_no_error() {
    let dialect = Dialect::start().await;
    let targets = [
        "/api/auth/logout",
        "/api/auth/logout?client_type=mobile",
        "/api/auth/admin/logout",
    ];
    for target in targets {
        let call = Call {
            bearer: Some("stale"),
            cookie: Some("insforge_refresh_token=junk; insforge_admin_refresh_token=junk"),
            ..Call::default()
        };
        dialect
            .post_empty(target, call)
            .await
            .expect(StatusCode::OK);
    }
}

#[tokio::test]
async fn a_store_that_is_away_signs_nobody_out() {
    let dialect = Dialect::start().await;
    let signed_in = dialect.sign_in("").await;
    let pool = doorward::database::open(dialect.core.directory.path());
    let away = "ALTER TABLE sessions RENAME TO sessions_away";
    sqlx::query(away)
        .execute(&pool.await.unwrap())
        .await
        .unwrap();
    for verb in ["refresh", "logout"] {
        let call = Call {
            cookie: Some(&signed_in.cookie()),
            csrf: &[signed_in.text("csrfToken")],
            ..Call::default()
        };
        let answer = dialect.post_empty(&format!("/api/auth/{verb}"), call).await;
        let message = "Service temporarily unavailable, try again later";
        answer.refused(503, "INTERNAL_ERROR", message);
        assert_eq!(answer.set_cookie(), None, "the cookie stays");
        assert!(answer.headers.contains_key("retry-after"));
    }
}
