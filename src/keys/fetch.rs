//! The fetching of key sets: by https alone, for a bounded time, of a bounded length, from no other
//! place than the operator named.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::Full;
use tokio::io::AsyncReadExt as _;
use url::Url;

use super::{IssuerConfig, JwksSource, KeyError};
use crate::outbound::{Limits, Outbound, OutboundError, is_secure};
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
    #[error(transparent)]
    NoAnswer(#[from] OutboundError),
    #[error("status {0}, and redirects are not followed")]
    Status(StatusCode),
    #[error("not a URL that can be asked")]
    Url,
    #[error("the file: {0}")]
    File(#[from] std::io::Error),
    #[error(transparent)]
    KeySet(#[from] JwksError),
}

/// Asks for key sets.
#[derive(Clone, Debug)]
pub(super) struct Fetcher(Outbound);

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
        let limits = Limits {
            time: TIME_LIMIT,
            bytes: MAX_BYTES,
            // The next question comes in minutes.
            idle_connections: 0,
        };
        Ok(Self(Outbound::new(tls, limits)))
    }

    /// The keys at `source`, none of which may be cached by anybody in between.
    pub(super) async fn fetch(&self, source: &JwksSource) -> Result<KeySet, FetchError> {
        let text = match source {
            JwksSource::Url(url) => self.get(url).await?,
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
            .body(Full::default())
            .map_err(|_not_a_uri| FetchError::Url)?;
        let answer = self.0.ask(request).await?;
        if answer.status != StatusCode::OK {
            return Err(FetchError::Status(answer.status));
        }
        Ok(answer.body)
    }
}

async fn read_file(path: &Path) -> Result<Bytes, FetchError> {
    let mut text = Vec::new();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let file = tokio::fs::File::open(path).await?;
    file.take(limit).read_to_end(&mut text).await?;
    Ok(text.into())
}
