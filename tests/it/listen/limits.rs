//! What a connection may take.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::gateway::{Gateway, exchange, read_hello, read_to_close, soon};

/// How long a test waits for a limit to be reached.
const SHORT: Duration = Duration::from_millis(300);
/// The same where something is to be done before: the machine may stand still for a while.
const LONG_ENOUGH: Duration = Duration::from_secs(4);
const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: gw.test\r\n\r\n";

#[tokio::test]
async fn a_stalled_handshake_is_cut() {
    let gateway = Gateway::start_with(|config| config.handshake_timeout = SHORT);
    let stream = TcpStream::connect(gateway.https).await.unwrap();
    assert_eq!(read_to_close(stream).await, "");
    gateway
        .counted(r#"doorward_tls_handshake_failures_total{reason="timeout"} 1"#)
        .await;
}

#[tokio::test]
async fn plain_http_at_the_tls_port_is_a_failed_handshake() {
    let mut gateway = Gateway::start();
    let stream = TcpStream::connect(gateway.https).await.unwrap();
    exchange(stream, GET).await;
    gateway
        .counted(r#"doorward_tls_handshake_failures_total{reason="error"} 1"#)
        .await;
    assert!(gateway.seen_so_far().is_empty());
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut() {
    let mut gateway = Gateway::start_with(|config| config.header_timeout = SHORT);
    let stream = gateway.client().connect(gateway.https, "gw.test").await;
    exchange(stream, b"GET / HTTP/1.1\r\nhost: gw").await;
    gateway
        .counted(r#"doorward_connections_cut_total{reason="slow-head"} 1"#)
        .await;
    assert!(gateway.seen_so_far().is_empty());
}

#[tokio::test]
async fn the_second_head_is_held_to_the_limit_too() {
    let gateway = Gateway::start_with(|config| config.header_timeout = LONG_ENOUGH);
    let mut stream = gateway.client().connect(gateway.https, "gw.test").await;
    stream.write_all(GET).await.unwrap();
    read_hello(&mut stream).await;
    exchange(stream, b"GET / HT").await;
    assert!(gateway.counts(r#"doorward_connections_cut_total{reason="slow-head"} 1"#));
}

#[tokio::test]
async fn a_slow_handler_is_neither_idle_nor_slow_in_its_head() {
    let mut gateway = Gateway::start_with(|config| {
        config.header_timeout = LONG_ENOUGH;
        config.idle_timeout = LONG_ENOUGH;
    });
    let mut stream = gateway.client().connect(gateway.https, "gw.test").await;
    let held = b"GET /held HTTP/1.1\r\nhost: gw.test\r\n\r\n";
    stream.write_all(held).await.unwrap();
    gateway.next_seen().await;
    // Another connection lives through its whole idle time meanwhile.
    let idle = gateway.client().connect(gateway.https, "gw.test").await;
    assert_eq!(read_to_close(idle).await, "");
    let idle = gateway.client().connect(gateway.https, "gw.test").await;
    assert_eq!(read_to_close(idle).await, "");
    gateway.release.add_permits(1);
    read_hello(&mut stream).await;
}

#[tokio::test]
async fn idle_connections_are_closed_in_both_protocols() {
    let gateway = Gateway::start_with(|config| config.idle_timeout = LONG_ENOUGH);
    let mut stream = gateway.client().connect(gateway.https, "gw.test").await;
    stream.write_all(GET).await.unwrap();
    read_hello(&mut stream).await;
    assert_eq!(read_to_close(stream).await, "");

    let client = gateway.client().offering(&["h2"]);
    let stream = client.connect(gateway.https, "gw.test").await;
    let io = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .handshake::<_, Empty<Bytes>>(io)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get("https://gw.test/").body(Empty::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "hello"
    );
    assert!(
        soon(connection).await.unwrap().is_ok(),
        "closed in good order"
    );
    drop(sender);
}

#[tokio::test]
async fn alpn_decides_between_http_1_and_http_2() {
    let mut gateway = Gateway::start();
    for (offered, agreed) in [
        (vec!["h2", "http/1.1"], Some("h2")),
        (vec!["http/1.1"], Some("http/1.1")),
        (vec![], None),
    ] {
        let client = gateway.client().offering(&offered);
        let mut stream = client.connect(gateway.https, "gw.test").await;
        let protocol = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        assert_eq!(protocol.as_deref(), agreed.map(str::as_bytes));
        if agreed != Some("h2") {
            stream.write_all(GET).await.unwrap();
            read_hello(&mut stream).await;
            assert_eq!(gateway.next_seen().await.line, "GET /");
        }
    }
    let other = gateway.client().offering(&["spdy/3"]);
    assert!(other.try_connect(gateway.https, "gw.test").await.is_err());
}

/// It could be sent again by somebody else (RFC 8446 §8).
#[test]
fn no_early_data_is_taken() {
    let gateway = Gateway::start();
    assert_eq!(gateway.tls.server.max_early_data_size, 0);
}

#[tokio::test]
async fn an_address_gets_so_many_connections_and_no_more() {
    let gateway = Gateway::start_with(|config| config.max_connections_per_address = 2);
    let client = gateway.client();
    let first = client.connect(gateway.https, "gw.test").await;
    let mut second = client.connect(gateway.https, "gw.test").await;
    assert!(client.try_connect(gateway.https, "gw.test").await.is_err());
    assert!(gateway.counts(r#"doorward_connections_refused_total{reason="address"} 1"#));
    second.write_all(GET).await.unwrap();
    read_hello(&mut second).await;
    drop(first);
    gateway.counted("doorward_connections_open 1").await;
    client.connect(gateway.https, "gw.test").await;
}

#[tokio::test]
async fn a_full_gateway_still_tells_its_health() {
    let gateway = Gateway::start_with(|config| config.max_connections = 1);
    let _only = gateway.client().connect(gateway.https, "gw.test").await;
    let refused = gateway.client().try_connect(gateway.https, "gw.test").await;
    assert!(refused.is_err());
    assert!(gateway.counts(r#"doorward_connections_refused_total{reason="total"} 1"#));
    let ops = TcpStream::connect(gateway.ops).await.unwrap();
    let get = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert!(exchange(ops, get).await.ends_with("fine"));
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_the_answer_is_cut() {
    let mut gateway = Gateway::start_with(|config| config.idle_timeout = LONG_ENOUGH);
    let mut stream = gateway.client().connect(gateway.https, "gw.test").await;
    let big = b"GET /big HTTP/1.1\r\nhost: gw.test\r\n\r\n";
    stream.write_all(big).await.unwrap();
    gateway.next_seen().await;
    gateway
        .counted(r#"doorward_connections_cut_total{reason="stalled-answer"} 1"#)
        .await;
    gateway.counted("doorward_connections_open 0").await;
}

#[tokio::test]
async fn plain_http_is_sent_to_the_public_url_whatever_host_it_names() {
    let mut gateway = Gateway::start();
    let check = async |head: &str, start: &str, location: &str| {
        let stream = TcpStream::connect(gateway.redirect).await.unwrap();
        let received = exchange(stream, head.as_bytes()).await;
        assert!(received.starts_with(start), "{head:?}: {received:?}");
        assert!(received.contains(location), "{head:?}: {received:?}");
        assert!(!received.contains("evil"), "{head:?}: {received:?}");
    };
    let get = "GET /a/b?c=d HTTP/1.1\r\nhost: evil.test\r\n\r\n";
    check(
        get,
        "HTTP/1.1 308 ",
        "location: https://gw.test/a/b?c=d\r\n",
    )
    .await;
    let post = "POST /a HTTP/1.1\r\nhost: evil.test\r\ncontent-length: 2\r\n\r\nhi";
    check(post, "HTTP/1.1 308 ", "location: https://gw.test/a\r\n").await;
    check(
        "GET http://evil.test/ HTTP/1.1\r\nhost: evil.test\r\n\r\n",
        "HTTP/1.1 400 ",
        "",
    )
    .await;
    check(
        "CONNECT evil.test:1 HTTP/1.1\r\nhost: evil.test\r\n\r\n",
        "HTTP/1.1 400 ",
        "",
    )
    .await;
    check("no http\r\n\r\n", "HTTP/1.1 400 ", "").await;
    assert!(gateway.seen_so_far().is_empty());
}
