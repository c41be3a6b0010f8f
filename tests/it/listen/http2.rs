//! Floods of HTTP/2 frames. Each ends the connection after so many frames, or is read no faster than its
//! answers are; what the handler sees of it is bounded too.

use std::time::Duration;

use super::gateway::{Gateway, soon};
use crate::support::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, Frame, GOAWAY, HEADERS, PING,
    REFUSED_STREAM, RST_STREAM, SETTINGS, WINDOW_UPDATE, Wire, block,
};

/// What the socket buffers of both sides hold at most, and much more than a flood needs to fill them.
const BUFFERS: usize = 64 << 20;
/// How long a connection on which nothing happens is kept where a test waits for its end.
const SHORT: Duration = Duration::from_millis(300);

async fn open(gateway: &Gateway) -> Wire {
    let client = gateway.client().offering(&["h2"]);
    Wire::open(client.connect(gateway.https, "gw.test").await).await
}

fn fields(path: &str) -> [(&str, &str); 4] {
    [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "gw.test"),
        (":path", path),
    ]
}

/// The `number`th stream of a client.
fn stream(number: usize) -> u32 {
    u32::try_from(number * 2 + 1).unwrap()
}

/// So many of these end the connection.
async fn ends(wire: &mut Wire, count: usize, unit: impl Fn(usize) -> Vec<u8>) {
    let flood: Vec<u8> = (0..count).flat_map(unit).collect();
    // The other side may hang up before it has all, and its last words be lost for that.
    drop(wire.send(&flood).await);
    if let Some(goodbye) = soon(wire.next_of(GOAWAY)).await {
        assert_eq!(goodbye.error_code(), ENHANCE_YOUR_CALM);
    }
}

/// Whether the connection still serves: this stream is answered.
async fn serves(wire: &mut Wire, number: usize) {
    let get = Frame::request(stream(number), &fields("/"));
    wire.send(&get).await.unwrap();
    let answer = soon(wire.next_of(HEADERS)).await.expect("an answer");
    assert_eq!((answer.stream, answer.status()), (stream(number), 200));
}

#[tokio::test]
async fn a_client_is_told_the_limits_and_a_stream_beyond_them_is_refused() {
    let mut gateway = Gateway::start();
    let mut wire = open(&gateway).await;
    let told = soon(wire.next_of(SETTINGS)).await.unwrap().payload;
    let setting = |id: u8| {
        let mut settings = told.chunks(6);
        let found = settings.find(|setting| setting[..2] == [0, id])?;
        Some(u32::from_be_bytes(found[2..].try_into().unwrap()))
    };
    // Streams at a time, bytes of a head (RFC 9113 §6.5.2).
    assert_eq!((setting(3), setting(6)), (Some(250), Some(32 * 1024)));
    let requests = (0..251).flat_map(|number| Frame::request(stream(number), &fields("/held")));
    wire.send(&requests.collect::<Vec<_>>()).await.unwrap();
    let refused = soon(wire.next_of(RST_STREAM)).await.unwrap();
    assert_eq!(
        (refused.stream, refused.error_code()),
        (stream(250), REFUSED_STREAM)
    );
    for _ in 0..250 {
        gateway.next_seen().await;
    }
    assert!(gateway.seen_so_far().is_empty());
    gateway.release.add_permits(250);
}

/// CVE-2023-44487.
#[tokio::test]
async fn streams_that_are_opened_and_reset_at_once_end_the_connection() {
    let mut gateway = Gateway::start();
    let unit = |number| {
        let mut unit = Frame::request(stream(number), &fields("/"));
        unit.extend(Frame::bytes((RST_STREAM, 0), stream(number), &[0, 0, 0, 8]));
        unit
    };
    // A few happen.
    let mut wire = open(&gateway).await;
    let few: Vec<u8> = (0..5).flat_map(unit).collect();
    wire.send(&few).await.unwrap();
    serves(&mut wire, 5).await;
    gateway.next_seen().await;
    // All in one TLS record, so that none of them is taken up before it is reset.
    let mut wire = open(&gateway).await;
    ends(&mut wire, 50, unit).await;
    let seen = gateway.seen_so_far().len();
    assert!(seen <= 20, "{seen}");
}

/// CVE-2025-8671.
#[tokio::test]
async fn streams_that_the_client_makes_us_reset_end_the_connection() {
    let mut gateway = Gateway::start();
    // A window opened further than it goes (RFC 9113 §6.9.1).
    let unit = |number| {
        let mut unit = Frame::request(stream(number), &fields("/held"));
        unit.extend(Frame::bytes(
            (WINDOW_UPDATE, 0),
            stream(number),
            &[127, 255, 255, 255],
        ));
        unit
    };
    let mut wire = open(&gateway).await;
    let few: Vec<u8> = (0..5).flat_map(unit).collect();
    wire.send(&few).await.unwrap();
    serves(&mut wire, 5).await;
    // More than the hundred that are borne, fewer than hyper would bear.
    let mut wire = open(&gateway).await;
    ends(&mut wire, 200, unit).await;
    let seen = gateway.seen_so_far().len();
    assert!(seen <= 120, "{seen}");
    gateway.release.add_permits(500);
}

/// RUSTSEC-2024-0332.
#[tokio::test]
async fn a_head_that_is_continued_again_and_again_ends_the_connection() {
    let mut gateway = Gateway::start();
    let unit = |number| match number {
        0 => Frame::bytes((HEADERS, END_STREAM), 1, &block(&fields("/"))),
        _ => Frame::bytes((CONTINUATION, 0), 1, &block(&[("x-a", "b")])),
    };
    let mut wire = open(&gateway).await;
    ends(&mut wire, 10, unit).await;
    // Nor does one get by that says nothing at all.
    let mut wire = open(&gateway).await;
    ends(&mut wire, 10, |number| match number {
        0 => unit(0),
        _ => Frame::bytes((CONTINUATION, 0), 1, &[]),
    })
    .await;
    assert!(gateway.seen_so_far().is_empty());
}

#[tokio::test]
async fn a_head_has_so_many_bytes_and_no_more() {
    let mut gateway = Gateway::start();
    let mut wire = open(&gateway).await;
    let head = |number, length: usize| {
        let value = "a".repeat(length);
        let mut all = fields("/").to_vec();
        all.push(("x-a", &value));
        let block = block(&all);
        let (first, rest) = block.split_at(16 * 1024);
        let mut bytes = Frame::bytes((HEADERS, END_STREAM), stream(number), first);
        let parts: Vec<&[u8]> = rest.chunks(16 * 1024).collect();
        for (at, part) in parts.iter().enumerate() {
            let is_last = at + 1 == parts.len();
            let flags = if is_last { END_HEADERS } else { 0 };
            bytes.extend(Frame::bytes((CONTINUATION, flags), stream(number), part));
        }
        bytes
    };
    wire.send(&head(0, 31 * 1024)).await.unwrap();
    let answer = soon(wire.next_of(HEADERS)).await.unwrap();
    assert_eq!(answer.status(), 200);
    gateway.next_seen().await;
    drop(wire.send(&head(1, 33 * 1024)).await);
    while let Some(frame) = soon(wire.next()).await {
        if frame.kind == HEADERS {
            assert_ne!(frame.status(), 200);
        }
        if matches!(frame.kind, HEADERS | RST_STREAM | GOAWAY) {
            break;
        }
    }
    assert!(gateway.seen_so_far().is_empty());
}

/// RUSTSEC-2026-0258.
#[tokio::test]
async fn data_frames_without_data_end_the_connection() {
    let mut gateway = Gateway::start();
    let unit = |number| match number {
        0 => Frame::bytes((HEADERS, END_HEADERS), 1, &block(&fields("/"))),
        _ => Frame::bytes((DATA, 0), 1, &[]),
    };
    let mut wire = open(&gateway).await;
    ends(&mut wire, 200, unit).await;
    // At most the request itself, whose body broke off.
    let seen = gateway.seen_so_far();
    assert!(seen.iter().all(|seen| seen.body.is_err()), "{seen:?}");
    assert!(seen.len() <= 1);
}

/// A ping and settings are answered, so that whoever does not read the answers is not read either.
#[tokio::test]
async fn pings_and_settings_are_not_read_faster_than_their_answers() {
    let mut gateway = Gateway::start_with(|config| config.idle_timeout = SHORT);
    for unit in [
        Frame::bytes((PING, 0), 0, &[7; 8]),
        Frame::bytes((SETTINGS, 0), 0, &[]),
    ] {
        let mut wire = open(&gateway).await;
        let flood = unit.repeat((64 << 10) / unit.len());
        let mut sent = 0;
        // It stands still when the buffers are full, and ends when the connection is cut for it.
        while soon(wire.send(&flood)).await.is_ok() {
            sent += flood.len();
            assert!(sent < BUFFERS, "read without end");
        }
    }
    gateway.counted("doorward_connections_open 0").await;
    assert!(gateway.seen_so_far().is_empty());
}

#[tokio::test]
async fn pings_and_settings_do_not_keep_a_connection() {
    let mut gateway = Gateway::start_with(|config| config.idle_timeout = SHORT);
    for (kind, payload) in [(PING, &[7; 8][..]), (SETTINGS, &[])] {
        let mut wire = open(&gateway).await;
        let unit = Frame::bytes((kind, 0), 0, payload);
        let goodbye = soon(async {
            // Each is sent when the one before has been answered.
            loop {
                drop(wire.send(&unit).await);
                match wire.next().await {
                    Some(frame) if frame.kind == GOAWAY => return Some(frame),
                    Some(_answer) => {}
                    None => return None,
                }
            }
        })
        .await;
        assert_eq!(goodbye.map(|goodbye| goodbye.error_code()), Some(0));
    }
    gateway.counted("doorward_connections_open 0").await;
    assert!(gateway.seen_so_far().is_empty());
}
