//! The one account.

use super::*;
use crate::gotrue::{assert_added_by, decoded};

#[tokio::test]
async fn the_administrator_comes_once_signs_in_and_goes() {
    let bench = bench().await;
    let exists = async || bench.get("/auth/admin/exists", &[]).await.expect(200).json;
    let ok = |result| json!({ "usage": {}, "time": 0.0, "status": "ok", "result": result });
    assert_eq!(exists().await, ok(false));
    let answer = register(&bench, HERE, &[]).await.expect(200);
    let done = json!({ "status": "success", "message": "User registered successfully" });
    assert_eq!(answer.json, done);
    assert_eq!(exists().await, ok(true));
    assert_added_by(&bench, "actian:this-machine");
    let again = register(&bench, HERE, &[]).await;
    assert_error(&again, 409, "Username already exists");

    let answer = login(&bench, PASSWORD).await.expect(200);
    assert_eq!(answer.json["message"], "Login successful");
    assert_eq!(answer.json["expires_in"], 3600);
    assert_eq!(answer.header("cache-control"), "no-store");
    let token = answer.text("/token").to_owned();
    let (header, claims) = decoded(&token);
    assert_eq!(header, json!({ "alg": "HS256", "typ": "JWT" }));
    assert_eq!(claims["roles"], json!(["admin"]));

    let gone = with(&bench, &token, (Method::DELETE, "/auth/admin", Value::Null)).await;
    gone.expect(200);
    let told = bench.core.audited();
    let removed = told.iter().find(|line| line["action"] == "remove-user");
    assert_eq!(removed.unwrap()["actor"], claims["sub"]);
    assert_eq!(exists().await, ok(false));
    let answer = with(&bench, &token, (Method::GET, "/auth/enabled", Value::Null)).await;
    assert_error(&answer, 401, "Invalid or missing authorization token");
    login(&bench, PASSWORD).await.expect(401);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_look_alike() {
    let bench = bench().await;
    let unknown = login(&bench, "anything").await.expect(401);
    register(&bench, HERE, &[]).await.expect(200);
    let wrong = login(&bench, "anything").await.expect(401);
    let expected = json!({
        "token": null, "message": "Invalid username or password", "expires_in": 0,
    });
    assert_eq!((&unknown.json, &wrong.json), (&expected, &expected));
    for body in [
        json!({}),
        json!({ "password": "  " }),
        json!({ "password": null }),
    ] {
        let answer = bench.post("/auth/admin/login", body, &[]).await;
        assert_error(&answer, 400, "Missing required field: password");
    }
    let answer = bench
        .send((Method::POST, "/auth/admin/login"), &[], "{".into())
        .await;
    assert_error(&answer, 400, "Invalid JSON in request body");
}

#[tokio::test]
async fn only_somebody_on_this_machine_registers_and_resets() {
    let bench = bench().await;
    let words = "This endpoint is only accessible from localhost";
    let elsewhere: [(&str, Headers<'_>); 8] = [
        ("192.0.2.7", &[]),
        ("10.0.0.1", &[]),
        ("2001:db8::1", &[]),
        // Somebody stands between who is not trusted.
        (HERE, &[("x-forwarded-for", "127.0.0.1")]),
        (HERE, &[("forwarded", "for=127.0.0.1")]),
        (HERE, &[("via", "1.1 proxy")]),
        // A page in a browser on this machine.
        (HERE, &[("origin", "https://evil.test")]),
        (HERE, &[("sec-fetch-site", "cross-site")]),
    ];
    for (client, headers) in elsewhere {
        assert_error(&register(&bench, client, headers).await, 403, words);
    }
    assert_eq!(
        bench.get("/auth/admin/exists", &[]).await.json["result"],
        false
    );
    register(&bench, "::ffff:127.0.0.1", &[]).await.expect(200);
    let other = "AnotherSecurePwd!3";
    let call = || ("/auth/admin/reset-password", json!({ "password": other }));
    for caller in elsewhere {
        assert_error(&from(&bench, caller, call()).await, 403, words);
    }
    login(&bench, PASSWORD).await.expect(200);
    from(&bench, ("::1", &[]), call()).await.expect(200);
    login(&bench, PASSWORD).await.expect(401);
    login(&bench, other).await.expect(200);
}

#[tokio::test]
async fn a_reset_takes_both_forms_and_ends_the_sessions() {
    let (bench, token) = with_admin().await;
    let reset = async |body: Value| {
        let call = ("/auth/admin/reset-password", body);
        from(&bench, (HERE, &[]), call).await
    };
    let other = "AnotherSecurePwd!3";
    let wrong = json!({ "old_password": "wrong", "new_password": other });
    assert_error(&reset(wrong).await, 401, "Invalid username or password");
    let half = json!({ "new_password": other });
    assert_error(
        &reset(half).await,
        400,
        "Missing required field: old_password",
    );
    let weak = json!({ "password": "correct horse battery" });
    let words = "Password must include uppercase, lowercase, digit, and special characters";
    assert_error(&reset(weak).await, 400, words);
    assert_error(
        &reset(json!({})).await,
        400,
        "Missing required field: password",
    );
    let read = (Method::GET, "/auth/enabled", Value::Null);
    with(&bench, &token, read.clone()).await.expect(200);
    let both = json!({ "old_password": PASSWORD, "new_password": other });
    let done = json!({ "status": "success", "message": "Password reset successfully" });
    assert_eq!(reset(both).await.expect(200).json, done);
    with(&bench, &token, read).await.expect(401);
    login(&bench, other).await.expect(200);
    assert_eq!(
        reset(json!({ "password": PASSWORD }))
            .await
            .expect(200)
            .json,
        done
    );
    login(&bench, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_reset_of_nobody_is_404() {
    let bench = bench().await;
    for body in [
        json!({ "password": PASSWORD }),
        json!({ "old_password": PASSWORD, "new_password": PASSWORD }),
    ] {
        let call = ("/auth/admin/reset-password", body);
        assert_error(
            &from(&bench, (HERE, &[]), call).await,
            404,
            "User not found",
        );
    }
}

#[tokio::test]
async fn authentication_is_on_and_stays_on() {
    let (bench, token) = with_admin().await;
    let patch = |enabled: Value| {
        (
            Method::PATCH,
            "/auth/enabled",
            json!({ "enabled": enabled }),
        )
    };
    let on = with(&bench, &token, patch(json!(true))).await.expect(200);
    assert_eq!(on.json["result"], true);
    let off = with(&bench, &token, patch(json!(false))).await;
    assert_error(&off, 403, "Authentication cannot be turned off here");
    let read = with(&bench, &token, (Method::GET, "/auth/enabled", Value::Null)).await;
    assert_eq!(read.expect(200).json["result"], true);
    let missing = with(&bench, &token, (Method::PATCH, "/auth/enabled", json!({}))).await;
    assert_error(&missing, 400, "Missing required field: enabled");
    for headers in [
        &[][..],
        &[("api-key", "x")],
        &[("authorization", "Basic x")],
    ] {
        let answer = bench.get("/auth/enabled", headers).await;
        assert_error(&answer, 401, "Invalid or missing authorization token");
    }
}

#[tokio::test]
async fn one_credential_is_shown_in_either_place_or_in_both() {
    let (bench, token) = with_admin().await;
    let bearer = format!("Bearer {token}");
    let check = async |headers: Headers<'_>, status: u16| {
        let answer = bench.get("/auth/enabled", headers).await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?}");
    };
    check(&[("api-key", &token)], 200).await;
    check(&[("authorization", &bearer)], 200).await;
    check(&[("api-key", &token), ("authorization", &bearer)], 200).await;
    check(&[("api-key", &token), ("authorization", "Bearer x")], 401).await;
    check(&[("api-key", "x"), ("authorization", &bearer)], 401).await;
    check(&[("api-key", &token), ("authorization", "Basic x")], 401).await;
    check(&[("api-key", &token), ("api-key", &token)], 401).await;
    check(&[("api-key", ""), ("authorization", &bearer)], 401).await;
}

#[tokio::test]
async fn pages_of_listed_origins_alone_call_the_login() {
    let bench = bench().await;
    for (origin, expected) in [(APP, Some(APP)), ("https://evil.test", None)] {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,api-key"),
        ];
        let target = (Method::OPTIONS, "/auth/admin/login");
        let preflight = bench.send(target, &headers, String::new()).await;
        assert_eq!(preflight.status, 204);
        let wrong = json!({ "password": "wrong" });
        let answer = bench.post("/auth/admin/login", wrong, &headers[..1]).await;
        for answer in [&preflight, &answer] {
            let allowed = answer.headers.get("access-control-allow-origin");
            assert_eq!(allowed.map(|value| value.to_str().unwrap()), expected);
            assert_eq!(answer.header("vary"), "Origin");
        }
        let sent = preflight.headers.get("access-control-allow-headers");
        assert_eq!(sent.is_some(), expected.is_some());
    }
}

#[tokio::test]
async fn what_is_no_endpoint_is_told_in_the_words_of_the_dialect() {
    let bench = bench().await;
    assert_error(&bench.get("/auth/other", &[]).await, 404, "Not found");
    let answer = bench.get("/auth/admin/login", &[]).await;
    assert_error(&answer, 405, "Method not allowed");
}
