//! Upstreams that do not answer, or not in HTTP, and clients that do not send.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use doorward::proxy::BodyOutcome;
use futures_util::stream;
use http::{Request, StatusCode};
use http_body::Frame;
use http_body_util::{Empty, StreamBody};
use tokio::net::TcpListener;

use crate::support::canned::{Canned, Manner};
use crate::support::front::{Front, Setup, reason, whole};
use crate::support::sample::Sample;

/// Long enough for a loaded machine to do what it should, short enough to wait for.
const LIMIT: Duration = Duration::from_millis(300);

async fn fails(front: &Front, status: StatusCode, why: &str) {
    let response = front.get("/x").await;
    assert_eq!((response.status(), reason(&response)), (status, Some(why)));
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_502() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let front = Setup::before([url.parse().unwrap()]).start().await;
    fails(&front, StatusCode::BAD_GATEWAY, "connect-refused").await;
}

#[tokio::test]
async fn an_upstream_that_takes_no_connection_in_time_is_504() {
    // Accepts no connection, so that the TLS handshake waits for its first word.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    let mut setup = Setup::before([url.parse().unwrap()]);
    setup.upstream.connect_timeout = LIMIT;
    setup.upstream.trust = doorward::trust::Trust::nobody();
    let front = setup.start().await;
    fails(&front, StatusCode::GATEWAY_TIMEOUT, "connect-timeout").await;
}

#[tokio::test]
async fn an_upstream_that_does_not_answer_in_time_is_504_and_left() {
    let sample = Sample::start().await;
    let mut setup = Setup::before([sample.url()]);
    setup.upstream.response_timeout = LIMIT;
    let front = setup.start().await;
    let response = front.get("/slow").await;
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(reason(&response), Some("response-timeout"));
    sample.cancelled().await;
    assert_eq!(sample.seen().len(), 1, "never sent twice");
}

#[tokio::test]
async fn an_upstream_may_think_before_it_answers() {
    let sample = Sample::start().await;
    let front = Setup::before([sample.url()]).start().await;
    let (response, ()) = tokio::join!(front.get("/slow"), async {
        sample.received(1).await;
        sample.release();
    });
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn answers_that_are_no_http_are_502() {
    let check = async |manner: Manner, why: &str, times: usize| {
        let upstream = Canned::start(manner).await;
        let front = Setup::before([upstream.url()]).start().await;
        fails(&front, StatusCode::BAD_GATEWAY, why).await;
        assert_eq!(upstream.heads().len(), times, "{why}");
    };
    check(Manner::Close("hello\r\n\r\n"), "bad-answer", 1).await;
    let switched = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
    check(Manner::FallSilent(switched), "bad-upgrade", 1).await;
    // A GET that got no answer at all is safe to send once more.
    check(Manner::Close(""), "closed-early", 2).await;
    let endless: &'static str = Box::leak(
        format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1 << 20)).into_boxed_str(),
    );
    check(Manner::Close(endless), "answer-head-too-large", 1).await;
}

#[tokio::test]
async fn a_connection_that_closed_while_unused_costs_no_request() {
    let upstream =
        Canned::start(Manner::Once("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await;
    let front = Setup::before([upstream.url()]).start().await;
    for _ in 0..3 {
        assert_eq!(front.get("/x").await.status(), StatusCode::OK);
    }
    // But what may have had an effect is not sent again.
    let heads = upstream.heads().len();
    let post = Request::post("/x").body(Empty::<Bytes>::new()).unwrap();
    let response = front.send(post).await.unwrap();
    assert_eq!(reason(&response), Some("closed-early"));
    assert_eq!(upstream.heads().len(), heads + 1);
}

#[tokio::test]
async fn an_answer_that_stands_still_breaks_off() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf";
    let upstream = Canned::start(Manner::FallSilent(head)).await;
    let mut setup = Setup::before([upstream.url()]);
    setup.upstream.idle_timeout = LIMIT;
    let mut front = setup.start().await;
    assert!(whole(front.get("/x").await).await.is_err());
    let end = front.body_ends.recv().await.unwrap();
    assert_eq!((end.bytes, end.outcome), (4, BodyOutcome::Stalled));
}

#[tokio::test]
async fn an_upload_that_stands_still_is_408_and_left() {
    let sample = Sample::start().await;
    let mut setup = Setup::before([sample.url()]);
    setup.upstream.idle_timeout = LIMIT;
    let front = setup.start().await;
    let half = "POST /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 10\r\n\r\nhalf";
    let heard = front.say(half).await.unwrap();
    assert!(heard.starts_with("HTTP/1.1 408 "), "{heard}");
    assert!(heard.contains("x-reason: client-stalled"), "{heard}");
    sample.cancelled().await;
}

#[tokio::test]
async fn an_upload_that_is_not_read_is_504() {
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", deaf.local_addr().unwrap());
    let mut setup = Setup::before([url.parse().unwrap()]);
    setup.upstream.idle_timeout = LIMIT;
    let front = setup.start().await;
    let chunk = Bytes::from(vec![0; 64 * 1024]);
    let endless = stream::repeat_with(move || Ok::<_, std::io::Error>(Frame::data(chunk.clone())));
    let request = Request::post("/x").body(StreamBody::new(endless)).unwrap();
    let response = front.send(request).await.unwrap();
    assert_eq!(reason(&response), Some("response-timeout"));
}

#[tokio::test]
async fn a_slow_upload_is_not_cut_while_it_flows() {
    let sample = Arc::new(Sample::start().await);
    let mut setup = Setup::before([sample.url()]);
    setup.upstream.response_timeout = LIMIT;
    setup.upstream.idle_timeout = LIMIT;
    let front = setup.start().await;
    // Time moves by hand alone: it would by itself only while everybody waits.
    tokio::time::pause();
    let awake = tokio::spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    let service = Arc::clone(&sample);
    let flowing = stream::unfold(0, move |sent| {
        let service = Arc::clone(&service);
        async move {
            service.uploaded(sent).await;
            tokio::time::advance(LIMIT / 2).await;
            let chunk = Frame::data(Bytes::from_static(b"."));
            (sent < 10).then_some((Ok::<_, std::io::Error>(chunk), sent + 1))
        }
    });
    let request = Request::post("/x")
        .body(StreamBody::new(Box::pin(flowing)))
        .unwrap();
    let response = front.send(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    awake.abort();
}
