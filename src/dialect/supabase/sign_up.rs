//! `POST /signup` and `POST /invite`: making an account, and having one made for somebody.

use axum::extract::State;
use axum::response::Response;

use super::super::gotrue::body::{GrantBody, UserBody, fresh, granted};
use super::super::gotrue::fault::code;
use super::super::gotrue::grant::opening;
use super::super::gotrue::link::{Kind, delivery};
use super::super::gotrue::{Call, Fields};
use super::admin::{admit, with_service_key};
use super::user::merged;
use super::{Desk, Fault};
use crate::auth::AccountError;
use crate::auth::account::directory::Entry;
use crate::auth::account::sign_up::{Admission, NewAccount, SignedUp};
use crate::auth::account::verify::CodeRequest;
use crate::secret::SecretText;
use crate::user::{AccountStatus, Email, EmailStatus, JsonObject, Roles, User};
use crate::users::UserQuery;

/// Where addresses must be proved, this answers for one that has an account as for a new one.
pub(super) async fn sign_up(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    let email = address(&mut fields)?;
    let Some(password) = fields.filled("password")? else {
        return Err(Fault::invalid("Signup requires a valid password"));
    };
    let new = NewAccount {
        email,
        username: None,
        password: SecretText::new(password),
        profile: data(&mut fields)?,
        admission: Admission::Public,
        delivery: delivery(&desk.mount, Kind::SignUp, &call),
        opening: opening(&desk, &call),
    };
    let signed_up = desk.auth.sign_up(new).await.map_err(|error| match error {
        AccountError::EmailTaken => {
            Fault::unprocessable(code::USER_ALREADY_EXISTS, "User already registered")
        }
        error => error.into(),
    })?;
    Ok(match signed_up {
        SignedUp::SignedIn(signed_in) => granted(&GrantBody::of(&signed_in), &signed_in.session),
        SignedUp::MustVerify(user) | SignedUp::Made(user) => fresh(&UserBody::of_new(&user)),
    })
}

/// For whoever holds the service key. The invited has no password until they set one.
pub(super) async fn invite(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    admit(&desk, &call).await?;
    let email = fields.email("email")?;
    let email = email.ok_or_else(|| Fault::invalid("An email address is required"))?;
    let entry = Entry {
        id: None,
        email: email.clone(),
        password: None,
        username: None,
        roles: Roles::default(),
        status: AccountStatus::Enabled,
        email_status: EmailStatus::Unverified,
        profile: data(&mut fields)?,
        metadata: JsonObject::new(),
    };
    let caller = call.caller();
    let agent = with_service_key(&caller);
    let user = match desk.auth.enter_user(entry, &agent).await {
        Err(AccountError::EmailTaken) => invited_before(&desk, &email).await?,
        entered => entered?,
    };
    let request = CodeRequest {
        email,
        delivery: delivery(&desk.mount, Kind::Invite, &call),
        caller,
    };
    desk.auth.request_verification(request).await?;
    Ok(fresh(&UserBody::of_invited(&user)))
}

fn address(fields: &mut Fields) -> Result<Email, Fault> {
    let phone = fields.filled("phone")?;
    match (fields.email("email")?, phone) {
        (Some(email), None) => Ok(email),
        (Some(_), Some(_)) => {
            let message = "Only an email address or phone number should be provided on signup.";
            Err(Fault::invalid(message))
        }
        (None, Some(_)) => Err(Fault::no_phone("Phone signups are disabled")),
        (None, None) => {
            let message = "Anonymous sign-ins are disabled";
            Err(Fault::unprocessable(
                code::ANONYMOUS_PROVIDER_DISABLED,
                message,
            ))
        }
    }
}

/// What somebody says of themselves.
pub(super) fn data(fields: &mut Fields) -> Result<JsonObject, Fault> {
    let data = fields.object("data")?.unwrap_or_default();
    merged(&JsonObject::new(), data)
}

/// Who was invited and has not come yet may be invited again: the first mail may not have arrived.
async fn invited_before(desk: &Desk, email: &Email) -> Result<User, Fault> {
    let query = UserQuery {
        search: email.to_string(),
        limit: 2,
        ..UserQuery::default()
    };
    let found = desk.auth.list_users(&query).await?.users;
    let user = found.into_iter().find(|user| user.email == *email);
    let user = user.filter(|user| user.email_status == EmailStatus::Unverified);
    user.ok_or_else(|| AccountError::EmailTaken.into())
}
