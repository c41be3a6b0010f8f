//! An upstream that says what it was told to, byte for byte, and keeps what it heard.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

/// What to do with a connection.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    /// Read the head of a request, say this, and close.
    Close(&'static str),
    /// Read the head of a request, say this, and go on with the next request.
    KeepAlive(&'static str),
    /// Read the head of a request, say this, and keep the connection open without a word.
    FallSilent(&'static str),
    /// Answer the first request with this, and close the connection at the next one without an answer.
    Once(&'static str),
}

type Heads = watch::Sender<Vec<String>>;

/// A listening socket with manners.
pub(crate) struct Canned {
    url: Url,
    heads: Heads,
    _stop: DropGuard,
}

impl Canned {
    pub(crate) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Heads::default();
        let stop = CancellationToken::new();
        let accepting = accept(listener, manner, heads.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(accepting));
        Self {
            url: url.parse().unwrap(),
            heads,
            _stop: stop.drop_guard(),
        }
    }

    pub(crate) fn url(&self) -> Url {
        self.url.clone()
    }

    /// The heads of the requests so far, as they came.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.borrow().clone()
    }

    /// Waits until this many requests have come.
    pub(crate) async fn received(&self, count: usize) {
        let mut heads = self.heads.subscribe();
        heads.wait_for(|heads| heads.len() >= count).await.unwrap();
    }
}

async fn accept(listener: TcpListener, manner: Manner, heads: Heads) {
    while let Ok((stream, _peer)) = listener.accept().await {
        tokio::spawn(serve(stream, manner, heads.clone()));
    }
}

async fn serve(mut stream: TcpStream, manner: Manner, heads: Heads) {
    let mut answered = 0;
    while let Some(head) = read_head(&mut stream).await {
        heads.send_modify(|heads| heads.push(head));
        let answer = match manner {
            Manner::Once(_) if answered == 1 => return,
            Manner::Close(answer)
            | Manner::KeepAlive(answer)
            | Manner::FallSilent(answer)
            | Manner::Once(answer) => answer,
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        answered += 1;
        match manner {
            Manner::Close(_) => return,
            Manner::FallSilent(_) => std::future::pending().await,
            Manner::KeepAlive(_) | Manner::Once(_) => {}
        }
    }
}

/// Reads up to the empty line; `None` when the connection closes before.
pub(crate) async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}
