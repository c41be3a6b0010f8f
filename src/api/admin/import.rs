//! `users/import`: accounts from a file, which the body is.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::super::body::rejected;
use super::{ApiError, Desk};
use crate::auth::admin::{ImportFile, Report};
use crate::users::import::{Form, Purpose};
use crate::wire::problem::Problem;

/// Some ten thousand accounts; the rows are counted as well.
pub(super) const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// A file, and how it is to be read.
pub(super) struct File {
    form: Form,
    text: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for File {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let form = form(request.headers()).ok_or_else(|| {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            let detail = "Send text/csv, application/json or application/x-ndjson.";
            ApiError::Refused(Problem::new(status, "not_a_table").detail(detail))
        })?;
        let text = Bytes::from_request(request, state).await;
        let text = text.map_err(|rejection| rejected(rejection.status()))?;
        Ok(Self { form, text })
    }
}

/// None of these is a type that a form on a page of somebody else can send without asking.
fn form(headers: &HeaderMap) -> Option<Form> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = kind.split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "text/csv" => Some(Form::Table),
        "application/json" => Some(Form::Array),
        "application/x-ndjson" => Some(Form::Lines),
        _other => None,
    }
}

#[derive(Serialize)]
pub(super) struct ReportView {
    /// How many rows became accounts, or would.
    taken: usize,
    refused: Vec<RefusedView>,
    dry_run: bool,
}

#[derive(Serialize)]
struct RefusedView {
    line: u64,
    /// Its number in an array, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<usize>,
    reason: String,
}

pub(super) async fn import(mut desk: Desk, file: File) -> Result<Json<ReportView>, ApiError> {
    let purpose = desk.parameters.take("dry_run", |text| match text {
        "true" => Ok(Purpose::Rehearse),
        "false" => Ok(Purpose::Write),
        _other => Err("is not true or false".into()),
    });
    let ignored = desk.parameters.all("ignore", |name| Ok(name.to_owned()));
    desk.parameters.finish()?;
    let purpose = purpose.unwrap_or(Purpose::Write);
    let file = ImportFile {
        text: file.text,
        form: file.form,
        ignored,
        purpose,
    };
    let Report { taken, refused } = desk.administrator.import(file).await?;
    let refused = refused.into_iter().map(|(place, refusal)| RefusedView {
        line: place.line,
        item: place.item,
        reason: refusal.to_string(),
    });
    Ok(Json(ReportView {
        taken,
        refused: refused.collect(),
        dry_run: purpose == Purpose::Rehearse,
    }))
}
