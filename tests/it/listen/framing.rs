//! Requests that two readers could read in two ways, byte for byte.

use super::gateway::{Gateway, Seen, exchange};

/// What must become of a request.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// The handler sees nothing, the client gets this status, the connection is closed.
    Refused(u16),
    /// The handler sees exactly this one; what follows it is not taken for a request.
    Alone(&'static str),
    /// The same, and its body is an error, not a shorter one.
    Broken(&'static str),
}
use Fate::{Alone, Broken, Refused};

/// What an attacker would like to be taken for a request of its own.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nhost: gw.test\r\n\r\n";

#[tokio::test]
async fn no_request_is_read_in_two_ways() {
    for (what, head, body, fate) in CASES {
        let mut gateway = Gateway::start();
        let client = gateway.client().offering(&["http/1.1"]);
        let stream = client.connect(gateway.https, "gw.test").await;
        let bytes = format!("{head}\r\n{body}{SMUGGLED}");
        let received = exchange(stream, bytes.as_bytes()).await;
        let seen = gateway.seen_so_far();
        let whole = |seen: &Seen| (seen.line.clone(), seen.body.is_ok());
        let seen: Vec<_> = seen.iter().map(whole).collect();
        match *fate {
            Refused(status) => {
                let start = format!("HTTP/1.1 {status} ");
                assert!(received.starts_with(&start), "{what}: {received:?}");
                assert!(seen.is_empty(), "{what}: {seen:?}");
            }
            Alone(line) => assert_eq!(seen, [(line.into(), true)], "{what}: {received:?}"),
            Broken(line) => assert_eq!(seen, [(line.into(), false)], "{what}: {received:?}"),
        }
    }
}

/// What the refusals are measured against: the gateway does take two requests at once.
#[tokio::test]
async fn two_whole_requests_in_one_write_are_two_requests() {
    let mut gateway = Gateway::start();
    let client = gateway.client().offering(&["http/1.1"]);
    let stream = client.connect(gateway.https, "gw.test").await;
    let last = "GET /b HTTP/1.1\r\nhost: gw.test\r\nconnection: close\r\n\r\n";
    exchange(stream, format!("{SMUGGLED}{last}").as_bytes()).await;
    let seen = gateway.seen_so_far();
    let lines: Vec<_> = seen.iter().map(|seen| seen.line.as_str()).collect();
    assert_eq!(lines, ["GET /smuggled", "GET /b"]);
}

type Case = (&'static str, &'static str, &'static str, Fate);

const CASES: &[Case] = &[
    (
        "TE beside CL: TE counts, CL is gone, the connection ends (RFC 9112 §6.1)",
        "POST /a HTTP/1.1\r\nhost: gw.test\r\ncontent-length: 6\r\ntransfer-encoding: chunked\r\n",
        "0\r\n\r\n",
        Alone("POST /a"),
    ),
    (
        "the same in the other order",
        "POST /a HTTP/1.1\r\nhost: gw.test\r\ntransfer-encoding: chunked\r\ncontent-length: 6\r\n",
        "0\r\n\r\n",
        Alone("POST /a"),
    ),
    (
        "a coding that is not chunked at the end",
        "POST /a HTTP/1.1\r\nhost: gw.test\r\ntransfer-encoding: chunked, identity\r\n",
        "0\r\n\r\n",
        Refused(400),
    ),
    (
        "a coding that only looks like chunked",
        "POST /a HTTP/1.1\r\nhost: gw.test\r\ntransfer-encoding: xchunked\r\n",
        "0\r\n\r\n",
        Refused(400),
    ),
    (
        "TE in HTTP/1.0",
        "POST /a HTTP/1.0\r\nhost: gw.test\r\ntransfer-encoding: chunked\r\n",
        "0\r\n\r\n",
        Refused(400),
    ),
    (
        "two lengths",
        "POST /a HTTP/1.1\r\nhost: gw.test\r\ncontent-length: 0\r\ncontent-length: 3\r\n",
        "",
        Refused(400),
    ),
    (
        "a list of lengths",
        "POST /a HTTP/1.1\r\nhost: gw.test\r\ncontent-length: 3, 3\r\n",
        "abc",
        Refused(400),
    ),
    (
        "a signed length",
        "POST /a HTTP/1.1\r\nhost: gw.test\r\ncontent-length: +3\r\n",
        "abc",
        Refused(400),
    ),
    (
        "an empty length",
        "POST /a HTTP/1.1\r\nhost: gw.test\r\ncontent-length: \r\n",
        "",
        Refused(400),
    ),
    (
        "a length beyond 64 bits",
        "POST /a HTTP/1.1\r\nhost: gw.test\r\ncontent-length: 18446744073709551617\r\n",
        "a",
        Refused(400),
    ),
    (
        "a space before the colon",
        "POST /a HTTP/1.1\r\nhost: gw.test\r\ntransfer-encoding : chunked\r\n",
        "0\r\n\r\n",
        Refused(400),
    ),
    (
        "a folded line",
        "GET /a HTTP/1.1\r\nhost: gw.test\r\nx-a: b\r\n content-length: 5\r\n",
        "",
        Refused(400),
    ),
    (
        "a NUL in a value",
        "GET /a HTTP/1.1\r\nhost: gw.test\r\nx-a: b\0c\r\n",
        "",
        Refused(400),
    ),
    (
        "a bare CR in a value",
        "GET /a HTTP/1.1\r\nhost: gw.test\r\nx-a: b\rx-b: c\r\n",
        "",
        Refused(400),
    ),
    (
        "a space in the target",
        "GET /a b HTTP/1.1\r\nhost: gw.test\r\n",
        "",
        Refused(400),
    ),
    (
        "HTTP/2 without the preface",
        "GET /a HTTP/2.0\r\nhost: gw.test\r\n",
        "",
        Refused(400),
    ),
    (
        "a chunk with a bad size",
        "POST /a HTTP/1.1\r\nhost: gw.test\r\ntransfer-encoding: chunked\r\n",
        "0x0\r\n\r\n",
        Broken("POST /a"),
    ),
    (
        "a chunk that ends in a bare LF",
        "POST /a HTTP/1.1\r\nhost: gw.test\r\ntransfer-encoding: chunked\r\n",
        "1\na\r\n0\r\n\r\n",
        Broken("POST /a"),
    ),
];

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let mut gateway = Gateway::start();
    let client = gateway.client().offering(&["http/1.1"]);
    for head in [
        format!(
            "GET / HTTP/1.1\r\nhost: gw.test\r\nx-a: {}\r\n\r\n",
            "a".repeat(33 << 10)
        ),
        format!(
            "GET / HTTP/1.1\r\nhost: gw.test\r\n{}\r\n",
            "x-a: b\r\n".repeat(101)
        ),
    ] {
        let stream = client.connect(gateway.https, "gw.test").await;
        let received = exchange(stream, head.as_bytes()).await;
        assert!(received.starts_with("HTTP/1.1 431 "), "{received:?}");
    }
    assert!(gateway.seen_so_far().is_empty());
}
