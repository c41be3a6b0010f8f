//! Administrators by the word of another issuer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward::clock::Clock as _;
use doorward::keys::{AdminClaim, IssuerConfig, JwksSource};
use doorward::policy::ClaimTest;
use doorward::token::algorithm::Algorithm;
use doorward::token::signing::PrivateKey;
use doorward::trust::Trust;

use super::*;

const ISSUER: &str = "https://id.example.com";

/// A token of the issuer, about the administrator here and an administrator there.
fn token_of(site: &Site, key: &PrivateKey) -> String {
    let expires_at = site.api.core.clock.now().plus(Duration::from_mins(10));
    let claims = json!({
        "iss": ISSUER, "aud": "shop", "sub": site.root.id.to_string(), "exp": expires_at.as_seconds(),
        "roles": ["admin"],
    });
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({ "alg": "ES256", "kid": "k" });
    let input = format!("{}.{}", encode(&header), encode(&claims));
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn an_administrator_elsewhere_is_none_here() {
    let site = Site::start().await;
    let bytes = PrivateKey::generate(Algorithm::Es256).unwrap();
    let key = PrivateKey::read(Algorithm::Es256, &bytes).unwrap();
    let mut jwk = key.public().unwrap().to_jwk();
    jwk.insert("kid".to_owned(), json!("k"));
    let file = site.api.core.directory.path().join("jwks.json");
    std::fs::write(&file, json!({ "keys": [jwk] }).to_string()).unwrap();
    let issuer = IssuerConfig {
        issuer: ISSUER.to_owned(),
        jwks: JwksSource::File(file),
        audiences: vec!["shop".to_owned()],
        trust: Trust::System,
        admin: Some(AdminClaim {
            claim: "roles".to_owned(),
            test: ClaimTest::Contains(json!("admin")),
        }),
        refresh: Duration::from_hours(1),
        refresh_min: Duration::from_hours(1),
        stale_max: Duration::from_hours(1),
    };
    let tokens = site.api.core.auth.tokens();
    tokens.replace(Vec::new(), &[issuer]).unwrap();
    let token = token_of(&site, &key);
    // It holds, and its bearer is an administrator to services.
    assert!(
        tokens
            .identify(&token, site.api.core.clock.now())
            .unwrap()
            .has_role("admin")
    );
    for method in ["GET", "POST"] {
        let call = Call {
            token: &token,
            ..site.call(method, "users")
        };
        let body = json!({ "email": ALICE });
        let refused = site.send(call, Some(&body)).await;
        assert_eq!(refusal(&refused), is(403, "foreign_token"), "{method}");
    }
    assert_eq!(site.ask("GET", "users").await.body["total"], 1);
}
