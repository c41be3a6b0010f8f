//! The fetching of key sets: by https alone, for a bounded time, of a bounded length, from no other
//! place than the operator named.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::io::AsyncReadExt as _;
use url::{Host, Url};

use super::{IssuerConfig, JwksSource, KeyError};
use crate::token::jwk::JwksError;
use crate::token::key::KeySet;
use crate::trust::Trust;

/// The longest wait for a whole answer.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// The longest answer. The largest sets that are known have some twenty keys with certificates.
const MAX_BYTES: usize = 256 * 1024;

/// Why a key set was not to be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("no whole answer within {} seconds", TIME_LIMIT.as_secs())]
    TooSlow,
    #[error("an answer longer than {MAX_BYTES} bytes, or one that broke off: {0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
    #[error("status {0}, and redirects are not followed")]
    Status(StatusCode),
    #[error("not a URL that can be asked")]
    Url,
    #[error("no answer: {}", chain(.0))]
    Transport(#[from] hyper_util::client::legacy::Error),
    #[error("the file: {0}")]
    File(#[from] std::io::Error),
    #[error(transparent)]
    KeySet(#[from] JwksError),
}

/// Asks for key sets.
#[derive(Clone, Debug)]
pub(super) struct Fetcher(Client<HttpsConnector<HttpConnector>, Empty<Bytes>>);

impl Fetcher {
    /// One that can ask `issuer`. Certificates are read only where it is asked over https.
    pub(super) fn for_issuer(issuer: &IssuerConfig) -> Result<Self, KeyError> {
        let secure = match &issuer.jwks {
            JwksSource::File(_) => false,
            JwksSource::Url(url) => is_secure(url).ok_or_else(|| KeyError::InsecureUrl {
                issuer: issuer.issuer.clone(),
                url: url.clone(),
            })?,
        };
        let tls = if secure {
            issuer.trust.client_config()?
        } else {
            Trust::nobody().client_config()?
        };
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .build();
        // A connection of minutes ago is closed by now, or worse: half closed.
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(connector);
        Ok(Self(client))
    }

    /// The keys at `source`, none of which may be cached by anybody in between.
    pub(super) async fn fetch(&self, source: &JwksSource) -> Result<KeySet, FetchError> {
        let text = match source {
            JwksSource::Url(url) => tokio::time::timeout(TIME_LIMIT, self.get(url))
                .await
                .map_err(|_elapsed| FetchError::TooSlow)??,
            JwksSource::File(path) => read_file(path).await?,
        };
        Ok(KeySet::from_jwks(&text)?)
    }

    async fn get(&self, url: &Url) -> Result<Bytes, FetchError> {
        let request = http::Request::get(url.as_str())
            .header(
                http::header::ACCEPT,
                "application/jwk-set+json, application/json",
            )
            .header(http::header::USER_AGENT, "doorward")
            .body(Empty::new())
            .map_err(|_not_a_uri| FetchError::Url)?;
        let answer = self.0.request(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status(answer.status()));
        }
        let body = Limited::new(answer.into_body(), MAX_BYTES).collect().await;
        Ok(body.map_err(FetchError::Body)?.to_bytes())
    }
}

/// Whether the way there is encrypted; `None` where it is not and leaves this machine.
fn is_secure(url: &Url) -> Option<bool> {
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

async fn read_file(path: &Path) -> Result<Bytes, FetchError> {
    let mut text = Vec::new();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let file = tokio::fs::File::open(path).await?;
    file.take(limit).read_to_end(&mut text).await?;
    Ok(text.into())
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
