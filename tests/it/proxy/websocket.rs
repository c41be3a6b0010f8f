//! Web sockets: opened only by both sides, copied both ways, closed with the session.

use doorward::proxy::TunnelEnd;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::canned::{Canned, Manner, read_head};
use crate::support::front::{Front, Setup};
use crate::support::sample::Sample;
use crate::support::sample::websocket::{TEXT, accept, masked_text, read_frame};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

fn handshake(target: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nhost: a\r\nconnection: keep-alive, Upgrade\r\n\
         upgrade: WebSocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: {KEY}\r\n\r\n"
    )
}

/// Sends a handshake, and returns the head of the answer.
async fn open(front: &Front, target: &str) -> (TcpStream, String) {
    let mut stream = front.connect().await;
    stream
        .write_all(handshake(target).as_bytes())
        .await
        .unwrap();
    let head = read_head(&mut stream).await.unwrap();
    (stream, head)
}

async fn echoes(stream: &mut TcpStream, text: &str) {
    stream.write_all(&masked_text(text)).await.unwrap();
    let frame = read_frame(stream).await.unwrap();
    assert_eq!(frame, (TEXT, text.as_bytes().to_vec()));
}

#[tokio::test]
async fn a_websocket_is_joined_and_closes_when_both_sides_do() {
    let sample = Sample::start().await;
    let mut front = Setup::before([sample.url()]).start().await;
    let (mut stream, head) = open(&front, "/ws").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let accepted = format!("sec-websocket-accept: {}", accept(KEY.as_bytes()));
    assert!(head.contains(&accepted), "{head}");
    echoes(&mut stream, "one").await;
    echoes(&mut stream, "two").await;
    drop(stream);
    let end = front.tunnel_ends.recv().await.unwrap();
    let both_ways = TunnelEnd::Closed {
        to_upstream: 18,
        to_client: 10,
    };
    assert_eq!(end, both_ways);
}

#[tokio::test]
async fn a_websocket_ends_with_its_session() {
    let sample = Sample::start().await;
    let mut front = Setup::before([sample.url()]).start().await;
    let (mut stream, _head) = open(&front, "/ws").await;
    echoes(&mut stream, "one").await;
    front.session_end.cancel();
    assert_eq!(front.tunnel_ends.recv().await, Some(TunnelEnd::Ended));
    assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_200_is_an_answer_and_no_upgrade() {
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let upstream = Canned::start(Manner::KeepAlive(ok)).await;
    let front = Setup::before([upstream.url()]).start().await;
    let mut stream = front.connect().await;
    // What follows the handshake at once is no part of it: it is the next request, if anything.
    let early =
        "GET /early HTTP/1.1\r\nhost: a\r\nx-auth-subject: liar\r\nconnection: close\r\n\r\n";
    let both = handshake("/ws") + early;
    stream.write_all(both.as_bytes()).await.unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard.matches("HTTP/1.1 200 OK").count(), 2, "{heard}");
    let heads = upstream.heads();
    assert_eq!(heads.len(), 2);
    assert!(heads[1].starts_with("GET /early "), "{heads:?}");
    assert!(
        !heads[1].contains("liar"),
        "it was a request like any other"
    );
}

#[tokio::test]
async fn a_wrong_answer_to_the_key_is_no_upgrade() {
    let check = async |answer: &'static str| {
        let upstream = Canned::start(Manner::FallSilent(answer)).await;
        let front = Setup::before([upstream.url()]).start().await;
        let (_stream, head) = open(&front, "/ws").await;
        assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
        assert!(head.contains("x-reason: bad-upgrade"), "{head}");
    };
    check("HTTP/1.1 101 Yes\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n").await;
    check(
        "HTTP/1.1 101 Yes\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
    )
    .await;
    check(
        "HTTP/1.1 101 Yes\r\nconnection: upgrade\r\nupgrade: h2c\r\n\
         sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    )
    .await;
}

#[tokio::test]
async fn early_bytes_reach_only_an_upstream_that_upgraded() {
    let silent = Canned::start(Manner::FallSilent("")).await;
    let front = Setup::before([silent.url()]).start().await;
    let mut stream = front.connect().await;
    let both = handshake("/ws") + "EARLY\r\n\r\n";
    stream.write_all(both.as_bytes()).await.unwrap();
    silent.received(1).await;
    assert!(!silent.heads()[0].contains("EARLY"));

    let sample = Sample::start().await;
    let front = Setup::before([sample.url()]).start().await;
    let mut stream = front.connect().await;
    let mut both = handshake("/ws").into_bytes();
    both.extend(masked_text("early"));
    stream.write_all(&both).await.unwrap();
    read_head(&mut stream).await.unwrap();
    let frame = read_frame(&mut stream).await.unwrap();
    assert_eq!(frame, (TEXT, b"early".to_vec()));
}
