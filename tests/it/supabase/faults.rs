//! The errors: codes, both generations, and what is no endpoint.

use super::*;

#[tokio::test]
async fn each_refused_sign_in_has_its_code() {
    let bench = Bench::start(Shape::Supabase).await;
    let check = async |body: Value, code: &str, message: &str| {
        let answer = bench.post(PASSWORD_GRANT, body, &[]).await;
        assert_fault(&answer, 400, code);
        assert_eq!(answer.json["msg"], message);
    };
    let wrong = "Invalid login credentials";
    let body = json!({ "email": EMAIL, "password": "wrong" });
    check(body, "invalid_credentials", wrong).await;
    let body = json!({ "email": "nobody@example.com", "password": PASSWORD });
    check(body, "invalid_credentials", wrong).await;
    let message = "missing email or phone";
    check(json!({}), "validation_failed", message).await;
    let disable = UserChange::Status(AccountStatus::Disabled);
    bench.change(&bench.user, disable).await;
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    check(body, "user_banned", "User is banned").await;
    let answer = bench.post("/auth/v1/token", json!({}), &[]).await;
    assert_fault(&answer, 400, "invalid_credentials");
    assert_eq!(answer.json["msg"], "unsupported_grant_type");
    let request = (Method::POST, PASSWORD_GRANT);
    let answer = bench.send(request, &[], "{".to_owned()).await;
    assert_fault(&answer, 400, "bad_json");
}

#[tokio::test]
async fn the_version_of_the_client_chooses_the_body() {
    let bench = Bench::start(Shape::Supabase).await;
    let body = json!({ "email": EMAIL, "password": "wrong" });
    let first = json!({
        "code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials",
    });
    let second = json!({ "code": "invalid_credentials", "message": "Invalid login credentials" });
    let check = async |headers: Headers<'_>, expected: &Value, echoed: Option<&str>| {
        let answer = bench.post(PASSWORD_GRANT, body.clone(), headers).await;
        assert_eq!(answer.json, *expected, "{headers:?}");
        let found = answer.headers.get("x-supabase-api-version");
        assert_eq!(found.map(|value| value.to_str().unwrap()), echoed);
        assert_eq!(answer.header("x-sb-error-code"), "invalid_credentials");
    };
    check(&[], &first, None).await;
    let version = "x-supabase-api-version";
    check(&[(version, "2023-01-01")], &first, None).await;
    let newest = Some("2024-01-01");
    check(&[(version, "2024-01-01")], &second, newest).await;
    check(&[(version, "2030-01-01")], &second, newest).await;
    check(&[(version, "latest")], &first, None).await;
}

#[tokio::test]
async fn each_refused_bearer_has_its_code() {
    let bench = Bench::start(Shape::Supabase).await;
    assert_fault(&bench.get(USER, &[]).await, 401, "no_authorization");
    let basic = [("authorization", "Basic abc")];
    assert_fault(&bench.get(USER, &basic).await, 401, "no_authorization");
    assert_fault(&user(&bench, "junk").await, 403, "bad_jwt");
    let answer = sign_in(&bench).await;
    let token = answer.text("/access_token");
    bench.core.clock.advance(Duration::from_hours(2));
    let expired = user(&bench, token).await;
    assert_fault(&expired, 403, "bad_jwt");
    assert!(expired.text("/msg").ends_with("token is expired"));
    let answer = sign_in(&bench).await;
    let disable = UserChange::Status(AccountStatus::Disabled);
    bench.change(&bench.user, disable).await;
    let token = answer.text("/access_token");
    assert_fault(&user(&bench, token).await, 403, "user_banned");
    assert!(bench.core.users.remove(bench.user.id).await.unwrap());
    assert_fault(&user(&bench, token).await, 403, "user_not_found");
}

#[tokio::test]
async fn what_is_no_endpoint_is_an_error_of_this_dialect() {
    let bench = Bench::start(Shape::Supabase).await;
    assert_fault(&bench.get("/auth/v1/magic", &[]).await, 404, "not_found");
    let answer = bench.get("/auth/v1/token", &[]).await;
    assert_fault(&answer, 405, "not_found");
}

#[tokio::test]
async fn a_store_that_is_away_is_503_and_signs_nobody_out() {
    let bench = Bench::start(Shape::Supabase).await;
    let answer = sign_in(&bench).await;
    let pool = doorward::database::open(bench.core.directory.path()).await;
    let pool = pool.unwrap();
    let rename = |from: &str, to: &str| format!("ALTER TABLE {from} RENAME TO {to}");
    let away = rename("sessions", "sessions_away");
    sqlx::query(sqlx::AssertSqlSafe(away))
        .execute(&pool)
        .await
        .unwrap();
    let refused = refresh(&bench, answer.text("/refresh_token")).await;
    assert_fault(&refused, 503, "unexpected_failure");
    assert!(refused.headers.contains_key("retry-after"));
    let back = rename("sessions_away", "sessions");
    sqlx::query(sqlx::AssertSqlSafe(back))
        .execute(&pool)
        .await
        .unwrap();
    refresh(&bench, answer.text("/refresh_token"))
        .await
        .expect(200);
}

#[tokio::test]
async fn pages_of_listed_origins_alone_read_answers() {
    let bench = Bench::start(Shape::Supabase).await;
    let check = async |origin: &str, expected: Option<&str>| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
        ];
        let request = (Method::OPTIONS, PASSWORD_GRANT);
        let preflight = bench.send(request, &headers, String::new()).await;
        let answer = bench.get("/auth/v1/settings", &headers).await;
        for answer in [&preflight, &answer] {
            let found = answer.headers.get("access-control-allow-origin");
            assert_eq!(found.map(|value| value.to_str().unwrap()), expected);
        }
        preflight
    };
    let preflight = check("https://app.test", Some("https://app.test")).await;
    let allowed = preflight.header("access-control-allow-headers");
    for name in [
        "apikey",
        "x-client-info",
        "x-supabase-api-version",
        "prefer",
    ] {
        assert!(allowed.contains(name), "{name}");
    }
    assert!(
        preflight
            .header("access-control-allow-methods")
            .contains("PUT")
    );
    check("https://evil.test", None).await;
    check("null", None).await;
}
