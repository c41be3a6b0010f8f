//! The one account: sign-in, whether it is there, how it comes and goes, a new password.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Value, json};

use super::call::Call;
use super::fault::Fault;
use super::fields::Fields;
use super::{ADMIN, Desk, nearby, password};
use crate::auth::account::named::Replacement;
use crate::auth::account::sign_in_code::Opening;
use crate::auth::account::sign_up::{Admission, NewAccount};
use crate::auth::{Agent, Auth, SignIn, SignInError, SignedIn};
use crate::session::{ClientKind, Persistence, SessionKind};
use crate::user::{Email, EmailStatus, JsonObject, Login, Role, Roles, User, Username};

/// The address of an account that is made here: an account has one, and nobody is to get its mail
/// (RFC 2606 §2).
const EMAIL: &str = "admin@vectorai.invalid";

/// `{usage, time, status, result}`.
pub(super) fn ok_body(result: bool) -> Value {
    json!({ "usage": {}, "time": 0.0, "status": "ok", "result": result })
}

fn done(message: &'static str) -> Response {
    Json(json!({ "status": "success", "message": message })).into_response()
}

/// A wrong password is told in the form of a right one.
pub(super) async fn login(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    let attempt = SignIn {
        login: ADMIN.to_owned(),
        password: fields.secret("password")?,
        entrance: SessionKind::Admin,
        client: ClientKind::Native,
        persistence: Persistence::Persistent,
        form: desk.form.clone(),
        caller: call.caller(),
    };
    match desk.auth.sign_in(attempt).await {
        Ok(signed_in) => Ok(granted(&signed_in)),
        Err(
            SignInError::WrongCredentials
            | SignInError::Disabled
            | SignInError::EmailUnverified
            | SignInError::NotAdmin
            | SignInError::NoAccount,
        ) => Ok(wrong_credentials()),
        Err(SignInError::Limited(limited)) => Err(Fault::limited(limited)),
        Err(SignInError::Busy) => Err(Fault::busy()),
        Err(SignInError::Unavailable(error)) => Err(error.into()),
        Err(SignInError::Issue(error)) => Err(error.into()),
    }
}

fn granted(signed_in: &SignedIn) -> Response {
    let ends = signed_in.access.expires_at.as_seconds();
    // In whole seconds on both sides, as the token has them.
    let lifetime = ends.saturating_sub(signed_in.issued_at.as_seconds());
    let body = json!({
        "token": signed_in.access.text.expose(),
        "message": "Login successful",
        "expires_in": lifetime,
    });
    Json(body).into_response()
}

fn wrong_credentials() -> Response {
    let mut response = Fault::wrong_password().into_response();
    let body = json!({
        "token": null,
        "message": "Invalid username or password",
        "expires_in": 0,
    });
    *response.body_mut() = Json(body).into_response().into_body();
    response.headers_mut().remove(http::header::CONTENT_LENGTH);
    response
}

pub(super) async fn exists(State(desk): State<Desk>) -> Result<Response, Fault> {
    let found = admin(&desk.auth).await?;
    Ok(Json(ok_body(found.is_some())).into_response())
}

/// For somebody on this machine alone: whoever comes first is the administrator.
pub(super) async fn register(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    nearby::check(&call, &desk.auth)?;
    let text = fields.secret("password")?;
    password::check(text.expose())?;
    // The address may be another's where the name is free; so the name is looked at first.
    if admin(&desk.auth).await?.is_some() {
        return Err(Fault::user_exists());
    }
    let admin_role = Role::parse(Role::ADMIN).map_err(|_bad| Fault::internal())?;
    desk.auth
        .sign_up(NewAccount {
            email: Email::parse(EMAIL).map_err(|_bad| Fault::internal())?,
            username: Some(Username::parse(ADMIN).map_err(|_bad| Fault::internal())?),
            password: text,
            profile: JsonObject::new(),
            admission: Admission::Entitled {
                right: "actian:this-machine",
                email_status: EmailStatus::Verified,
                roles: Roles::from_iter([admin_role]),
            },
            delivery: None,
            opening: Opening {
                client: ClientKind::Native,
                persistence: Persistence::Persistent,
                form: desk.form.clone(),
                caller: call.caller(),
            },
        })
        .await?;
    Ok(done("User registered successfully"))
}

/// For somebody on this machine alone. With the present password it must be right; without, the place
/// of the caller is the proof.
pub(super) async fn reset_password(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    nearby::check(&call, &desk.auth)?;
    let caller = call.caller();
    if fields.has("old_password") || fields.has("new_password") {
        let old = fields.secret("old_password")?;
        let new = fields.secret("new_password")?;
        password::check(new.expose())?;
        let passwords = Replacement {
            old: &old,
            new: &new,
        };
        let login = login_name()?;
        desk.auth
            .replace_password(&login, passwords, &caller)
            .await?;
    } else {
        let new = fields.secret("password")?;
        password::check(new.expose())?;
        let user = admin(&desk.auth).await?;
        let user = user.ok_or_else(Fault::user_not_found)?;
        desk.auth.set_password(user.id, &new, &caller).await?;
    }
    Ok(done("Password reset successfully"))
}

/// For the account itself: another administrator manages users elsewhere.
pub(super) async fn remove(State(desk): State<Desk>, call: Call) -> Result<Response, Fault> {
    let identity = call.administrator(&desk.auth)?;
    let user = admin(&desk.auth).await?;
    let user = user.ok_or_else(Fault::user_not_found)?;
    if *identity.subject != *user.id.to_string() {
        return Err(Fault::forbidden());
    }
    let agent = Agent {
        name: &identity.subject,
        caller: &call.caller(),
    };
    desk.auth.remove_account(user.id, &agent).await?;
    Ok((StatusCode::OK, done("User deleted successfully")).into_response())
}

async fn admin(auth: &Auth) -> Result<Option<User>, Fault> {
    Ok(auth.account_named(&login_name()?).await?)
}

fn login_name() -> Result<Login, Fault> {
    Login::parse(ADMIN).map_err(|_bad| Fault::internal())
}
