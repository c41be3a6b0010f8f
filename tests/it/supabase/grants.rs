//! Signing in, refreshing, signing out.

use super::*;

#[tokio::test]
async fn a_password_opens_a_session_as_gotrue_shows_one() {
    let bench = Bench::start(Shape::Supabase).await;
    let answer = sign_in(&bench).await;
    let expected = [
        "access_token",
        "expires_at",
        "expires_in",
        "refresh_token",
        "token_type",
        "user",
    ];
    assert_eq!(names(&answer.json), expected);
    assert_eq!(answer.json["token_type"], "bearer");
    assert_eq!(answer.json["expires_in"], 3600);
    let id = bench.user.id.to_string();
    let (user, at) = (&answer.json["user"], bench.user.created_at.to_string());
    let identity = user["identities"][0]["identity_id"].clone();
    let expected = json!({
        "id": id, "aud": "authenticated", "role": "authenticated", "email": EMAIL,
        "email_confirmed_at": at, "confirmed_at": at, "phone": "", "last_sign_in_at": at,
        "app_metadata": { "provider": "email", "providers": ["email"] }, "user_metadata": {},
        "identities": [{
            "identity_id": identity, "id": id, "user_id": id, "provider": "email", "email": EMAIL,
            "identity_data": {
                "email": EMAIL, "email_verified": true, "phone_verified": false, "sub": id,
            },
            "last_sign_in_at": at, "created_at": at, "updated_at": at,
        }],
        "created_at": at, "updated_at": at, "is_anonymous": false,
    });
    assert_eq!(*user, expected);
    assert_ne!(identity, json!(id));
    assert_eq!(answer.header("sb-auth-user-id"), id);
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn its_tokens_say_what_row_level_security_reads() {
    let bench = Bench::start(Shape::Supabase).await;
    let answer = sign_in(&bench).await;
    let (header, claims) = decoded(answer.text("/access_token"));
    assert_eq!(
        (&header["typ"], &header["alg"]),
        (&json!("JWT"), &json!("ES256"))
    );
    assert!(header["kid"].is_string());
    let at = bench.user.created_at.as_seconds();
    for (name, value) in [
        ("iss", json!("https://gw.test/auth/v1")),
        ("aud", json!("authenticated")),
        ("role", json!("authenticated")),
        ("sub", json!(bench.user.id.to_string())),
        ("email", json!(EMAIL)),
        ("phone", json!("")),
        ("aal", json!("aal1")),
        ("amr", json!([{ "method": "password", "timestamp": at }])),
        ("session_id", json!(answer.header("sb-auth-session-id"))),
        (
            "app_metadata",
            json!({ "provider": "email", "providers": ["email"] }),
        ),
        ("user_metadata", json!({})),
        ("is_anonymous", json!(false)),
        ("exp", answer.json["expires_at"].clone()),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
}

#[tokio::test]
async fn the_secret_of_a_project_signs_in_place_of_the_keys() {
    const SECRET: &str = "super-secret-jwt-token-with-at-least-32-characters-long";
    let bed = Bed {
        secret: Some(SECRET),
        prefix: "/shop",
        ..Bed::of(Shape::Supabase)
    };
    let bench = bed.start().await;
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let target = format!("/shop{PASSWORD_GRANT}");
    let answer = bench.post(&target, body, &[]).await.expect(200);
    let token = answer.text("/access_token");
    let (header, claims) = decoded(token);
    assert_eq!(header, json!({ "alg": "HS256", "typ": "JWT" }));
    assert_eq!(claims["iss"], "https://gw.test/shop/auth/v1");
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes());
    let expected = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
    let expected = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        expected.as_ref(),
    );
    assert_eq!(signature, expected);
    let token = bearer(token);
    let headers = [("authorization", token.as_str())];
    bench.get("/shop/auth/v1/user", &headers).await.expect(200);
    let keys = bench.get("/shop/auth/v1/.well-known/jwks.json", &[]).await;
    assert_eq!(keys.json, json!({ "keys": [] }));
}

#[tokio::test]
async fn a_refresh_moves_on_and_a_lost_answer_is_given_again() {
    let bench = Bench::start(Shape::Supabase).await;
    let first = sign_in(&bench).await;
    let parent = first.text("/refresh_token");
    let second = refresh(&bench, parent).await.expect(200);
    assert_ne!(second.text("/refresh_token"), parent);
    let again = refresh(&bench, parent).await.expect(200);
    assert_eq!(again.text("/refresh_token"), second.text("/refresh_token"));
    // The times of the sign-in stay.
    let (_, claims) = decoded(again.text("/access_token"));
    let at = bench.user.created_at.as_seconds();
    assert_eq!(
        claims["amr"],
        json!([{ "method": "password", "timestamp": at }])
    );
}

#[tokio::test]
async fn an_older_refresh_token_ends_the_session() {
    let bench = Bench::start(Shape::Supabase).await;
    let first = sign_in(&bench).await;
    let second = refresh(&bench, first.text("/refresh_token"))
        .await
        .expect(200);
    let third = refresh(&bench, second.text("/refresh_token"))
        .await
        .expect(200);
    let reused = refresh(&bench, first.text("/refresh_token")).await;
    assert_fault(&reused, 400, "refresh_token_already_used");
    assert_eq!(reused.json["msg"], "Invalid Refresh Token: Already Used");
    let newest = refresh(&bench, third.text("/refresh_token")).await;
    assert_fault(&newest, 400, "refresh_token_not_found");
    let ended = user(&bench, third.text("/access_token")).await;
    assert_fault(&ended, 403, "session_not_found");
}

#[tokio::test]
async fn what_is_no_refresh_token_is_told_apart_by_its_form() {
    let bench = Bench::start(Shape::Supabase).await;
    for (token, code) in [
        ("", "validation_failed"),
        ("elevenchars", "validation_failed"),
        ("twelvechars1", "refresh_token_not_found"),
    ] {
        assert_fault(&refresh(&bench, token).await, 400, code);
    }
    let body = json!({ "refresh_token": 7 });
    let answer = bench.post(REFRESH_GRANT, body, &[]).await;
    assert_fault(&answer, 400, "bad_json");
}

async fn logout(bench: &Bench, token: &str, scope: &str) -> Answer {
    let token = bearer(token);
    let target = format!("/auth/v1/logout{scope}");
    let headers = [("authorization", token.as_str())];
    let request = (Method::POST, target.as_str());
    bench.send(request, &headers, String::new()).await
}

#[tokio::test]
async fn a_logout_ends_what_its_scope_says() {
    let bench = Bench::start(Shape::Supabase).await;
    // Which of three sessions live on, of which the first logs out.
    for (scope, alive) in [
        ("", [false; 3]),
        ("?scope=global", [false; 3]),
        ("?scope=local", [false, true, true]),
        ("?scope=others", [true, false, false]),
    ] {
        let mut sessions = Vec::new();
        for _ in 0..3 {
            sessions.push(sign_in(&bench).await);
        }
        let answer = logout(&bench, sessions[0].text("/access_token"), scope).await;
        let answer = answer.expect(204);
        assert_eq!(answer.json, Value::Null);
        for (session, alive) in sessions.iter().zip(alive) {
            let found = user(&bench, session.text("/access_token")).await;
            let refreshed = refresh(&bench, session.text("/refresh_token")).await;
            if alive {
                found.expect(200);
                refreshed.expect(200);
            } else {
                assert_fault(&found, 403, "session_not_found");
                assert_fault(&refreshed, 400, "refresh_token_not_found");
            }
        }
    }
    let session = sign_in(&bench).await;
    let answer = logout(&bench, session.text("/access_token"), "?scope=all").await;
    assert_fault(&answer, 400, "validation_failed");
    assert_fault(&logout(&bench, "junk", "").await, 403, "bad_jwt");
}
