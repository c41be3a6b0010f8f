//! `audit`: the trail, the newest first; and whether it is as it was written.

use std::borrow::Cow;

use axum::Json;
use serde::Serialize;

use super::{ApiError, Desk};
use crate::audit::entry::Kept;
use crate::audit::query::AuditQuery;
use crate::audit::store::{Head, NotAHead};
use crate::audit::verify::{Anchors, Broken, Verified};
use crate::clock::Timestamp;

#[derive(Serialize)]
pub(super) struct Page {
    entries: Vec<Kept>,
    /// For the next page; null after the last.
    next_cursor: Option<i64>,
}

#[derive(Serialize)]
pub(super) struct HeadView {
    /// To be kept elsewhere, and shown when the trail is verified.
    head: String,
}

/// Whether the trail is as it was written.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Verdict {
    Intact {
        intact: bool,
        entries: i64,
        /// The last one that retention removed.
        removed: i64,
        /// How many of the heads that were shown stand in it.
        known: usize,
        head: String,
    },
    Broken {
        intact: bool,
        broken: Place,
    },
}

/// The first place at which it is not.
#[derive(Serialize)]
pub(super) struct Place {
    kind: &'static str,
    entry: i64,
    detail: String,
}

impl From<Verified> for Verdict {
    fn from(verified: Verified) -> Self {
        Self::Intact {
            intact: true,
            entries: verified.entries,
            removed: verified.removed,
            known: verified.anchors,
            head: verified.head.to_string(),
        }
    }
}

impl From<Broken> for Verdict {
    fn from(broken: Broken) -> Self {
        let (kind, entry) = match broken {
            Broken::Missing { from, .. } => ("missing", from),
            Broken::Altered(entry) => ("altered", entry),
            Broken::BeyondEnd(entry) => ("beyond_end", entry),
            Broken::Unsealed(entry) => ("unsealed", entry),
            Broken::Replaced(entry) => ("replaced", entry),
            Broken::Removed(entry) => ("removed", entry),
            Broken::Foreign(entry) => ("foreign", entry),
        };
        let detail = broken.to_string();
        let broken = Place {
            kind,
            entry,
            detail,
        };
        Self::Broken {
            intact: false,
            broken,
        }
    }
}

pub(super) async fn query(mut desk: Desk) -> Result<Json<Page>, ApiError> {
    let parameters = &mut desk.parameters;
    let query = AuditQuery {
        user: parameters.text("user"),
        actor: parameters.text("actor"),
        action: parameters.text("action"),
        outcome: parameters.take("outcome", outcome),
        session: parameters.text("session"),
        api_key: parameters.text("api_key"),
        request_id: parameters.text("request_id"),
        address: parameters.text("address"),
        since: parameters.take("since", time),
        until: parameters.take("until", time),
        before: parameters.take("cursor", |text| {
            let place = text.parse().ok().filter(|place: &i64| *place > 0);
            place.ok_or_else(|| "is no cursor that was given out here".into())
        }),
        limit: parameters.limit(),
    };
    desk.parameters.finish()?;
    let page = desk.administrator.audit(&query).await?;
    Ok(Json(Page {
        entries: page.entries,
        next_cursor: page.next,
    }))
}

pub(super) async fn head(desk: Desk) -> Result<Json<HeadView>, ApiError> {
    desk.parameters.finish()?;
    let head = desk.administrator.audit_head().await?.to_string();
    Ok(Json(HeadView { head }))
}

pub(super) async fn verify(mut desk: Desk) -> Result<Json<Verdict>, ApiError> {
    let heads = desk.parameters.all("head", |text| {
        let head: Result<Head, NotAHead> = text.parse();
        head.map_err(|error| error.to_string().into())
    });
    desk.parameters.finish()?;
    let anchors: Anchors = heads.iter().map(|head| (head.seq, head.hash)).collect();
    let verdict = desk.administrator.verify_audit(anchors).await?;
    Ok(Json(verdict.map_or_else(Into::into, Into::into)))
}

fn outcome(text: &str) -> Result<String, Cow<'static, str>> {
    match text {
        "success" | "refused" | "failed" => Ok(text.to_owned()),
        _other => Err("is none of success, refused and failed".into()),
    }
}

fn time(text: &str) -> Result<Timestamp, Cow<'static, str>> {
    Timestamp::parse(text).ok_or_else(|| "is no time such as 2026-11-21T03:39:45Z".into())
}
