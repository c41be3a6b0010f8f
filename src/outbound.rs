//! Asking other servers over HTTP: for a bounded time, an answer of a bounded length, and from no other
//! place than was named, for redirects are not followed. What is asked is left to who asks.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use url::{Host, Url};

/// How long a connection that nobody uses is kept. One of minutes ago is closed by now, or worse: half
/// closed.
const IDLE: Duration = Duration::from_secs(20);

/// What a question may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest wait for a whole answer.
    pub time: Duration,
    /// The longest body.
    pub bytes: usize,
    /// How many connections are kept for the next question.
    pub idle_connections: usize,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// It took too long.
    #[error("no whole answer within {} ms", .0.as_millis())]
    TooSlow(Duration),
    /// Its body is too long, or ended early.
    #[error("an answer longer than {0} bytes, or one that broke off: {1}")]
    Body(usize, Box<dyn std::error::Error + Send + Sync>),
    /// There was no connection, or no answer on it.
    #[error("no answer: {}", chain(.0))]
    Transport(#[from] hyper_util::client::legacy::Error),
}

/// Asks.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    limits: Limits,
}

impl Outbound {
    /// One that trusts what `tls` trusts.
    pub fn new(tls: ClientConfig, limits: Limits) -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(limits.idle_connections)
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self { client, limits }
    }

    /// Asks once, and waits for the whole answer.
    pub async fn ask(&self, question: Request<Full<Bytes>>) -> Result<Answer, OutboundError> {
        let time = self.limits.time;
        let answer = tokio::time::timeout(time, self.whole_answer(question)).await;
        answer.map_err(|_elapsed| OutboundError::TooSlow(time))?
    }

    async fn whole_answer(&self, question: Request<Full<Bytes>>) -> Result<Answer, OutboundError> {
        let bytes = self.limits.bytes;
        let (head, body) = self.client.request(question).await?.into_parts();
        let body = Limited::new(body, bytes).collect().await;
        let body = body.map_err(|error| OutboundError::Body(bytes, error))?;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        })
    }
}

/// Whether the way there is encrypted; `None` where it is not and leaves this machine.
pub fn is_secure(url: &Url) -> Option<bool> {
    let stays_here = match url.host()? {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name == "localhost",
    };
    match url.scheme() {
        "https" => Some(true),
        "http" if stays_here => Some(false),
        _ => None,
    }
}

/// The client's own words are only "client error (Connect)"; the reason lies below.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        words.push_str(": ");
        words.push_str(&error.to_string());
        below = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        let check = |url: &str, expected: Option<bool>| {
            assert_eq!(is_secure(&url.parse().unwrap()), expected, "{url}");
        };
        check("https://id.example.com/jwks", Some(true));
        check("http://127.0.0.1:8080/jwks", Some(false));
        check("http://[::1]/jwks", Some(false));
        check("http://localhost/jwks", Some(false));
        check("http://id.example.com/jwks", None);
        check("http://localhost.example.com/jwks", None);
        check("http://127.0.0.1.example.com/jwks", None);
        check("http://10.0.0.1/jwks", None);
        check("file:///etc/passwd", None);
        check("ftp://127.0.0.1/jwks", None);
    }
}
