//! `audit`: the trail, the newest first.

use std::borrow::Cow;

use axum::Json;
use serde::Serialize;

use super::{ApiError, Desk};
use crate::audit::entry::Kept;
use crate::audit::query::AuditQuery;
use crate::clock::Timestamp;

#[derive(Serialize)]
pub(super) struct Page {
    entries: Vec<Kept>,
    /// For the next page; null after the last.
    next_cursor: Option<i64>,
}

pub(super) async fn query(mut desk: Desk) -> Result<Json<Page>, ApiError> {
    let parameters = &mut desk.parameters;
    let query = AuditQuery {
        user: parameters.text("user"),
        actor: parameters.text("actor"),
        action: parameters.text("action"),
        outcome: parameters.text("outcome"),
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

fn time(text: &str) -> Result<Timestamp, Cow<'static, str>> {
    Timestamp::parse(text).ok_or_else(|| "is no time such as 2026-11-21T03:39:45Z".into())
}
