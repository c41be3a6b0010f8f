//! `POST /login` and `POST /admin/login`: the credentials are judged first, then the role.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::member::Member;
use super::{Desk, Fault};
use crate::auth::SignIn;
use crate::dialect::gotrue::body::{GrantBody, granted};
use crate::dialect::gotrue::{Call, Fields, grant};
use crate::session::SessionKind;

#[derive(Serialize)]
struct Body<'a> {
    message: &'static str,
    user: Member<'a>,
    session: GrantBody<'a>,
}

pub(super) async fn user(
    State(desk): State<Desk>,
    call: Call,
    fields: Fields,
) -> Result<Response, Fault> {
    let attempt = grant::attempt(&desk, &call, (fields, SessionKind::User))?;
    sign_in(&desk, attempt, "Login successful").await
}

pub(super) async fn admin(
    State(desk): State<Desk>,
    call: Call,
    fields: Fields,
) -> Result<Response, Fault> {
    let attempt = grant::attempt(&desk, &call, (fields, SessionKind::Admin))?;
    sign_in(&desk, attempt, "Admin login successful").await
}

async fn sign_in(desk: &Desk, attempt: SignIn, message: &'static str) -> Result<Response, Fault> {
    let signed_in = desk.auth.sign_in(attempt).await?;
    // At a sign-in the user was read a moment ago; only a refresh goes on without.
    let user = signed_in.user.as_ref().ok_or_else(Fault::internal)?;
    let body = Body {
        message,
        user: Member::of(user),
        session: GrantBody::of(&signed_in),
    };
    Ok(granted(&body, &signed_in.session))
}
