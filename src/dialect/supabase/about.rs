//! What the dialect tells of itself: what is switched on, that it lives, and its keys.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue, header};
use serde_json::json;

use super::Desk;
use crate::auth::EmailRule;
use crate::dialect::Signing;

/// The original allows ten minutes. No longer than a new key is shown before it signs (`SHOWN_FIRST`):
/// whoever meets it and asks again must not be given the set of before.
const KEYS_MAX_AGE: (HeaderName, HeaderValue) = (
    header::CACHE_CONTROL,
    HeaderValue::from_static("public, max-age=5"),
);

/// Who signs in here does so with an address and a password.
const PROVIDERS: &[&str] = &[
    "anonymous_users",
    "apple",
    "azure",
    "bitbucket",
    "discord",
    "facebook",
    "figma",
    "fly",
    "github",
    "gitlab",
    "google",
    "kakao",
    "keycloak",
    "linkedin",
    "linkedin_oidc",
    "notion",
    "phone",
    "slack",
    "slack_oidc",
    "snapchat",
    "spotify",
    "twitch",
    "twitter",
    "web3_ethereum",
    "web3_solana",
    "workos",
    "x",
    "zoom",
];

/// `GET /settings`
pub(super) async fn settings(State(desk): State<Desk>) -> Response {
    let mut external = serde_json::Map::new();
    external.insert("email".to_owned(), json!(true));
    external.extend(
        PROVIDERS
            .iter()
            .map(|name| ((*name).to_owned(), json!(false))),
    );
    Json(json!({
        "external": external,
        "disable_signup": !desk.auth.takes_sign_ups(),
        "mailer_autoconfirm": desk.auth.email_rule() == EmailRule::MayBeUnverified,
        "phone_autoconfirm": false,
        "sms_provider": "",
        "saml_enabled": false,
        "saml_private_key_next_configured": false,
        "passkeys_enabled": false,
    }))
    .into_response()
}

/// `GET /health`
pub(super) async fn health() -> Response {
    Json(json!({
        "version": concat!("doorward-", env!("CARGO_PKG_VERSION")),
        "name": "GoTrue",
        "description": "Doorward, in the words of GoTrue",
    }))
    .into_response()
}

/// `GET /.well-known/jwks.json`: a secret that services share with us is never shown.
pub(super) async fn keys(State(desk): State<Desk>) -> Response {
    let json = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    match desk.mount.signing {
        Signing::Ring => ([json, KEYS_MAX_AGE], desk.auth.tokens().jwks()).into_response(),
        Signing::Secret => ([json, KEYS_MAX_AGE], r#"{"keys":[]}"#).into_response(),
    }
}

/// `GET /.well-known/openid-configuration`: what there is of it here.
pub(super) async fn openid_configuration(State(desk): State<Desk>) -> Response {
    let issuer = &desk.mount.issuer;
    let document = json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/user"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "grant_types_supported": ["password", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "HS256", "ES256"],
    });
    ([KEYS_MAX_AGE], Json(document)).into_response()
}
