//! `/admin/users`: the directory, for whoever holds the service key.

use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;

use super::super::gotrue::body::{UserBody, fresh};
use super::super::gotrue::fault::code;
use super::super::gotrue::form::AUTHENTICATED;
use super::super::gotrue::{Call, Fields, Shown};
use super::user::merged;
use super::{Desk, Fault};
use crate::auth::account::directory::{Amendment, Entry, NewPassword};
use crate::auth::{Agent, Caller, Denial, Guessed};
use crate::id::UserId;
use crate::secret::SecretText;
use crate::user::{AccountStatus, EmailStatus, JsonObject, Roles, User};
use crate::users::UserQuery;

const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// How many users a page has unless the call says.
const USUAL_PAGE: u32 = 50;

/// How many users a page has at most.
const LARGEST_PAGE: u32 = 1000;

#[derive(Serialize)]
struct Listed<'a> {
    users: Vec<UserBody<'a>>,
    aud: &'static str,
}

pub(super) async fn list(State(desk): State<Desk>, call: Call) -> Result<Response, Fault> {
    admit(&desk, &call).await?;
    let page = number(&call, "page", 1)?;
    let per_page = number(&call, "per_page", USUAL_PAGE)?.min(LARGEST_PAGE);
    let query = UserQuery {
        limit: per_page,
        offset: (page - 1).saturating_mul(per_page),
        ..UserQuery::default()
    };
    let found = desk.auth.list_users(&query).await?;
    let users = found.users.iter().map(|user| UserBody::of(user, None));
    let mut response = fresh(&Listed {
        users: users.collect(),
        aud: AUTHENTICATED,
    });
    let headers = response.headers_mut();
    headers.insert(TOTAL_COUNT, found.total.into());
    let last = found.total.div_ceil(u64::from(per_page)).max(1);
    // Digits and fixed words, which are always good in a header.
    let links = HeaderValue::try_from(links(page, (last, per_page))).ok();
    headers.extend(links.map(|links| (header::LINK, links)));
    Ok(response)
}

pub(super) async fn add(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    admit(&desk, &call).await?;
    refuse_unkept(&mut fields)?;
    let Some(email) = fields.email("email")? else {
        let message = "Cannot create a user without either an email or phone";
        return Err(Fault::bad_request(code::VALIDATION_FAILED, message));
    };
    let id = fields.filled("id")?;
    let password = fields.filled("password")?;
    let entry = Entry {
        id: id.map(|text| identifier(&text)).transpose()?,
        email,
        username: None,
        roles: Roles::default(),
        password: password.map(|text| NewPassword::Plain(SecretText::new(text))),
        status: ban(&mut fields)?.unwrap_or(AccountStatus::Enabled),
        email_status: match fields.truth("email_confirm")? {
            Some(true) => EmailStatus::Verified,
            Some(false) | None => EmailStatus::Unverified,
        },
        profile: metadata(&mut fields, ("user_metadata", &JsonObject::new()))?.unwrap_or_default(),
        metadata: metadata(&mut fields, ("app_metadata", &JsonObject::new()))?.unwrap_or_default(),
    };
    let caller = call.caller();
    let agent = with_service_key(&caller);
    let user = desk.auth.enter_user(entry, &agent).await?;
    Ok(fresh(&UserBody::of(&user, None)))
}

pub(super) async fn read(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Response, Fault> {
    admit(&desk, &call).await?;
    let user = find(&desk, &id).await?;
    Ok(fresh(&UserBody::of(&user, None)))
}

pub(super) async fn change(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    admit(&desk, &call).await?;
    refuse_unkept(&mut fields)?;
    let user = find(&desk, &id).await?;
    let password = fields.filled("password")?;
    let amendment = Amendment {
        expected: Some(user.revision),
        email: fields.email("email")?,
        password: password.map(|text| NewPassword::Plain(SecretText::new(text))),
        email_status: fields.truth("email_confirm")?.map(|confirmed| {
            if confirmed {
                EmailStatus::Verified
            } else {
                EmailStatus::Unverified
            }
        }),
        status: ban(&mut fields)?,
        profile: metadata(&mut fields, ("user_metadata", &user.profile))?,
        metadata: metadata(&mut fields, ("app_metadata", &user.metadata))?,
        ..Amendment::default()
    };
    if amendment.status == Some(AccountStatus::Disabled) {
        leave_an_administrator(&desk, &user).await?;
    }
    let caller = call.caller();
    let agent = with_service_key(&caller);
    let user = desk.auth.amend_user(user.id, amendment, &agent).await?;
    Ok(fresh(&UserBody::of(&user, None)))
}

/// `GET /admin/users/{id}/factors`: nobody has a second one.
pub(super) async fn factors(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Response, Fault> {
    admit(&desk, &call).await?;
    find(&desk, &id).await?;
    Ok(fresh(&json!([])))
}

/// A soft deletion closes the account and keeps it.
pub(super) async fn remove(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    admit(&desk, &call).await?;
    let user = find(&desk, &id).await?;
    leave_an_administrator(&desk, &user).await?;
    let caller = call.caller();
    let agent = with_service_key(&caller);
    if fields.truth("should_soft_delete")? == Some(true) {
        let closed = Amendment {
            status: Some(AccountStatus::Disabled),
            ..Amendment::default()
        };
        desk.auth.amend_user(user.id, closed, &agent).await?;
    } else {
        desk.auth.remove_account(user.id, &agent).await?;
    }
    Ok(fresh(&json!({})))
}

/// Whoever holds the service key: it does not say who that is.
pub(super) const fn with_service_key(caller: &Caller) -> Agent<'_> {
    Agent {
        name: "supabase:service-key",
        caller,
    }
}

/// The service key opens everything here; what is none is counted and told, as keys can be guessed at.
pub(super) async fn admit(desk: &Desk, call: &Call) -> Result<(), Fault> {
    let Shown::Token(token) = call.shown() else {
        return Err(Fault::no_authorization());
    };
    let auth = &desk.auth;
    let guess = auth.begin_guess(Guessed::ServiceKey, call.caller()).await?;
    if desk.mount.keys.is_service(token) {
        auth.take_back(guess).await;
        return Ok(());
    }
    let identified = auth.identify_token(token);
    match &identified {
        Err(Denial::Unauthenticated(_)) => auth.tell_missed(&guess),
        // A good token without the right, and one that nobody can judge just now, are no guesses.
        Ok(_)
        | Err(Denial::Forbidden { .. } | Denial::CrossOrigin | Denial::Unavailable { .. }) => {
            auth.take_back(guess).await;
        }
    }
    identified?;
    Err(Fault::not_admin())
}

/// Whoever closed the last account of an administrator could not open it again from here.
async fn leave_an_administrator(desk: &Desk, user: &User) -> Result<(), Fault> {
    if desk.auth.is_last_admin(user).await? {
        let message = "The last administrator cannot be closed or removed";
        return Err(Fault::unprocessable(code::VALIDATION_FAILED, message));
    }
    Ok(())
}

async fn find(desk: &Desk, id: &str) -> Result<User, Fault> {
    let user = desk.auth.user(identifier(id)?).await?;
    user.ok_or_else(|| {
        Fault::new(
            StatusCode::NOT_FOUND,
            code::USER_NOT_FOUND,
            "User not found",
        )
    })
}

fn identifier(text: &str) -> Result<UserId, Fault> {
    text.parse().map_err(|_no_uuid| {
        let message = "user_id must be an UUID";
        Fault::new(StatusCode::NOT_FOUND, code::VALIDATION_FAILED, message)
    })
}

/// What is not kept here is not passed over: whoever sends it counts on it.
fn refuse_unkept(fields: &mut Fields) -> Result<(), Fault> {
    for name in ["phone", "password_hash"] {
        if fields.filled(name)?.is_some() {
            let message = format!("Setting {name} is not supported");
            return Err(Fault::unprocessable(code::VALIDATION_FAILED, message));
        }
    }
    match fields.filled("role")?.as_deref() {
        None | Some(AUTHENTICATED) => Ok(()),
        Some(_other) => {
            let message = "Setting role is not supported";
            Err(Fault::unprocessable(code::VALIDATION_FAILED, message))
        }
    }
}

fn metadata(
    fields: &mut Fields,
    (name, before): (&str, &JsonObject),
) -> Result<Option<JsonObject>, Fault> {
    let data = fields.object(name)?;
    data.map(|data| merged(before, data)).transpose()
}

/// `ban_duration`: "none" opens the account, any span closes it until it is opened again.
fn ban(fields: &mut Fields) -> Result<Option<AccountStatus>, Fault> {
    let status = fields.filled("ban_duration")?.map(|text| match &*text {
        "none" => AccountStatus::Enabled,
        _span => AccountStatus::Disabled,
    });
    Ok(status)
}

fn number(call: &Call, name: &str, usual: u32) -> Result<u32, Fault> {
    let text = call.query(name).filter(|text| !text.is_empty());
    let number = text.map_or(Ok(usual), |text| text.parse::<u32>());
    // The original reads 0 as "the first" and "the usual".
    number
        .map(|number| if number == 0 { usual } else { number })
        .map_err(|_no_number| {
            let message = format!("Bad Pagination Parameters: {name} is no number");
            Fault::bad_request(code::VALIDATION_FAILED, message)
        })
}

/// The page comes first in each query: clients read what is behind the first `=`.
fn links(page: u32, (last, per_page): (u64, u32)) -> String {
    let link = |page: u64, rel: &str| {
        format!("</admin/users?page={page}&per_page={per_page}>; rel=\"{rel}\"")
    };
    let next = u64::from(page) + 1;
    if next <= last {
        format!("{}, {}", link(next, "next"), link(last, "last"))
    } else {
        link(last, "last")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_links_lead_on_and_to_the_end() {
        let next = "</admin/users?page=2&per_page=50>; rel=\"next\"";
        let last = "</admin/users?page=3&per_page=50>; rel=\"last\"";
        assert_eq!(links(1, (3, 50)), format!("{next}, {last}"));
        assert_eq!(links(3, (3, 50)), last);
    }
}
