//! The access log: what one request was, how it was judged, what came of it, how long it took.
//!
//! The path without the query: a query may hold a code, a token or a name that somebody searched for,
//! and a log is read by more people than the service is. Headers and bodies are not in it at all.

use std::net::IpAddr;

use super::json::JsonObject;
use super::line_log::LineLog;
use crate::clock::Timestamp;
use crate::id::{RequestId, TEXT_LENGTH};
use crate::metrics::requests::Verdict;
use crate::net::address_text;

/// One line of the access log. Fields that do not apply are left out.
#[derive(Clone, Debug)]
pub struct AccessRecord<'a> {
    /// When its head was there.
    pub time: Timestamp,
    /// Names it in all logs, and at the upstream.
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
    pub route: Option<&'a str>,
    /// How it was judged.
    pub verdict: Verdict,
    /// Why, as a fixed word.
    pub reason: &'static str,
    /// The `sub` of the caller.
    pub subject: Option<&'a str>,
    /// The upstream that answered.
    pub upstream: Option<&'a str>,
    /// Milliseconds until the head of its answer.
    pub upstream_ms: Option<u64>,
    /// Milliseconds from the head of the request to the end of the answer.
    pub total_ms: u64,
    /// Bytes of the request's body, where it announced them (`Content-Length`).
    pub bytes_in: Option<u64>,
    /// Bytes of the answer's body.
    pub bytes_out: u64,
}

impl AccessRecord<'_> {
    /// Writes the line, without ever waiting for it.
    pub fn write_to(&self, log: &LineLog) {
        log.write_with(|line| self.write(line));
    }

    fn write(&self, line: &mut Vec<u8>) {
        let mut object = JsonObject::begin(line, self.time);
        object.text("request_id", self.request_id.encode(&mut [0; TEXT_LENGTH]));
        object.text("client", &address_text(self.client));
        object.text("protocol", self.protocol);
        object.text("method", self.method);
        object.text("host", self.host);
        object.text("path", self.path);
        object.number("status", self.status.into());
        object.text_if_any("route", self.route);
        object.text("verdict", self.verdict.as_str());
        object.text("reason", self.reason);
        object.text_if_any("subject", self.subject);
        object.text_if_any("upstream", self.upstream);
        object.number_if_any("upstream_ms", self.upstream_ms);
        object.number("total_ms", self.total_ms);
        object.number_if_any("bytes_in", self.bytes_in);
        object.number("bytes_out", self.bytes_out);
        object.end();
    }
}
