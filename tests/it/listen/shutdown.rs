//! The end of a gateway.

use doorward::listen::Stopped;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::gateway::{Gateway, exchange, read_to_close, soon};

const HELD: &[u8] = b"GET /held HTTP/1.1\r\nhost: gw.test\r\n\r\n";

#[tokio::test]
async fn what_is_in_flight_is_finished_and_nothing_new_is_taken() {
    let mut gateway = Gateway::start();
    let client = gateway.client();
    let idle = client.connect(gateway.https, "gw.test").await;
    let mut busy = client.connect(gateway.https, "gw.test").await;
    busy.write_all(HELD).await.unwrap();
    gateway.next_seen().await;

    gateway.stop.stop();
    assert_eq!(read_to_close(idle).await, "", "an idle one is closed");
    soon(async { while TcpStream::connect(gateway.https).await.is_ok() {} }).await;
    let ops = TcpStream::connect(gateway.ops).await.unwrap();
    let get = b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert!(exchange(ops, get).await.ends_with("fine"), "ops goes on");
    assert!(gateway.drain.has_begun());

    gateway.release.add_permits(1);
    let received = read_to_close(busy).await;
    assert!(received.ends_with("hello"), "{received:?}");
    assert!(received.contains("connection: close"), "{received:?}");
    assert_eq!(gateway.ended().await, Stopped::Drained);
}

#[tokio::test]
async fn after_the_limit_what_is_left_is_cut() {
    let mut gateway = Gateway::start_with(|config| {
        config.drain_timeout = Duration::from_millis(100);
    });
    let mut busy = gateway.client().connect(gateway.https, "gw.test").await;
    busy.write_all(HELD).await.unwrap();
    gateway.next_seen().await;
    gateway.stop.stop();
    assert_eq!(read_to_close(busy).await, "");
    assert_eq!(gateway.ended().await, Stopped::CutOff(1));
}

#[tokio::test]
async fn asked_twice_it_stops_at_once() {
    let mut gateway = Gateway::start();
    let mut busy = gateway.client().connect(gateway.https, "gw.test").await;
    busy.write_all(HELD).await.unwrap();
    gateway.next_seen().await;
    gateway.stop.stop();
    gateway.stop.stop();
    assert_eq!(read_to_close(busy).await, "");
    assert_eq!(gateway.ended().await, Stopped::AtOnce);
}
