//! The keys of the tokens: what is told of them, and a new one.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward::clock::Clock as _;
use doorward::keys::ring::Rotation;
use doorward::keys::{KeySource, SigningAlgorithm, file};

use super::*;

const ROTATE: &str = "signing-keys/rotate";

impl Site {
    fn ring(&self) -> PathBuf {
        self.api.core.directory.path().join("keys.json")
    }

    /// The names in the public key set.
    async fn published(&self) -> Vec<String> {
        let answer = self.api.call(get("/.doorward/jwks.json")).await;
        let keys = answer.body["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect()
    }

    /// What the trail has of rotations: outcome and reason.
    fn rotations(&self) -> Vec<String> {
        let audited = self.api.core.audited().into_iter();
        let told = audited.filter(|event| event["action"] == "rotate-keys");
        told.map(|event| {
            assert_eq!(event["actor"], self.root.id.to_string());
            assert_eq!(event["address"], "192.0.2.1");
            let text = |name: &str| event[name].as_str().unwrap().to_owned();
            [text("outcome"), text("reason")].join(" ")
        })
        .collect()
    }
}

fn get(path: &str) -> Request<String> {
    Request::get(path).body(String::new()).unwrap()
}

/// The name of the key that a token was signed with.
fn kid(token: &str) -> String {
    let (header, _) = token.split_once('.').unwrap();
    let header = URL_SAFE_NO_PAD.decode(header).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_new_key_signs_when_all_have_it_and_the_old_one_verifies_until_its_last_token_ends() {
    let site = Site::start().await;
    let old = kid(&site.token);
    let before = site.ask("GET", "signing-keys").await;
    let expected = json!([{
        "kid": old, "algorithm": "ES256", "status": "signing", "created_at": "2027-01-15T08:00:00.000Z",
        "retired_at": null, "verifies_until": null,
    }]);
    assert_eq!(before.body["signing_keys"], expected);
    site.api.core.clock.advance(Duration::from_mins(1));

    let rotated = site.ask("POST", ROTATE).await;
    assert_eq!(rotated.status, StatusCode::OK, "{}", rotated.body);
    let [new, second] = rotated.body["signing_keys"].as_array().unwrap().as_slice() else {
        panic!("{}", rotated.body);
    };
    assert_eq!(new["status"], "signing");
    assert_eq!(new["created_at"], "2027-01-15T08:01:00.000Z");
    assert_eq!(second["kid"], *old);
    assert_eq!(second["status"], "verifying");
    assert_eq!(second["retired_at"], "2027-01-15T08:01:05.000Z");
    // The life of an access token, and the leeway.
    assert_eq!(second["verifies_until"], "2027-01-15T08:16:35.000Z");
    // Nothing watches the file here: the replica that answered has taken it up by itself.
    let new = new["kid"].as_str().unwrap();
    assert_eq!(site.published().await, [new, &old]);
    assert_eq!(kid(&token(&site.api, ROOT).await), old);
    site.api.core.clock.advance(Duration::from_secs(5));
    let signed = token(&site.api, ROOT).await;
    assert_eq!(kid(&signed), new);
    assert!(site.is_good(&site.token).await && site.is_good(&signed).await);
    assert_eq!(site.ask("GET", "signing-keys").await.body, rotated.body);
    assert_eq!(site.rotations(), ["success rotated"]);

    let file: Value = serde_json::from_slice(&std::fs::read(site.ring()).unwrap()).unwrap();
    for key in file["keys"].as_array().unwrap() {
        let private = key["key"].as_str().unwrap();
        assert!(!rotated.body.to_string().contains(private));
    }
    site.api.core.clock.advance(Duration::from_mins(14));
    let signed = token(&site.api, ROOT).await;
    site.api.core.clock.advance(Duration::from_secs(90));
    let as_later = Call {
        token: &signed,
        ..site.call("GET", "signing-keys")
    };
    let later = site.send(as_later, None).await;
    assert_eq!(later.body["signing_keys"][1]["status"], "expired");
}

#[tokio::test]
async fn a_new_key_signs_as_it_is_told_to() {
    let site = Site::start().await;
    for algorithm in ["EdDSA", "HS256", "ES256"] {
        let body = json!({ "algorithm": algorithm });
        let rotated = site.tell("POST", ROTATE, &body).await;
        assert_eq!(rotated.body["signing_keys"][0]["algorithm"], algorithm);
        let token = token(&site.api, ROOT).await;
        assert!(site.is_good(&token).await);
    }
    let before = std::fs::read(site.ring()).unwrap();
    for body in [json!({ "algorithm": "none" }), json!({ "kid": "mine" })] {
        let refused = site.tell("POST", ROTATE, &body).await;
        assert_eq!(refusal(&refused), is(422, "invalid_fields"), "{body}");
    }
    let refused = site.refusal("POST", "signing-keys/rotate?grace=0").await;
    assert_eq!(refused, is(400, "invalid_parameters"));
    assert_eq!(std::fs::read(site.ring()).unwrap(), before);
}

#[tokio::test]
async fn an_api_key_rotates_signing_keys_with_the_scope_for_keys_alone() {
    let site = Site::start().await;
    let before = std::fs::read(site.ring()).unwrap();
    let plain = site.key(&["admin"], &["read", "write"]).await;
    let unscoped = site.key(&["admin"], &[]).await;
    for token in [&plain, &unscoped] {
        let call = Call {
            token,
            ..site.call("POST", ROTATE)
        };
        let refused = site.send(call, None).await;
        assert_eq!(refusal(&refused), is(403, "not_allowed"));
        let list = Call {
            token,
            ..site.call("GET", "signing-keys")
        };
        assert_eq!(site.send(list, None).await.status, StatusCode::OK);
    }
    assert_eq!(std::fs::read(site.ring()).unwrap(), before);
    let manager = site.key(&["admin"], &["write", "admin"]).await;
    let call = Call {
        token: &manager,
        ..site.call("POST", ROTATE)
    };
    assert_eq!(site.send(call, None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn keys_that_the_operator_gave_are_shown_and_left_alone() {
    let pem = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let given = KeySource::Given(pem.serialize_pem().as_str().into());
    let site = Site::of(Setup {
        keys: Some(given),
        ..Setup::default()
    })
    .await;
    let shown = site.ask("GET", "signing-keys").await;
    let keys = shown.body["signing_keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0]["algorithm"], "EdDSA");
    assert_eq!(keys[0]["created_at"], Value::Null);
    assert_eq!(site.refusal("POST", ROTATE).await, is(409, "keys_given"));
    assert_eq!(site.rotations(), ["refused keys-given"]);
    assert_eq!(kid(&token(&site.api, ROOT).await), kid(&site.token));
}

#[tokio::test]
async fn a_ring_does_not_grow_without_end() {
    let site = Site::start().await;
    let rotation = || Rotation {
        algorithm: SigningAlgorithm::EdDsa,
        now: site.api.core.clock.now(),
        retire_after: Duration::from_mins(1),
    };
    for _ in 1..64 {
        file::rotate(&site.ring(), rotation()).unwrap();
    }
    let full = site.refusal("POST", ROTATE).await;
    assert_eq!(full, is(409, "too_many_signing_keys"));
    site.api.core.clock.advance(Duration::from_secs(65));
    assert_eq!(site.ask("POST", ROTATE).await.status, StatusCode::OK);
    assert_eq!(site.published().await.len(), 2);
}

#[tokio::test]
async fn a_ring_that_cannot_be_read_is_no_success() {
    let site = Site::start().await;
    std::fs::write(site.ring(), "{").unwrap();
    for (method, path) in [("GET", "signing-keys"), ("POST", ROTATE)] {
        assert_eq!(site.refusal(method, path).await, is(503, "unavailable"));
    }
    assert_eq!(std::fs::read(site.ring()).unwrap(), b"{");
    assert_eq!(site.rotations(), ["failed key-ring"]);
    assert_eq!(kid(&token(&site.api, ROOT).await), kid(&site.token));
}
