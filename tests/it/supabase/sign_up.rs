//! `POST signup` and `POST invite`.

use doorward::auth::AccountRules;
use doorward::auth::EmailRule;
use doorward::auth::account::rules::{Disclosure, EmailDomains};

use super::keys::SERVICE;
use super::*;

const SIGN_UP: &str = "/auth/v1/signup";
const NEW: &str = "new@example.com";

async fn sign_up(bench: &Bench, email: &str) -> Answer {
    let body = json!({
        "email": email, "password": PASSWORD, "data": { "name": "New" }, "gotrue_meta_security": {},
        "code_challenge": null, "code_challenge_method": null,
    });
    bench.post(SIGN_UP, body, &[]).await
}

#[tokio::test]
async fn without_confirmation_a_sign_up_is_a_session() {
    let bed = Bed::open(Shape::Supabase, EmailRule::MayBeUnverified);
    let bench = bed.start().await;
    let answer = sign_up(&bench, NEW).await.expect(200);
    let expected = [
        "access_token",
        "expires_at",
        "expires_in",
        "refresh_token",
        "token_type",
        "user",
    ];
    assert_eq!(names(&answer.json), expected);
    assert_eq!(answer.json["user"]["email"], NEW);
    assert_eq!(
        answer.json["user"]["user_metadata"],
        json!({ "name": "New" })
    );
    assert_eq!(answer.header("sb-auth-user-id"), answer.text("/user/id"));
    user(&bench, answer.text("/access_token")).await.expect(200);
    let taken = sign_up(&bench, NEW).await;
    assert_fault(&taken, 422, "user_already_exists");
    assert_eq!(taken.json["msg"], "User already registered");
}

#[tokio::test]
async fn with_confirmation_a_sign_up_is_a_user_and_a_mail() {
    let bed = Bed::open(Shape::Supabase, EmailRule::MustBeVerified);
    let bench = bed.start().await;
    let answer = sign_up(&bench, NEW).await.expect(200);
    let expected = [
        "app_metadata",
        "aud",
        "confirmation_sent_at",
        "created_at",
        "email",
        "id",
        "identities",
        "is_anonymous",
        "phone",
        "role",
        "updated_at",
        "user_metadata",
    ];
    assert_eq!(names(&answer.json), expected);
    assert_eq!(
        answer.json["confirmation_sent_at"],
        answer.json["created_at"]
    );
    let login = json!({ "email": NEW, "password": PASSWORD });
    let refused = bench.post(PASSWORD_GRANT, login.clone(), &[]).await;
    assert_fault(&refused, 400, "email_not_confirmed");
    let code = bench.digits_to(NEW).await;
    let proof = json!({ "type": "signup", "email": NEW, "token": code });
    let verified = bench.post("/auth/v1/verify", proof, &[]).await.expect(200);
    assert_eq!(verified.json["user"]["id"], answer.json["id"]);
    assert!(verified.json["user"]["email_confirmed_at"].is_string());
    bench.post(PASSWORD_GRANT, login, &[]).await.expect(200);
}

#[tokio::test]
async fn an_address_with_an_account_signs_up_like_a_new_one() {
    let bed = Bed::open(Shape::Supabase, EmailRule::MustBeVerified);
    let bench = bed.start().await;
    let new = sign_up(&bench, NEW).await.expect(200);
    bench.mail_to(NEW).await;
    let known = sign_up(&bench, EMAIL).await.expect(200);
    let mail = bench.mail_to(EMAIL).await;
    assert!(mail.contains("There is one already"), "{mail}");
    // The same but for what is different for every two new users.
    let alike = |answer: &Answer| {
        let mut user = answer.json.clone();
        for name in [
            "id",
            "email",
            "created_at",
            "updated_at",
            "confirmation_sent_at",
        ] {
            assert!(user[name].take().is_string(), "{name}");
        }
        let identity = &mut user["identities"][0];
        for name in [
            "identity_id",
            "id",
            "user_id",
            "email",
            "created_at",
            "updated_at",
        ] {
            assert!(identity[name].take().is_string(), "{name}");
        }
        identity["identity_data"]["sub"].take();
        identity["identity_data"]["email"].take();
        user
    };
    assert_eq!(alike(&new), alike(&known));
    assert_ne!(known.text("/id"), bench.user.id.to_string());
}

#[tokio::test]
async fn each_refused_sign_up_has_its_code() {
    let closed = Bench::start(Shape::Supabase).await;
    let answer = sign_up(&closed, NEW).await;
    assert_fault(&answer, 422, "signup_disabled");
    assert_eq!(answer.json["msg"], "Signups not allowed for this instance");

    let bed = Bed::open(Shape::Supabase, EmailRule::MustBeVerified);
    let accounts = AccountRules {
        disclosure: Disclosure::Frank,
        domains: EmailDomains::Only(vec!["example.com".into()]),
        ..bed.accounts
    };
    let bench = Bed { accounts, ..bed }.start().await;
    let check = async |body: Value, (status, code): (u16, &str)| {
        let answer = bench.post(SIGN_UP, body, &[]).await;
        assert_fault(&answer, status, code);
    };
    let invalid = (400, "validation_failed");
    check(json!({ "email": NEW }), invalid).await;
    check(json!({ "email": "new", "password": PASSWORD }), invalid).await;
    let both = json!({ "email": NEW, "phone": "+49", "password": PASSWORD });
    check(both, invalid).await;
    let phone = json!({ "phone": "+49", "password": PASSWORD });
    check(phone, (400, "phone_provider_disabled")).await;
    check(json!({ "data": {} }), (422, "anonymous_provider_disabled")).await;
    let weak = json!({ "email": NEW, "password": "short" });
    check(weak, (422, "weak_password")).await;
    let odd = json!({ "email": NEW, "password": PASSWORD, "data": [] });
    check(odd, (400, "bad_json")).await;
    let large = json!({ "email": NEW, "password": PASSWORD, "data": { "a": "a".repeat(20_000) } });
    check(large, (422, "validation_failed")).await;
    let taken = json!({ "email": EMAIL, "password": PASSWORD });
    check(taken, (422, "user_already_exists")).await;
    let elsewhere = json!({ "email": "new@evil.test", "password": PASSWORD });
    check(elsewhere, (400, "email_address_not_authorized")).await;
    bench.expect_no_other_mail().await;
}

#[tokio::test]
async fn the_settings_say_whether_one_may_sign_up() {
    let check = async |bed: Bed, (closed, confirmed): (bool, bool)| {
        let bench = bed.start().await;
        let settings = bench.get("/auth/v1/settings", &[]).await.expect(200).json;
        assert_eq!(settings["disable_signup"], closed);
        assert_eq!(settings["mailer_autoconfirm"], confirmed);
    };
    check(Bed::of(Shape::Supabase), (true, true)).await;
    let bed = Bed::open(Shape::Supabase, EmailRule::MustBeVerified);
    check(bed, (false, false)).await;
}

#[tokio::test]
async fn the_service_key_invites_and_nothing_else_does() {
    let bed = Bed::of(Shape::Supabase);
    let keys = ApiKeys {
        public: Vec::new(),
        service: Some(SecretText::from(SERVICE)),
    };
    let bench = Bed { keys, ..bed }.start().await;
    let invite = async |token: &str, email: &str| {
        let token = bearer(token);
        let body = json!({ "email": email, "data": { "team": "a" } });
        let headers = [("authorization", token.as_str())];
        bench.post("/auth/v1/invite", body, &headers).await
    };
    let session = sign_in(&bench).await;
    let refused = invite(session.text("/access_token"), NEW).await;
    assert_fault(&refused, 403, "not_admin");
    assert_fault(&invite(SERVICE, "").await, 400, "validation_failed");
    assert_fault(&invite(SERVICE, EMAIL).await, 422, "email_exists");

    let invited = invite(SERVICE, NEW).await.expect(200);
    assert!(invited.json["invited_at"].is_string());
    assert_eq!(invited.json["user_metadata"], json!({ "team": "a" }));
    // Again, as the first mail may not have come.
    bench.digits_to(NEW).await;
    bench.core.clock.advance(Duration::from_mins(2));
    let again = invite(SERVICE, NEW).await.expect(200);
    assert_eq!(again.json["id"], invited.json["id"]);
    let proof = json!({ "type": "invite", "email": NEW, "token": bench.digits_to(NEW).await });
    let verified = bench.post("/auth/v1/verify", proof, &[]).await.expect(200);
    assert_eq!(verified.json["user"]["id"], invited.json["id"]);
    let token = bearer(verified.text("/access_token"));
    let headers = [("authorization", token.as_str())];
    let chosen = json!({ "password": "another horse battery" });
    let put = (Method::PUT, USER);
    bench
        .send(put, &headers, chosen.to_string())
        .await
        .expect(200);
    bench.expect_no_other_mail().await;
}
