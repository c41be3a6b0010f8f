//! `GET` and `PATCH /auth/enabled`: whether credentials are asked for. Here they always are.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use super::Desk;
use super::admin::ok_body;
use super::call::Call;
use super::fault::Fault;
use super::fields::Fields;

pub(super) async fn read(State(desk): State<Desk>, call: Call) -> Result<Response, Fault> {
    call.administrator(&desk.auth)?;
    Ok(Json(ok_body(true)).into_response())
}

/// On is what it is. Off would open every route of a gateway whose work it is to keep them closed, on the
/// word of one stolen token: what a route asks for stands in the configuration alone.
pub(super) async fn change(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    call.administrator(&desk.auth)?;
    if fields.truth("enabled")? {
        Ok(Json(ok_body(true)).into_response())
    } else {
        Err(Fault::stays_on())
    }
}
