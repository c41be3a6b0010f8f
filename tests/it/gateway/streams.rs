//! Answers that go on: they last as long as the session of the request, and no longer.

use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::json;

use crate::support::doorward::{Doorward, USER};

const PATIENCE: Duration = Duration::from_secs(20);

/// The head of an answer whose body comes later, over a connection of its own.
async fn open(gateway: &Doorward, path: &str, token: Option<&str>) -> Response<Incoming> {
    let io = TokioIo::new(gateway.connect().await);
    let (mut sender, connection) = http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::get(path).header("host", "localhost");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Full::<Bytes>::default()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response
}

/// The next piece of a body; `None` where it breaks off.
async fn next(response: &mut Response<Incoming>) -> Option<Bytes> {
    let frame = tokio::time::timeout(PATIENCE, response.frame());
    let frame = frame.await.expect("something comes in time")?.ok()?;
    frame.into_data().ok()
}

#[tokio::test]
async fn a_stream_ends_with_the_session_of_its_request_and_others_go_on() {
    let gateway = Doorward::start().await;
    let (ending, staying) = (gateway.sign_in(USER).await, gateway.sign_in(USER).await);
    let mut ends = open(&gateway, "/events", Some(&ending.access)).await;
    let mut stays = open(&gateway, "/events", Some(&staying.access)).await;
    assert_eq!(gateway.sample.publish("one"), 2);
    for stream in [&mut ends, &mut stays] {
        assert_eq!(next(stream).await.as_deref(), Some(&b"data: one\n\n"[..]));
    }
    let token = Some(ending.access.as_str());
    let out = gateway
        .post("/.doorward/api/sign-out", token, &json!({}))
        .await;
    assert_eq!(out.status, StatusCode::NO_CONTENT, "{}", out.text);
    assert_eq!(next(&mut ends).await, None);
    tokio::time::timeout(PATIENCE, gateway.sample.cancelled())
        .await
        .expect("the service is told in time");
    assert_eq!(gateway.sample.publish("two"), 1);
    assert_eq!(
        next(&mut stays).await.as_deref(),
        Some(&b"data: two\n\n"[..])
    );
}

#[tokio::test]
async fn a_download_in_its_middle_ends_with_the_session_of_its_request() {
    let gateway = Doorward::start().await;
    let tokens = gateway.sign_in(USER).await;
    let token = Some(tokens.access.as_str());
    // More than all buffers on the way hold.
    let mut download = open(&gateway, "/bytes/1000000000?chunked", token).await;
    assert!(next(&mut download).await.is_some());
    let out = gateway
        .post("/.doorward/api/sign-out", token, &json!({}))
        .await;
    assert_eq!(out.status, StatusCode::NO_CONTENT, "{}", out.text);
    let mut bytes = 0;
    while let Some(piece) = next(&mut download).await {
        bytes += piece.len();
    }
    assert!(bytes < 500_000_000, "{bytes} bytes came after all");
}
