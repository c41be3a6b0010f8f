//! `POST /login-admin`: the password first, then whether the account is an administrator's.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;

use super::admin_body::AdminBody;
use super::{Desk, Fault, words};
use crate::auth::SignIn;
use crate::dialect::gotrue::body::granted;
use crate::dialect::gotrue::{Call, Fields, grant};
use crate::session::SessionKind;
use crate::wire::rate_limit;

/// Every answer that was counted says what is left, the refusals too. Those are worded here, as the
/// layer would drop their headers.
pub(super) async fn login(
    State(desk): State<Desk>,
    call: Call,
    fields: Fields,
) -> Result<Response, Fault> {
    let attempt = grant::attempt(&desk, &call, (fields, SessionKind::Admin))?;
    let (signed_in, allowance) = answer(&desk, attempt).await;
    let mut response = signed_in.unwrap_or_else(|fault| words::render(&fault, &HeaderMap::new()));
    if let Some(left) = allowance {
        let headers = response.headers_mut();
        rate_limit::add_left(headers, (left.limit, left.remaining), left.reset);
    }
    Ok(response.into_response())
}

async fn answer(
    desk: &Desk,
    attempt: SignIn,
) -> (Result<Response, Fault>, Option<crate::auth::Allowance>) {
    let (result, allowance) = desk.auth.sign_in_counted(attempt).await;
    let response = result.map_err(Fault::from).and_then(|signed_in| {
        // At a sign-in the user was read a moment ago; only a refresh goes on without.
        let user = signed_in.user.as_ref().ok_or_else(Fault::internal)?;
        Ok(granted(
            &AdminBody::of(&signed_in, user),
            &signed_in.session,
        ))
    });
    (response, allowance)
}
