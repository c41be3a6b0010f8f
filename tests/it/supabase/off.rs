//! What the original has and this has not.

use super::*;

#[tokio::test]
async fn what_is_off_is_refused_as_the_original_does() {
    let bench = Bench::start(Shape::Supabase).await;
    let session = sign_in(&bench).await;
    let token = bearer(session.text("/access_token"));
    let check = async |call: (Method, &str), (status, code): (u16, &str)| {
        let headers = [("authorization", token.as_str())];
        let answer = bench.send(call, &headers, "{}".to_owned()).await;
        assert_fault(&answer, status, code);
    };
    let (get, post) = (Method::GET, Method::POST);
    let authorize = "/auth/v1/authorize?provider=google";
    check((get.clone(), authorize), (400, "validation_failed")).await;
    check(
        (post.clone(), "/auth/v1/sso"),
        (404, "saml_provider_disabled"),
    )
    .await;
    let factors = (post.clone(), "/auth/v1/factors");
    check(factors, (422, "mfa_totp_enroll_not_enabled")).await;
    let link = "/auth/v1/user/identities/authorize?provider=google";
    check((get.clone(), link), (404, "manual_linking_disabled")).await;
    let unlink = (Method::DELETE, "/auth/v1/user/identities/7");
    check(unlink, (404, "manual_linking_disabled")).await;
    for (grant, status, code) in [
        ("pkce", 404, "flow_state_not_found"),
        ("id_token", 400, "provider_disabled"),
        ("web3", 422, "web3_provider_disabled"),
        ("odd", 400, "invalid_credentials"),
    ] {
        let path = format!("/auth/v1/token?grant_type={grant}");
        check((post.clone(), &path), (status, code)).await;
    }
    check((get, "/auth/v1/passkeys"), (404, "not_found")).await;
    let nobody = bench.post("/auth/v1/factors", json!({}), &[]).await;
    assert_fault(&nobody, 401, "no_authorization");
}
