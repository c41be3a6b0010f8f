//! Heads that no client would send: what was judged is what is sent, or nothing is.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::doorward::Doorward;
use crate::support::frames::{DATA, END_STREAM, Frame, GOAWAY, HEADERS, RST_STREAM, Wire};

type Field = (&'static str, &'static str);

const METHOD: Field = (":method", "GET");
const SCHEME: Field = (":scheme", "https");
const AUTHORITY: Field = (":authority", "localhost");
const PATH: Field = (":path", "/public/x");

/// What must become of a request of HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The service sees it with this target.
    Arrives(&'static str),
    /// It is answered with this status, and the service sees nothing.
    Answered(u16),
    /// Its stream or its connection is broken off, and the service sees nothing.
    BrokenOff,
}
use Fate::{Answered, Arrives, BrokenOff};

/// Sends `bytes`, and waits for what becomes of stream 1.
async fn fate(gateway: &Doorward, bytes: &[u8]) -> Fate {
    let mut wire = Wire::open(gateway.connect_http2().await).await;
    let before = gateway.sample.seen().len();
    wire.send(bytes).await.unwrap();
    let ended = async {
        loop {
            match wire.next().await {
                Some(frame) if frame.kind == HEADERS => return Some(frame.status()),
                Some(frame) if matches!(frame.kind, RST_STREAM | GOAWAY) => return None,
                Some(_of_the_connection) => {}
                None => return None,
            }
        }
    };
    let patience = Duration::from_secs(20);
    let status = tokio::time::timeout(patience, ended).await.expect("an end");
    let seen = gateway.sample.seen();
    match (status, &seen[before..]) {
        (Some(200), [one]) => Arrives(Box::leak(one.target.clone().into_boxed_str())),
        (Some(status), []) => Answered(status),
        (None, []) => BrokenOff,
        (status, seen) => panic!("{status:?}, but the service saw {seen:?}"),
    }
}

/// A request with `with` in the place of the fields of those names, and what else it has at the end.
fn request(with: &[Field]) -> Vec<u8> {
    let named = |(name, _): Field| with.iter().find(|(other, _)| *other == name);
    let usual = [METHOD, SCHEME, AUTHORITY, PATH];
    let mut fields: Vec<Field> = { usual }
        .map(|field| *named(field).unwrap_or(&field))
        .to_vec();
    fields.extend(
        with.iter()
            .filter(|with| !fields.contains(with))
            .copied()
            .collect::<Vec<_>>(),
    );
    Frame::request(1, &fields)
}

#[tokio::test]
async fn a_head_of_http_2_says_one_thing_or_is_refused() {
    let gateway = Doorward::start().await;
    let check = async |with: &[Field], expected: Fate| {
        assert_eq!(fate(&gateway, &request(with)).await, expected, "{with:?}");
    };
    check(&[], Arrives("/public/x")).await;
    check(&[("host", "localhost")], Arrives("/public/x")).await;
    check(&[("te", "trailers")], Arrives("/public/x")).await;
    check(&[("host", "other")], Answered(421)).await;
    check(&[("host", "localhost:1")], Answered(421)).await;

    check(&[(":path", "*")], Answered(400)).await;
    check(&[(":path", "?/public/x")], Answered(400)).await;
    check(&[(":method", "OPTIONS"), (":path", "*")], Answered(400)).await;
    for path in [
        "public/x",
        "",
        "/public/ x",
        "localhost:1",
        "https://localhost/public/x",
    ] {
        check(&[(":path", path)], BrokenOff).await;
    }
    for path in ["//public/x", "/public/../admin/x", "/public%2f..%2fadmin"] {
        check(&[(":path", path)], Answered(400)).await;
    }
    for scheme in ["ftp", "file", ""] {
        check(&[(":scheme", scheme)], Answered(400)).await;
    }
    for scheme in ["ht tp", "https://", "https/", "é"] {
        check(&[(":scheme", scheme)], BrokenOff).await;
    }
    for authority in ["user@localhost", "localhost:x", "localhost:"] {
        check(&[(":authority", authority)], Answered(400)).await;
    }
    for authority in [
        "",
        "local host",
        "localhost/admin",
        "localhost#x",
        "localhost?x",
        "local\0host",
    ] {
        check(&[(":authority", authority)], BrokenOff).await;
    }
    for method in ["", "GET /admin", "G\tT", "GET\0"] {
        check(&[(":method", method)], BrokenOff).await;
    }
    check(&[(":method", "TRACE")], Answered(405)).await;
}

#[tokio::test]
async fn fields_that_http_2_has_not_are_refused() {
    let gateway = Doorward::start().await;
    let fields = [
        ("X-A", "b"),
        ("x a", "b"),
        ("", "b"),
        ("x-a", "b\r\nx-b: c"),
        ("x-a", "b\0c"),
        ("connection", "close"),
        ("connection", "x-a"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "websocket"),
        ("te", "x"),
        ("te", "trailers, x"),
        (":status", "200"),
        (":protocol", "websocket"),
        (":other", "x"),
        ("content-length", "x"),
        ("content-length", "1"),
    ];
    for field in fields {
        let fate = fate(&gateway, &request(&[field])).await;
        assert_eq!(fate, BrokenOff, "{field:?}");
    }
    for again in [METHOD, SCHEME, AUTHORITY, PATH] {
        let late = ("x-a", "b");
        let twice = [METHOD, SCHEME, AUTHORITY, PATH, again];
        let twice = fate(&gateway, &Frame::request(1, &twice)).await;
        assert_eq!(twice, BrokenOff, "twice {again:?}");
        let mut fields = vec![METHOD, SCHEME, AUTHORITY, PATH];
        fields.retain(|field| *field != again);
        let missing = fate(&gateway, &Frame::request(1, &fields)).await;
        assert!(
            !matches!(missing, Arrives(_)),
            "without {again:?}: {missing:?}"
        );
        fields.extend([late, again]);
        let late = fate(&gateway, &Frame::request(1, &fields)).await;
        assert_eq!(late, BrokenOff, "late {again:?}");
    }
}

#[tokio::test]
async fn a_fragment_is_neither_judged_nor_sent() {
    let gateway = Doorward::start().await;
    // hyper reads a target without it, so that it cannot be refused.
    let check = async |path: &'static str, expected: Fate| {
        assert_eq!(fate(&gateway, &request(&[(":path", path)])).await, expected);
        let bytes = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let before = gateway.sample.seen().len();
        let heard = say(&gateway, &bytes).await;
        let seen: Vec<_> = gateway.sample.seen().split_off(before);
        match expected {
            Arrives(target) => {
                assert!(heard.starts_with("HTTP/1.1 200 "), "{path}: {heard}");
                assert_eq!(seen[0].target, target);
            }
            Answered(status) => {
                let start = format!("HTTP/1.1 {status} ");
                assert!(heard.starts_with(&start), "{path}: {heard}");
                assert!(seen.is_empty(), "{seen:?}");
            }
            BrokenOff => panic!("not expected of {path}"),
        }
    };
    check("/public/x#/../admin", Arrives("/public/x")).await;
    check("/public/x?a#/../admin", Arrives("/public/x?a")).await;
    check("/secret#/../public/x", Answered(401)).await;
    check("/secret?#/public/x", Answered(401)).await;
    check("/public%23/../secret", Answered(400)).await;
}

/// Says these bytes in HTTP/1.1 and hears all until the gateway hangs up.
async fn say(gateway: &Doorward, bytes: &str) -> String {
    let mut stream = gateway.connect().await;
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    let patience = Duration::from_secs(20);
    let end = tokio::time::timeout(patience, stream.read_to_end(&mut heard));
    // In good order or not: what counts is what came before.
    drop(end.await.expect("the gateway hangs up"));
    String::from_utf8(heard).unwrap()
}

#[tokio::test]
async fn a_body_in_another_coding_than_chunks_goes_nowhere() {
    let gateway = Doorward::start().await;
    for (codings, status) in [
        ("transfer-encoding: gzip, chunked", 501),
        ("transfer-encoding: gzip\r\ntransfer-encoding: chunked", 501),
        ("transfer-encoding: chunked, chunked", 501),
        ("transfer-encoding: Chunked", 200),
    ] {
        let head = "POST /public/x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
        let told = say(&gateway, &format!("{head}{codings}\r\n\r\n0\r\n\r\n")).await;
        let start = format!("HTTP/1.1 {status} ");
        assert!(told.starts_with(&start), "{codings}: {told}");
    }
    assert_eq!(gateway.sample.seen().len(), 1);
}

/// What an attacker would like to be taken for a request of its own, here or at the service.
const SMUGGLED: &str = "GET /public/smuggled HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[tokio::test]
async fn what_follows_a_connect_or_a_trace_is_never_a_request() {
    let gateway = Doorward::start().await;
    let length = SMUGGLED.len();
    let long =
        format!("TRACE /public/x HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n");
    let heads = [
        (
            "CONNECT localhost:443 HTTP/1.1\r\nhost: localhost:443\r\n\r\n",
            400,
        ),
        (
            "CONNECT localhost:443 HTTP/1.1\r\nhost: localhost:443\r\ncontent-length: 0\r\n\r\n",
            400,
        ),
        (
            "CONNECT localhost:443 HTTP/1.1\r\nhost: localhost:443\r\nconnection: keep-alive, upgrade\r\nupgrade: websocket\r\n\r\n",
            400,
        ),
        ("CONNECT /public/x HTTP/1.1\r\nhost: localhost\r\n\r\n", 400),
        ("TRACE /public/x HTTP/1.1\r\nhost: localhost\r\n\r\n", 405),
        (&long, 405),
    ];
    for (head, status) in heads {
        // A connection to the service waits in the pool.
        let open = gateway.get("/public/first", None).await;
        assert_eq!(open.status, 200);
        let before = gateway.sample.seen().len();
        let heard = say(&gateway, &format!("{head}{SMUGGLED}{SMUGGLED}")).await;
        assert!(
            heard.starts_with(&format!("HTTP/1.1 {status} ")),
            "{head}: {heard}"
        );
        assert_eq!(heard.matches("HTTP/1.1 ").count(), 1, "{head}: {heard}");
        assert_eq!(gateway.sample.seen().len(), before, "{head}");
        // Nor does anything of it come before the next request to the service.
        let next = gateway.get("/public/next", None).await;
        assert_eq!(next.json()["path"], "/public/next");
        assert_eq!(gateway.sample.seen().len(), before + 1, "{head}");
    }
}

#[tokio::test]
async fn a_connect_of_http_2_reaches_nobody() {
    let gateway = Doorward::start().await;
    let head = |fields: &[Field]| {
        let mut bytes = Frame::request(1, fields);
        // The tunnel is open to both sides.
        bytes[4] &= !END_STREAM;
        bytes.extend(Frame::bytes((DATA, 0), 1, SMUGGLED.as_bytes()));
        bytes
    };
    let connect = (":method", "CONNECT");
    let to = (":authority", "localhost:443");
    assert_eq!(fate(&gateway, &head(&[connect, to])).await, Answered(400));
    let whole = head(&[connect, SCHEME, to, PATH]);
    assert!(!matches!(fate(&gateway, &whole).await, Arrives(_)));
    let extended = [connect, (":protocol", "websocket"), SCHEME, to, PATH];
    assert_eq!(fate(&gateway, &head(&extended)).await, BrokenOff);
    assert!(gateway.sample.seen().is_empty());
}
