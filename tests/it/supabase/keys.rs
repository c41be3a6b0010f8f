//! The API keys of the project, and what the dialect tells of itself.

use doorward::limit::{Policy, Quota, Rules};

use super::*;

const SETTINGS: &str = "/auth/v1/settings";

pub(super) const SERVICE: &str = "sb_secret_of_more_than_thirty_two_bytes";

pub(super) fn with_keys() -> Bed {
    Bed {
        keys: ApiKeys {
            public: vec![SecretText::from("anon"), SecretText::from("other")],
            service: Some(SecretText::from(SERVICE)),
        },
        ..Bed::of(Shape::Supabase)
    }
}

#[tokio::test]
async fn a_key_is_asked_for_in_the_words_of_its_gateway() {
    let bench = with_keys().start().await;
    let missing = json!({
        "message": "No API key found in request",
        "hint": "No `apikey` request header or url param was found.",
    });
    let wrong = json!({
        "message": "Invalid API key",
        "hint": "Double check your Supabase `anon` or `service_role` API key.",
    });
    let refused = async |target: &str, headers: Headers<'_>, body: &Value| {
        let answer = bench.get(target, headers).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json),
            (401, body),
            "{headers:?}"
        );
    };
    refused(SETTINGS, &[], &missing).await;
    refused(SETTINGS, &[("apikey", "")], &wrong).await;
    refused(SETTINGS, &[("apikey", "anon2")], &wrong).await;
    refused(&format!("{SETTINGS}?apikey=no"), &[], &wrong).await;
    refused(SETTINGS, &[("authorization", "Bearer no")], &wrong).await;
    let both = [("apikey", "no"), ("authorization", "Bearer anon")];
    refused(SETTINGS, &both, &wrong).await;
    let welcome = async |target: &str, headers: Headers<'_>| {
        bench.get(target, headers).await.expect(200);
    };
    welcome(SETTINGS, &[("apikey", "anon")]).await;
    welcome(SETTINGS, &[("apikey", "other")]).await;
    welcome(SETTINGS, &[("apikey", SERVICE)]).await;
    welcome(SETTINGS, &[("authorization", "Bearer anon")]).await;
    welcome(&format!("{SETTINGS}?apikey=anon"), &[]).await;
    // Whoever verifies tokens has no key.
    welcome("/auth/v1/.well-known/jwks.json", &[]).await;
}

#[tokio::test]
async fn a_sign_in_without_the_key_is_not_tried() {
    let bench = with_keys().start().await;
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let answer = bench.post(PASSWORD_GRANT, body.clone(), &[]).await;
    answer.expect(401);
    assert!(bench.core.audited().is_empty());
    let headers = [("apikey", "anon"), ("authorization", "Bearer anon")];
    bench.post(PASSWORD_GRANT, body, &headers).await.expect(200);
}

#[tokio::test]
async fn guesses_at_the_service_key_are_limited_and_told() {
    let limits = Policy {
        api_key: Rules {
            address: Quota::parse("2/1h"),
            ..Rules::default()
        },
        ..Policy::off()
    };
    for (target, headers) in [
        (SETTINGS, [("apikey", "guess"), ("x-nothing", "")]),
        (
            "/auth/v1/admin/users",
            [("apikey", "anon"), ("authorization", "Bearer guess")],
        ),
    ] {
        let bed = Bed {
            limits: limits.clone(),
            ..with_keys()
        };
        let bench = bed.start().await;
        let get = async |headers: Headers<'_>| bench.get(target, headers).await;
        let service = bearer(SERVICE);
        let right = [("apikey", SERVICE), ("authorization", service.as_str())];
        // What is right is no guess, however often.
        for _ in 0..3 {
            get(&right).await.expect(200);
        }
        for _ in 0..2 {
            let status = get(&headers).await.status.as_u16();
            assert!([401, 403].contains(&status), "{status}");
        }
        for headers in [headers, right] {
            let answer = get(&headers).await;
            assert_fault(&answer, 429, "over_request_rate_limit");
            assert!(answer.headers.contains_key("retry-after"));
        }
        bench.get(SETTINGS, &[("apikey", "anon")]).await.expect(200);
        let told = bench.core.audited();
        let reasons = told.iter().map(|entry| {
            assert_eq!(
                (&entry["action"], &entry["outcome"]),
                (&json!("use-api-key"), &json!("refused"))
            );
            entry["reason"].as_str().unwrap()
        });
        let wrong = "wrong-project-key";
        assert_eq!(
            reasons.collect::<Vec<_>>(),
            [wrong, wrong, "limited", "limited"]
        );
        let told = json!(told).to_string();
        assert!(!told.contains("guess") && !told.contains(SERVICE), "{told}");
    }
}

#[tokio::test]
async fn it_tells_what_it_is() {
    let bench = Bench::start(Shape::Supabase).await;
    let settings = bench.get(SETTINGS, &[]).await.expect(200).json;
    assert_eq!(settings["external"]["email"], true);
    assert_eq!(settings["external"]["google"], false);
    for name in [
        "disable_signup",
        "mailer_autoconfirm",
        "phone_autoconfirm",
        "saml_enabled",
    ] {
        assert!(settings[name].is_boolean(), "{name}");
    }
    let health = bench.get("/auth/v1/health", &[]).await.expect(200).json;
    assert_eq!(names(&health), ["description", "name", "version"]);
    let known = "/auth/v1/.well-known";
    let keys = bench.get(&format!("{known}/jwks.json"), &[]).await;
    assert_eq!(keys.header("cache-control"), "public, max-age=5");
    assert_eq!(keys.json["keys"][0]["kty"], "EC");
    let about = bench
        .get(&format!("{known}/openid-configuration"), &[])
        .await;
    assert_eq!(about.json["issuer"], "https://gw.test/auth/v1");
    assert_eq!(
        about.json["jwks_uri"],
        "https://gw.test/auth/v1/.well-known/jwks.json"
    );
}
