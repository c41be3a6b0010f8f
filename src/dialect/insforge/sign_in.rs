//! `POST /sessions` and `POST /admin/sessions`: signing in with a password, or a code that came by mail.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::answer::opened;
use super::call::Call;
use super::entrance::Entrance;
use super::fault::Fault;
use super::fields::Fields;
use super::profile;
use crate::auth::account::redeem::ShownCode;
use crate::auth::account::sign_in_code::EntryCode;
use crate::auth::{Auth, Member, SignIn, SignInError};
use crate::secret::SecretText;
use crate::session::{ClientKind, Persistence};

/// What somebody typed.
struct Typed {
    login: String,
    password: SecretText,
}

pub(super) async fn user(
    State(auth): State<Arc<Auth>>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    match fields.optional("method").as_deref() {
        None | Some("password") => {
            let typed = user_fields(fields)?;
            sign_in(&auth, &call, (&Entrance::USER, call.client(), typed)).await
        }
        Some("otp") => by_code(&auth, &call, fields).await,
        Some(_) => {
            fields.complain("method", "Must be \"password\" or \"otp\"");
            Err(fields.fault())
        }
    }
}

/// With the six digits of a mail. A name that is given is that of an account without one.
async fn by_code(auth: &Auth, call: &Call, mut fields: Fields) -> Result<Response, Fault> {
    let (email, digits) = (fields.email(), fields.digits("otp"));
    let name = fields.optional("name");
    let (Some(email), Some(digits), true) = (email, digits, fields.is_sound()) else {
        return Err(fields.fault());
    };
    let code = ShownCode::Digits { email, digits };
    let (opening, entry) = (call.opening(), EntryCode::SignIn);
    let mut signed_in = auth.sign_in_with_code(&code, entry, &opening).await?;
    if let (Some(name), Some(user)) = (name, &signed_in.user)
        && user.profile.is_empty()
    {
        let member = Member {
            user: user.id,
            session: signed_in.session.id,
            caller: call.caller(),
        };
        signed_in.user = Some(profile::name(auth, &member, (user, name)).await?);
    }
    opened(auth, &signed_in, (&Entrance::USER, opening.client))
}

/// Dashboards are browsers: there is no `client_type` here.
pub(super) async fn admin(
    State(auth): State<Arc<Auth>>,
    call: Call,
    fields: Fields,
) -> Result<Response, Fault> {
    let typed = admin_fields(fields)?;
    sign_in(&auth, &call, (&Entrance::ADMIN, ClientKind::Web, typed)).await
}

async fn sign_in(
    auth: &Auth,
    call: &Call,
    (entrance, client, typed): (&Entrance, ClientKind, Typed),
) -> Result<Response, Fault> {
    let attempt = SignIn {
        login: typed.login,
        password: typed.password,
        entrance: entrance.kind,
        client,
        // The original has no "remember me", and a cookie that stays.
        persistence: Persistence::Persistent,
        form: call.form.clone(),
        caller: call.caller(),
    };
    let signed_in = auth.sign_in(attempt).await;
    let signed_in = signed_in.map_err(|error| fault(error, entrance))?;
    opened(auth, &signed_in, (entrance, client))
}

fn user_fields(mut fields: Fields) -> Result<Typed, Fault> {
    let email = fields.email();
    typed(fields, email.map(|email| email.to_string()))
}

/// Older clients send `email` to the same path.
fn admin_fields(mut fields: Fields) -> Result<Typed, Fault> {
    const MAX_CHARS: usize = 100;
    let email = fields.optional("email");
    let login = match fields.optional("username") {
        Some(name) if name.trim().chars().count() > MAX_CHARS => {
            fields.complain("username", "Too long");
            None
        }
        Some(name) => Some(name),
        None => email,
    };
    if fields.is_sound() && login.as_deref().is_none_or(|it| it.trim().is_empty()) {
        fields.complain("username", "Required");
    }
    typed(fields, login)
}

fn typed(mut fields: Fields, login: Option<String>) -> Result<Typed, Fault> {
    let password = fields.required("password").map(SecretText::new);
    match (login, password) {
        (Some(login), Some(password)) if fields.is_sound() => Ok(Typed { login, password }),
        _unsound => Err(fields.fault()),
    }
}

fn fault(error: SignInError, entrance: &Entrance) -> Fault {
    match error {
        SignInError::WrongCredentials => entrance.wrong_password(),
        SignInError::Disabled => Fault::forbidden("Account is disabled"),
        SignInError::EmailUnverified => Fault::email_unverified(),
        SignInError::NotAdmin => Fault::forbidden("User is not an admin"),
        SignInError::NoAccount => Fault::forbidden("User has no account"),
        SignInError::Limited(limited) => Fault::too_many_requests(limited),
        SignInError::Busy => Fault::unavailable(),
        SignInError::Unavailable(error) => error.into(),
        SignInError::Issue(error) => error.into(),
    }
}
