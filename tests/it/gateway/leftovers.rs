//! Requests that are answered before their body is there: the answer arrives, and the connection goes on.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::Command;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::support::doorward::{Doorward, Setup};

const PATIENCE: Duration = Duration::from_secs(30);

/// Reads one answer: its status.
async fn answer(stream: &mut TlsStream<TcpStream>) -> u16 {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = timeout(PATIENCE, stream.read_u8()).await;
        head.push(byte.expect("an answer in time").expect("an answer"));
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let (_, length) = head.split_once("content-length: ").unwrap();
    let (length, _) = length.split_once("\r\n").unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    let status = head.split(' ').nth(1).unwrap();
    status.parse().unwrap()
}

/// A gateway before a service that is away, too, and the port that nobody else gets meanwhile.
async fn gateway() -> (Doorward, TcpSocket) {
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = nobody.local_addr().unwrap();
    let more = format!(
        "[[upstreams]]\nname = \"away\"\nservers = [\"http://{address}\"]\n\
         [[routes]]\npath = \"/away\"\nrequire = \"public\"\nupstream = \"away\"\n"
    );
    let setup = Setup {
        more,
        ..Setup::default()
    };
    (Doorward::with(setup).await, nobody)
}

/// The heads that are answered without a look at the body: at the wall, by an endpoint of ours, and for a
/// service that is away.
fn heads(more: &str) -> [(String, u16); 3] {
    let head = |path: &str, kind: &str| {
        format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\n{more}\r\n")
    };
    [
        (head("/api/x", "application/json"), 401),
        (head("/.doorward/api/nothing", "text/plain"), 404),
        (head("/away", "text/plain"), 502),
    ]
}

#[tokio::test]
async fn a_body_that_comes_after_its_answer_breaks_nothing() {
    let (gateway, _nobody) = gateway().await;
    for (framing, body) in [
        ("content-length: 5\r\n", "12345"),
        ("transfer-encoding: chunked\r\n", "5\r\n12345\r\n0\r\n\r\n"),
    ] {
        for (head, refused) in heads(framing) {
            let mut stream = gateway.connect().await;
            stream.write_all(head.as_bytes()).await.unwrap();
            assert_eq!(answer(&mut stream).await, refused, "{head}");
            stream.write_all(body.as_bytes()).await.unwrap();
            let next = "GET /.doorward/jwks.json HTTP/1.1\r\nhost: localhost\r\n\r\n";
            stream.write_all(next.as_bytes()).await.unwrap();
            assert_eq!(answer(&mut stream).await, 200, "{head}");
        }
    }
}

#[tokio::test]
async fn a_body_too_long_to_be_worth_reading_is_answered_and_the_connection_closed() {
    let (gateway, _nobody) = gateway().await;
    for (head, refused) in heads("content-length: 65537\r\n") {
        let mut stream = gateway.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(answer(&mut stream).await, refused);
        let end = timeout(PATIENCE, stream.read_u8()).await;
        end.expect("the connection ends").unwrap_err();
    }
}

#[tokio::test]
async fn who_asks_before_sending_is_not_told_to_send_what_nobody_reads() {
    let (gateway, _nobody) = gateway().await;
    for (head, refused) in heads("content-length: 5\r\nexpect: 100-continue\r\n") {
        let mut stream = gateway.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        // The first answer is the last: no 100 before it.
        assert_eq!(answer(&mut stream).await, refused);
        let end = timeout(PATIENCE, stream.read_u8()).await;
        end.expect("the connection ends").unwrap_err();
    }
}

#[tokio::test]
async fn a_client_that_forgets_an_answer_when_its_stream_is_reset_has_them_all() {
    let (gateway, _nobody) = gateway().await;
    let port = gateway.address.port();
    for (path, expected) in [
        ("/api/x", "401"),
        ("/.doorward/api/nothing", "404"),
        ("/away", "502"),
    ] {
        // Each over a connection of its own, where the body comes a moment after the head.
        for _ in 0..12 {
            let curl = Command::new("curl")
                .args([
                    "-sk",
                    "--http2",
                    "-o",
                    "/dev/null",
                    "-w",
                    "%{http_code}",
                    "-d",
                    "x=1",
                ])
                .arg(format!("https://localhost:{port}{path}"))
                .output();
            let answered = curl.await.unwrap();
            let status = String::from_utf8(answered.stdout).unwrap();
            assert!(answered.status.success(), "{path}: {}", answered.status);
            assert_eq!(status, expected, "{path}");
        }
    }
}
