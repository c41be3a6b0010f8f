//! `GET /profile`: who the Bearer token speaks for, as the directory has it now.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::member::Profile;
use super::{Desk, Fault};
use crate::dialect::gotrue::body::fresh;
use crate::dialect::gotrue::{Call, account};

#[derive(Serialize)]
struct Body<'a> {
    user: Profile<'a>,
}

pub(super) async fn read(State(desk): State<Desk>, call: Call) -> Result<Response, Fault> {
    let account = account(&desk, &call).await?;
    Ok(fresh(&Body {
        user: Profile::of(&account.user),
    }))
}
