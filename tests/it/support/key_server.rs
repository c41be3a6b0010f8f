//! An issuer's key server: real HTTP on a free port, which answers as the test tells it to.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http::{Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::happenings::Happenings;

/// How the server answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// This status and text.
    Text(StatusCode, String),
    /// This status, and this `Location`.
    Redirect(StatusCode, String),
    /// 200 with an array that never ends.
    Endless,
    /// The connection stays open, and nothing comes.
    Silence,
}

/// A running server; it stops when dropped.
pub(crate) struct KeyServer {
    state: Arc<State>,
    port: u16,
    accepting: AbortHandle,
}

struct State {
    answer: Mutex<Answer>,
    requests: watch::Sender<Vec<Instant>>,
}

impl KeyServer {
    /// Starts one that answers so.
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            answer: Mutex::new(answer),
            requests: watch::Sender::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state))).abort_handle();
        Self {
            state,
            port,
            accepting,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Where the keys are.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/jwks.json", self.port)
    }

    /// From now on it answers so.
    pub(crate) fn answer(&self, answer: Answer) {
        *self.state.answer.lock() = answer;
    }

    /// When it was asked.
    pub(crate) fn requests(&self) -> Vec<Instant> {
        self.state.requests.borrow().clone()
    }

    /// Changes with each time that it is asked.
    pub(crate) fn asking(&self) -> watch::Receiver<Vec<Instant>> {
        self.state.requests.subscribe()
    }

    /// Waits until it was asked so often.
    pub(crate) async fn asked(&self, times: usize) {
        let mut requests = self.asking();
        let asked = requests.wait_for(|requests| requests.len() >= times);
        let asked = tokio::time::timeout(Happenings::LIMIT, asked).await;
        asked.expect("the keys are asked for").unwrap();
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    loop {
        let (stream, _peer) = listener.accept().await.unwrap();
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|_request| reply(Arc::clone(&state)));
            let connection = hyper::server::conn::http1::Builder::new();
            // A client that hangs up in the middle is what some of the tests want.
            let _hung_up = connection
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn reply(state: Arc<State>) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    state
        .requests
        .send_modify(|requests| requests.push(Instant::now()));
    let answer = state.answer.lock().clone();
    Ok(match answer {
        Answer::Text(status, text) => {
            let mut response = Response::new(Full::from(text).boxed());
            *response.status_mut() = status;
            response
        }
        Answer::Redirect(status, location) => {
            let mut response = Response::new(Full::default().boxed());
            *response.status_mut() = status;
            let location = location.parse().unwrap();
            response.headers_mut().insert("location", location);
            response
        }
        Answer::Endless => {
            let open = stream::once(async { Bytes::from_static(b"{\"keys\":[") });
            let more = stream::repeat(Bytes::from_static(b"{\"kty\":\"EC\"},"));
            let frames = open.chain(more).map(|bytes| Ok(Frame::data(bytes)));
            Response::new(BodyExt::boxed(StreamBody::new(frames)))
        }
        Answer::Silence => std::future::pending().await,
    })
}
