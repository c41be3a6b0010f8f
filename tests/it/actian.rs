//! The `actian` dialect: over the real core, and with its official client over the real binary.

use std::net::IpAddr;

use doorward::dialect::Shape;
use http::Method;
use serde_json::{Value, json};

use crate::gotrue::{APP, Answer, Bed, Bench, Headers};

mod admin;
mod clients;
mod gateway;
mod keys;
mod seed;

const SECRET: &str = "a secret of at least thirty-two bytes";
const PASSWORD: &str = "MyNewSecurePwd!2";
const HERE: &str = "127.0.0.1";

async fn bench() -> Bench {
    let bed = Bed {
        secret: Some(SECRET),
        ..Bed::of(Shape::Actian)
    };
    bed.start().await
}

/// The same with its administrator, and a token of theirs.
async fn with_admin() -> (Bench, String) {
    let bench = bench().await;
    register(&bench, HERE, &[]).await.expect(200);
    let token = login(&bench, PASSWORD).await.expect(200);
    let token = token.text("/token").to_owned();
    (bench, token)
}

async fn from(
    bench: &Bench,
    (client, headers): (&str, Headers<'_>),
    call: (&str, Value),
) -> Answer {
    let client: IpAddr = client.parse().unwrap();
    let (path, body) = call;
    let call = (Method::POST, path, body.to_string());
    bench.send_from(client, headers, call).await
}

async fn register(bench: &Bench, client: &str, headers: Headers<'_>) -> Answer {
    let body = json!({ "password": PASSWORD });
    from(bench, (client, headers), ("/auth/admin", body)).await
}

async fn login(bench: &Bench, password: &str) -> Answer {
    let body = json!({ "password": password });
    bench.post("/auth/admin/login", body, &[]).await
}

/// As the client shows a credential.
async fn with(
    bench: &Bench,
    credential: &str,
    (method, path, body): (Method, &str, Value),
) -> Answer {
    let bearer = format!("Bearer {credential}");
    let headers = [("api-key", credential), ("authorization", &*bearer)];
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    bench.send((method, path), &headers, body).await
}

#[track_caller]
fn assert_error(answer: &Answer, status: u16, message: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.json);
    let expected = json!({ "status": "error", "message": message });
    assert_eq!(answer.json, expected);
}
