//! Bodies stream, both ways, whole or visibly broken.

use bytes::Bytes;
use doorward::proxy::{BodyEnd, BodyOutcome};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Empty, Full};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::support::front::{Front, Protocol, Setup, whole};
use crate::support::sample::Sample;

const BOTH: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

/// A front before the sample service for clients of this protocol.
async fn before(sample: &Sample, protocol: Protocol) -> Front {
    let setup = Setup::before([sample.url()]);
    Setup { protocol, ..setup }.start().await
}

async fn reported(front: &Front, request: Request<Full<Bytes>>) -> Value {
    let response = front.send(request).await.unwrap();
    serde_json::from_slice(&whole(response).await.unwrap()).unwrap()
}

#[tokio::test]
async fn an_upload_arrives_whole() {
    let sample = Sample::start().await;
    let hash_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    for protocol in BOTH {
        let front = before(&sample, protocol).await;
        for method in ["POST", "PUT", "GET", "DELETE"] {
            let request = Request::builder().method(method).uri("/x");
            let report = reported(&front, request.body(Full::from("abc")).unwrap()).await;
            assert_eq!(
                report["body"],
                json!({ "length": 3, "sha256": hash_of_abc })
            );
        }
        let empty = Request::post("/x").header("content-length", "0");
        let report = reported(&front, empty.body(Full::default()).unwrap()).await;
        assert_eq!(report["body"]["length"], 0);
        let seen = sample.seen().pop().unwrap();
        assert_eq!(seen.all("content-length"), ["0"]);
    }
}

#[tokio::test]
async fn a_get_with_chunks_has_its_body() {
    let sample = Sample::start().await;
    let front = before(&sample, Protocol::Http1).await;
    let heard = front
        .say("GET /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        .await
        .unwrap();
    assert!(heard.contains("\"length\": 3"), "{heard}");
    assert_eq!(sample.seen()[0].all("transfer-encoding"), ["chunked"]);
}

#[tokio::test]
async fn trailers_pass_but_not_those_that_no_header_may_be() {
    let sample = Sample::start().await;
    let front = before(&sample, Protocol::Http1).await;
    let heard = front
        .say(
            "POST /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\
             trailer: x-sum, x_auth_subject\r\n\r\n\
             3\r\nabc\r\n0\r\nx-sum: 1\r\nx_auth_subject: liar\r\n\r\n",
        )
        .await
        .unwrap();
    assert!(heard.contains("\"x-sum\"\n"), "{heard}");
    assert!(!heard.contains("\"x_auth_subject\"\n"), "{heard}");

    for protocol in BOTH {
        let front = before(&sample, protocol).await;
        let request = Request::get("/trailers").header("te", "trailers");
        let response = front.send(request.body(Empty::new()).unwrap()).await;
        let body = response.unwrap().into_body().collect().await.unwrap();
        let sum = HeaderMap::from_iter([("x-sum".parse().unwrap(), "42".parse().unwrap())]);
        assert_eq!(body.trailers(), Some(&sum));
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_does_not_look_whole() {
    let sample = Sample::start().await;
    for protocol in BOTH {
        for target in ["/close-early", "/close-early?chunked"] {
            let mut front = before(&sample, protocol).await;
            let response = front.get(target).await;
            assert!(whole(response).await.is_err(), "{target}");
            let end = front.body_ends.recv().await;
            let expected = BodyEnd {
                bytes: 500,
                outcome: BodyOutcome::UpstreamFailed,
            };
            assert_eq!(end, Some(expected));
        }
    }
    let front = before(&sample, Protocol::Http1).await;
    let get = "GET /close-early?chunked HTTP/1.1\r\nhost: a\r\n\r\n";
    let heard = front.say(get).await.unwrap_or_default();
    assert!(!heard.ends_with("0\r\n\r\n"), "{heard}");
}

#[tokio::test]
async fn a_download_says_how_it_ended() {
    let sample = Sample::start().await;
    for target in ["/bytes/300000", "/bytes/300000?chunked"] {
        let mut front = before(&sample, Protocol::Http1).await;
        let body = whole(front.get(target).await).await.unwrap();
        assert_eq!(body.len(), 300_000);
        let expected = BodyEnd {
            bytes: 300_000,
            outcome: BodyOutcome::Complete,
        };
        assert_eq!(front.body_ends.recv().await, Some(expected));
    }
}

#[tokio::test]
async fn an_event_arrives_before_the_next_one_is_sent() {
    let sample = Sample::start().await;
    for protocol in BOTH {
        let front = before(&sample, protocol).await;
        let mut events = front.get("/events").await.into_body();
        for event in ["one", "two", "three"] {
            assert!(sample.publish(event) > 0);
            let frame = events.frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), format!("data: {event}\n\n"));
        }
    }
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_request_at_the_upstream() {
    for protocol in BOTH {
        let sample = Sample::start().await;
        let mut front = before(&sample, protocol).await;
        let mut events = front.get("/events").await;
        sample.publish("one");
        events.body_mut().frame().await.unwrap().unwrap();
        drop(events);
        sample.cancelled().await;
        let outcome = front.body_ends.recv().await.map(|end| end.outcome);
        assert_eq!(outcome, Some(BodyOutcome::ClientGone));
    }
}

#[tokio::test]
async fn a_client_that_does_not_wait_ends_the_request_at_the_upstream() {
    for (protocol, request) in [
        (Protocol::Http1, Request::get("/slow")),
        (Protocol::Http2, Request::get("/slow")),
    ] {
        let sample = Sample::start().await;
        let front = before(&sample, protocol).await;
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        tokio::select! {
            response = front.send(request) => panic!("{response:?}"),
            () = sample.received(1) => {}
        }
        sample.cancelled().await;
    }
}

#[tokio::test]
async fn an_upload_that_breaks_off_breaks_off_at_the_upstream() {
    let sample = Sample::start().await;
    let front = before(&sample, Protocol::Http1).await;
    let mut stream = front.connect().await;
    let half = "POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf";
    stream.write_all(half.as_bytes()).await.unwrap();
    sample.uploaded(4).await;
    drop(stream);
    sample.cancelled().await;
}
