//! Refusals on proxied routes, as the data endpoints of the original word errors.

use axum::Json;
use axum::body::Body;
use axum::response::IntoResponse as _;
use http::Response;
use serde_json::json;

use crate::wire::refusal::{Refusal, RefusalStyle};

/// `{time, status: {error}}`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ActianStyle;

impl RefusalStyle for ActianStyle {
    fn render(&self, refusal: &Refusal) -> Response<Body> {
        let body = json!({ "time": 0.0, "status": { "error": refusal.detail() } });
        (refusal.status(), Json(body)).into_response()
    }
}
