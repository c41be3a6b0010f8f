//! The access log: what one request was, how it was judged, what came of it, how long it took.
//!
//! The path without the query: a query may hold a code, a token or a name that somebody searched for,
//! and a log is read by more people than the service is. Headers and bodies are not in it at all.

use std::net::IpAddr;

use serde::{Serialize, Serializer};

use super::line_log::LineLog;
use crate::clock::Timestamp;
use crate::id::{RequestId, TEXT_LENGTH};
use crate::metrics::requests::Verdict;

/// One line of the access log. Fields that do not apply are left out.
#[derive(Clone, Debug, Serialize)]
pub struct AccessRecord<'a> {
    /// When its head was there.
    #[serde(serialize_with = "as_text")]
    pub time: Timestamp,
    /// Names it in all logs, and at the upstream.
    #[serde(serialize_with = "id_as_text")]
    pub request_id: RequestId,
    /// The client, by the trusted-proxy rule.
    pub client: IpAddr,
    /// `http/1.1` or `h2`.
    pub protocol: &'static str,
    /// The method.
    pub method: &'a str,
    /// The host, in its one spelling.
    pub host: &'a str,
    /// The path: in its one spelling, or as it came where it has none. Never the query.
    pub path: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// The route that it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<&'a str>,
    /// How it was judged.
    pub verdict: Verdict,
    /// Why, as a fixed word.
    pub reason: &'static str,
    /// The `sub` of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<&'a str>,
    /// The upstream that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<&'a str>,
    /// Milliseconds until the head of its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_ms: Option<u64>,
    /// Milliseconds from the head of the request to the end of the answer.
    pub total_ms: u64,
    /// Bytes of the request's body, where it announced them (`Content-Length`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_in: Option<u64>,
    /// Bytes of the answer's body.
    pub bytes_out: u64,
}

impl AccessRecord<'_> {
    /// Writes the line, without ever waiting for it.
    pub fn write_to(&self, log: &LineLog) {
        log.write(self);
    }
}

fn id_as_text<S: Serializer>(id: &RequestId, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(id.encode(&mut [0; TEXT_LENGTH]))
}

fn as_text<T: std::fmt::Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}
