//! What the access log and the metrics will say of a request, gathered on its way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;

use crate::clock::Timestamp;
use crate::id::RequestId;
use crate::identity::Identity;
use crate::listen::Protocol;
use crate::logs::{AccessRecord, LineLog};
use crate::metrics::requests::Verdict;

/// Gathered while a request is on its way; written when its answer has ended, however it ended.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) time: Timestamp,
    pub(super) began: Instant,
    pub(super) request_id: RequestId,
    pub(super) client: std::net::IpAddr,
    pub(super) protocol: Protocol,
    pub(super) method: http::Method,
    pub(super) host: Box<str>,
    pub(super) path: Box<str>,
    /// What was answered; `None` until then, and where the client has gone before.
    pub(super) status: Option<StatusCode>,
    pub(super) route: Option<Arc<str>>,
    pub(super) verdict: Verdict,
    pub(super) reason: &'static str,
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) upstream: Option<Arc<url::Url>>,
    pub(super) upstream_time: Option<Duration>,
    pub(super) bytes_in: Option<u64>,
    pub(super) bytes_out: u64,
    pub(super) log: LineLog,
}

/// As other proxies log who has gone before the answer; never sent.
const CLIENT_GONE: u16 = 499;

impl Record {
    /// The gateway answers itself. Where a store is away, one of its endpoints says so, too.
    pub(super) fn answered_here(&mut self, status: StatusCode) {
        self.status = Some(status);
        if status == StatusCode::SERVICE_UNAVAILABLE && self.verdict == Verdict::Allowed {
            self.verdict = Verdict::Undecided;
            self.reason = "unavailable";
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.reason = "client-gone";
        }
        let line = AccessRecord {
            time: self.time,
            request_id: self.request_id,
            client: self.client,
            protocol: self.protocol.as_str(),
            method: self.method.as_str(),
            host: &self.host,
            path: &self.path,
            status: self.status.map_or(CLIENT_GONE, |status| status.as_u16()),
            route: self.route.as_deref(),
            verdict: self.verdict,
            reason: self.reason,
            subject: self.identity.as_ref().map(|identity| &*identity.subject),
            upstream: self.upstream.as_ref().map(|url| url.as_str()),
            upstream_ms: self.upstream_time.map(millis),
            total_ms: millis(self.began.elapsed()),
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
        };
        line.write_to(&self.log);
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
