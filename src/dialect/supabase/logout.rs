//! `POST /logout`: ending this session, the others, or all of them.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use super::super::gotrue::fault::code;
use super::super::gotrue::{Account, Call, account};
use super::{Desk, Fault};
use crate::auth::Caller;
use crate::unavailable::Unavailable;

/// What `scope` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Global,
    Local,
    Others,
}

pub(super) async fn logout(State(desk): State<Desk>, call: Call) -> Result<Response, Fault> {
    let scope = match call.query("scope").as_deref() {
        None | Some("" | "global") => Scope::Global,
        Some("local") => Scope::Local,
        Some("others") => Scope::Others,
        Some(_) => {
            let message = "Unsupported logout scope";
            return Err(Fault::bad_request(code::VALIDATION_FAILED, message));
        }
    };
    let account = account(&desk, &call).await?;
    end(&desk, scope, (&account, &call.caller())).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn end(
    desk: &Desk,
    scope: Scope,
    (account, caller): (&Account, &Caller),
) -> Result<(), Unavailable> {
    let (auth, user) = (&desk.auth, account.user.id);
    match scope {
        Scope::Global => auth.sign_out_all(user, caller).await.map(drop),
        Scope::Local => auth.sign_out(account.session, caller).await,
        Scope::Others => {
            let sessions = auth.sessions_of(user).await?;
            let others = sessions.iter().filter(|one| one.id != account.session);
            for other in others {
                auth.end_session(user, other.id, caller).await?;
            }
            Ok(())
        }
    }
}
