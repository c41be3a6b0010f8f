//! The `supabase` dialect over the real core: what GoTrue's clients send, and what they must get back.

use std::time::Duration;

use doorward::dialect::Shape;
use doorward::dialect::gotrue::ApiKeys;
use doorward::secret::SecretText;
use doorward::user::AccountStatus;
use doorward::users::UserChange;
use http::Method;
use serde_json::{Value, json};

use crate::gotrue::{Answer, Bed, Bench, EMAIL, Headers, PASSWORD, bearer, decoded, names};

mod admin;
mod clients;
mod faults;
mod grants;
mod keys;
mod mails;
mod off;
mod sign_up;
mod users;
mod verify;

const PASSWORD_GRANT: &str = "/auth/v1/token?grant_type=password";
const REFRESH_GRANT: &str = "/auth/v1/token?grant_type=refresh_token";
const USER: &str = "/auth/v1/user";

async fn sign_in(bench: &Bench) -> Answer {
    let body = json!({ "email": EMAIL, "password": PASSWORD, "gotrue_meta_security": {} });
    bench.post(PASSWORD_GRANT, body, &[]).await.expect(200)
}

async fn refresh(bench: &Bench, token: &str) -> Answer {
    let body = json!({ "refresh_token": token });
    bench.post(REFRESH_GRANT, body, &[]).await
}

async fn user(bench: &Bench, token: &str) -> Answer {
    let token = bearer(token);
    bench.get(USER, &[("authorization", &token)]).await
}

/// Whether the first generation of error bodies says this.
#[track_caller]
fn assert_fault(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.json);
    assert_eq!(answer.json["code"], status, "{}", answer.json);
    assert_eq!(answer.json["error_code"], code, "{}", answer.json);
    assert!(answer.json["msg"].is_string());
    assert_eq!(answer.header("x-sb-error-code"), code);
    assert_eq!(answer.header("cache-control"), "no-store");
}
