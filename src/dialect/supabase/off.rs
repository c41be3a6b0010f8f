//! What the original has and this has not, answered as the original does where it is switched off.

use axum::extract::State;
use http::StatusCode;

use super::super::gotrue::fault::code;
use super::super::gotrue::{Call, account};
use super::{Desk, Fault};

/// `GET /authorize`: signing in at somebody else's.
pub(super) async fn provider() -> Fault {
    Fault::invalid("Unsupported provider: provider is not enabled")
}

/// `POST /sso`
pub(super) async fn saml() -> Fault {
    let message = "SAML 2.0 is disabled";
    Fault::new(StatusCode::NOT_FOUND, code::SAML_PROVIDER_DISABLED, message)
}

/// `POST /factors`: a second factor.
pub(super) async fn factors(State(desk): State<Desk>, call: Call) -> Fault {
    let message = "MFA enroll is disabled for TOTP";
    let off = Fault::unprocessable(code::MFA_ENROLL_DISABLED, message);
    for_members(&desk, &call, off).await
}

/// `/user/identities/…`: more ways to sign in to one account.
pub(super) async fn identities(State(desk): State<Desk>, call: Call) -> Fault {
    let (status, message) = (StatusCode::NOT_FOUND, "Manual linking is disabled");
    let off = Fault::new(status, code::MANUAL_LINKING_DISABLED, message);
    for_members(&desk, &call, off).await
}

/// Who is not signed in hears of that first.
async fn for_members(desk: &Desk, call: &Call, off: Fault) -> Fault {
    account(desk, call)
        .await
        .map_or_else(|fault| fault, |_| off)
}
