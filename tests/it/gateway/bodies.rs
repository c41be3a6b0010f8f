//! Bodies whose length does not go into 32 bits. All of one is sent by `bench/bodies.sh`.

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Empty, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::support::doorward::{Doorward, Setup};
use crate::support::front::Protocol;

const LENGTH: u64 = (1 << 32) + 1;
/// What is sent or taken of it.
const BEGINNING: u64 = 1 << 20;

type Body = BoxBody<Bytes, std::io::Error>;

async fn send(
    gateway: &Doorward,
    protocol: Protocol,
    request: Request<Body>,
) -> Response<Incoming> {
    match protocol {
        Protocol::Http1 => {
            let io = TokioIo::new(gateway.connect().await);
            let (mut client, connection) = http1::handshake(io).await.unwrap();
            tokio::spawn(connection);
            client.send_request(request).await.unwrap()
        }
        Protocol::Http2 => {
            let io = TokioIo::new(gateway.connect_http2().await);
            let executor = TokioExecutor::new();
            let (mut client, connection) = http2::handshake(executor, io).await.unwrap();
            tokio::spawn(connection);
            client.send_request(request).await.unwrap()
        }
    }
}

fn target(protocol: Protocol, path: &str) -> http::request::Builder {
    match protocol {
        Protocol::Http1 => Request::builder().uri(path).header("host", "localhost"),
        Protocol::Http2 => Request::builder().uri(format!("https://localhost{path}")),
    }
}

async fn download(protocol: Protocol) {
    let gateway = public().await;
    let request = target(protocol, &format!("/bytes/{LENGTH}"));
    let empty = Empty::new().map_err(|never| match never {}).boxed();
    let response = send(&gateway, protocol, request.body(empty).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-length"], LENGTH.to_string());
    let mut body = response.into_body();
    let mut taken = 0;
    while taken < BEGINNING {
        let frame = body.frame().await.unwrap().unwrap();
        taken += frame.into_data().unwrap().len() as u64;
    }
}

async fn upload(protocol: Protocol) {
    let gateway = public().await;
    let request = target(protocol, "/upload").method("POST");
    let request = request.header("content-length", LENGTH);
    let chunk = || Ok(Frame::data(Bytes::from(vec![1; 1 << 16])));
    let beginning = stream::iter((0..BEGINNING >> 16).map(move |_| chunk()));
    let whole = futures_util::StreamExt::chain(beginning, stream::pending());
    let request = request.body(StreamBody::new(whole).boxed()).unwrap();
    tokio::select! {
        response = send(&gateway, protocol, request) => panic!("too early: {response:?}"),
        () = gateway.sample.uploaded(BEGINNING) => {}
    }
    let seen = gateway.sample.seen();
    assert_eq!(seen[0].all("content-length"), [LENGTH.to_string()]);
}

async fn public() -> Doorward {
    let route = |path: &str| {
        format!("[[routes]]\npath = \"{path}\"\nrequire = \"public\"\nupstream = \"sample\"\n")
    };
    Doorward::with(Setup {
        more: route("/bytes/**") + &route("/upload"),
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn a_length_beyond_32_bits_passes_downwards_in_both_protocols() {
    download(Protocol::Http1).await;
    download(Protocol::Http2).await;
}

#[tokio::test]
async fn a_length_beyond_32_bits_passes_upwards_in_both_protocols() {
    upload(Protocol::Http1).await;
    upload(Protocol::Http2).await;
}
