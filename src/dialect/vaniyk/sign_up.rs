//! `POST /signup` and `POST /signup/admin`.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use super::member::{Member, Newcomer};
use super::words::INVALID_ADMIN_SECRET;
use super::{Desk, Fault};
use crate::auth::account::sign_up::{Admission, NewAccount, SignedUp};
use crate::auth::account::verify::CodeRequest;
use crate::auth::{AccountError, Guessed};
use crate::dialect::gotrue::body::{GrantBody, fresh, granted};
use crate::dialect::gotrue::fault::code;
use crate::dialect::gotrue::grant::opening;
use crate::dialect::gotrue::{Call, Fields};
use crate::user::{EmailStatus, JsonObject, Role, User};

#[derive(Serialize)]
struct Body<'a, U> {
    message: &'static str,
    user: U,
    session: Option<GrantBody<'a>>,
}

/// Where addresses must be proved, this answers for one that has an account as for a new one.
pub(super) async fn user(
    State(desk): State<Desk>,
    call: Call,
    fields: Fields,
) -> Result<Response, Fault> {
    let new = new_account(&desk, &call, (fields, Admission::Public))?;
    let message = "User created successfully";
    match desk.auth.sign_up(new).await.map_err(refused)? {
        SignedUp::SignedIn(signed_in) => {
            let user = signed_in.user.as_ref().ok_or_else(Fault::internal)?;
            let body = Body {
                message,
                user: Newcomer::of(user),
                session: Some(GrantBody::of(&signed_in)),
            };
            Ok(created(granted(&body, &signed_in.session)))
        }
        SignedUp::MustVerify(user) | SignedUp::Made(user) => Ok(created(fresh(&Body {
            message,
            user: Newcomer::of(&user),
            session: None,
        }))),
    }
}

/// The secret shows that somebody may be an administrator, and nothing of their address: they prove it
/// and sign in as everybody does.
pub(super) async fn admin(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    admit(&desk, &call, &mut fields).await?;
    let roles = [Role::parse(Role::ADMIN)].into_iter().flatten().collect();
    let admission = Admission::Entitled {
        right: "vaniyk:admin-secret",
        email_status: EmailStatus::Unverified,
        roles,
    };
    let new = new_account(&desk, &call, (fields, admission))?;
    let user = match desk.auth.sign_up(new).await.map_err(refused)? {
        SignedUp::Made(user) | SignedUp::MustVerify(user) => user,
        SignedUp::SignedIn(_) => return Err(Fault::internal()),
    };
    prove_address(&desk, &call, &user).await;
    Ok(created(fresh(&Body {
        message: "Admin user created successfully",
        user: Member::of(&user),
        session: None,
    })))
}

/// Every try at the secret counts, as keys can be guessed at; one that was right is taken back.
async fn admit(desk: &Desk, call: &Call, fields: &mut Fields) -> Result<(), Fault> {
    let shown = fields.secret("adminSecret")?;
    let guess = desk.auth.begin_guess(Guessed::AdminSecret, call.caller());
    let guess = guess.await?;
    let secret = desk.mount.admin_secret.as_ref();
    if secret.is_some_and(|secret| secret.same_as(shown.expose().as_bytes())) {
        desk.auth.take_back(guess).await;
        return Ok(());
    }
    desk.auth.tell_missed(&guess);
    let status = StatusCode::FORBIDDEN;
    Err(Fault::new(status, code::NOT_ADMIN, INVALID_ADMIN_SECRET))
}

/// The account is there already, so that a mail which cannot be sent is asked for again at
/// `/email/resend`.
async fn prove_address(desk: &Desk, call: &Call, user: &User) {
    let request = CodeRequest {
        email: user.email.clone(),
        delivery: None,
        caller: call.caller(),
    };
    if let Err(error) = desk.auth.request_verification(request).await {
        tracing::warn!(%error, "no mail was sent to a new administrator");
    }
}

fn new_account(
    desk: &Desk,
    call: &Call,
    (mut fields, admission): (Fields, Admission),
) -> Result<NewAccount, Fault> {
    let email = fields.email("email")?;
    let email = email.ok_or_else(|| Fault::invalid("Signup requires a valid email"))?;
    let password = fields.secret("password")?;
    if password.expose().is_empty() {
        return Err(Fault::invalid("Signup requires a valid password"));
    }
    let name = fields.filled("name")?;
    let profile = name.map(|name| ("name".to_owned(), json!(name)));
    Ok(NewAccount {
        email,
        username: None,
        password,
        profile: profile.into_iter().collect::<JsonObject>(),
        admission,
        delivery: None,
        opening: opening(desk, call),
    })
}

fn refused(error: AccountError) -> Fault {
    match error {
        AccountError::EmailTaken => {
            Fault::unprocessable(code::USER_ALREADY_EXISTS, "User already registered")
        }
        error => error.into(),
    }
}

fn created(answer: Response) -> Response {
    (StatusCode::CREATED, answer).into_response()
}
