//! `/users`: sign-up for anybody, the directory for administrators.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;

use super::answer::{self, UserBody, fresh};
use super::call::Call;
use super::credential::{Visitor, administrator, admit_admin, visitor};
use super::desk::Desk;
use super::fault::Fault;
use super::fields::Fields;
use super::links::{self, Errand};
use super::profile::named;
use crate::auth::account::directory::{Entry, NewPassword};
use crate::auth::account::rules::Delivery;
use crate::auth::account::sign_up::{Admission, NewAccount, SignedUp};
use crate::auth::account::verify::CodeRequest;
use crate::auth::admin::{AdminError, Administrator};
use crate::auth::{AccountError, EmailRule};
use crate::id::UserId;
use crate::secret::SecretText;
use crate::user::{AccountStatus, Email, EmailStatus, JsonObject, User};
use crate::users::UserQuery;

/// How many users a page has unless the call says.
const USUAL_PAGE: u32 = 10;

/// How many users a page has at most.
const LARGEST_PAGE: u32 = 1000;

/// What a sign-up says.
struct Wanted {
    email: Email,
    password: SecretText,
    name: Option<String>,
    redirect_to: Option<String>,
    auto_confirm: Option<bool>,
}

#[derive(Serialize)]
struct Listed<'a> {
    data: Vec<UserBody<'a>>,
    pagination: Pagination,
}

#[derive(Serialize)]
struct Pagination {
    offset: u32,
    limit: u32,
    total: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Deleted {
    message: &'static str,
    deleted_count: usize,
}

/// `POST /users`
pub(super) async fn sign_up(
    State(desk): State<Desk>,
    call: Call,
    fields: Fields,
) -> Result<Response, Fault> {
    let visitor = visitor(&desk, &call)?;
    let wanted = wanted(fields)?;
    match visitor {
        Visitor::Admin => enter(&desk, &call, wanted).await,
        Visitor::Anybody => sign_up_oneself(&desk, &call, wanted).await,
    }
}

async fn sign_up_oneself(desk: &Desk, call: &Call, wanted: Wanted) -> Result<Response, Fault> {
    if wanted.auto_confirm == Some(true) {
        return Err(Fault::admin_required());
    }
    let delivery = delivery(desk, wanted.redirect_to.as_deref())?;
    let new = NewAccount {
        email: wanted.email,
        username: None,
        password: wanted.password,
        profile: named(wanted.name),
        admission: Admission::Public,
        delivery: Some(delivery),
        opening: call.opening(),
    };
    match desk.auth.sign_up(new).await? {
        SignedUp::SignedIn(signed_in) => answer::signed_up(&desk.auth, &signed_in, call.client()),
        SignedUp::MustVerify(_) | SignedUp::Made(_) => Ok(answer::must_verify()),
    }
}

/// Nobody is signed in by it: an administrator gets no session of somebody else.
async fn enter(desk: &Desk, call: &Call, wanted: Wanted) -> Result<Response, Fault> {
    let must_verify = desk.auth.terms().email_rule == EmailRule::MustBeVerified;
    let is_asked_to = must_verify && wanted.auto_confirm != Some(true);
    let delivery = is_asked_to.then(|| delivery(desk, wanted.redirect_to.as_deref()));
    let delivery = delivery.transpose()?;
    let entry = Entry {
        id: None,
        email: wanted.email,
        username: None,
        roles: desk.auth.terms().default_roles,
        password: Some(NewPassword::Plain(wanted.password)),
        status: AccountStatus::Enabled,
        email_status: match wanted.auto_confirm {
            Some(true) => EmailStatus::Verified,
            Some(false) | None => EmailStatus::Unverified,
        },
        profile: named(wanted.name),
        metadata: JsonObject::new(),
    };
    let user = administrator(desk, call).await?.enter(entry).await?;
    if delivery.is_some() {
        ask_to_verify(desk, call, (&user, delivery)).await?;
    }
    Ok(answer::registered(&user, is_asked_to))
}

/// The account is there: a mail that cannot be sent now, its user can ask for.
async fn ask_to_verify(
    desk: &Desk,
    call: &Call,
    (user, delivery): (&User, Option<Delivery>),
) -> Result<(), Fault> {
    let request = CodeRequest {
        email: user.email.clone(),
        delivery,
        caller: call.caller(),
    };
    match desk.auth.request_verification(request).await {
        Ok(()) | Err(AccountError::NoMail | AccountError::Busy | AccountError::Limited(_)) => {
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// A page of their own only matters where a mail is to be answered before anything else.
fn delivery(desk: &Desk, redirect_to: Option<&str>) -> Result<Delivery, Fault> {
    let terms = desk.auth.terms();
    match (terms.email_rule, redirect_to) {
        (EmailRule::MayBeUnverified, None) => Ok(terms.verify_email),
        (EmailRule::MayBeUnverified, Some(_)) | (EmailRule::MustBeVerified, _) => {
            links::delivery(desk, Errand::Verify, redirect_to)
        }
    }
}

fn wanted(mut fields: Fields) -> Result<Wanted, Fault> {
    let (email, password) = (fields.email(), fields.required("password"));
    let (name, redirect_to) = (fields.optional("name"), fields.optional("redirectTo"));
    let auto_confirm = fields.truth("autoConfirm");
    match (email, password) {
        (Some(email), Some(password)) if fields.is_sound() => Ok(Wanted {
            email,
            password: SecretText::new(password),
            name,
            redirect_to,
            auto_confirm,
        }),
        _unsound => Err(fields.fault()),
    }
}

/// `GET /users`
pub(super) async fn list(State(desk): State<Desk>, call: Call) -> Result<Response, Fault> {
    admit_admin(&desk, &call)?;
    let query = UserQuery {
        search: call.query("search").unwrap_or_default().into_owned(),
        limit: number(&call, "limit", USUAL_PAGE)?.min(LARGEST_PAGE),
        offset: number(&call, "offset", 0)?,
        ..UserQuery::default()
    };
    let page = desk.auth.list_users(&query).await?;
    Ok(fresh(&Listed {
        data: page.users.iter().map(UserBody::of).collect(),
        pagination: Pagination {
            offset: query.offset,
            limit: query.limit,
            total: page.total,
        },
    }))
}

/// `GET /users/{id}`
pub(super) async fn read(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Response, Fault> {
    admit_admin(&desk, &call)?;
    let invalid = |_no_uuid| Fault::invalid_input("Invalid user ID format");
    let user = desk.auth.user(id.parse().map_err(invalid)?).await?;
    let user = user.ok_or_else(Fault::no_such_user)?;
    Ok(fresh(&UserBody::of(&user)))
}

/// `DELETE /users`
pub(super) async fn remove(
    State(desk): State<Desk>,
    call: Call,
    mut fields: Fields,
) -> Result<Response, Fault> {
    let administrator = administrator(&desk, &call).await?;
    let Some(ids) = fields.user_ids("userIds") else {
        return Err(fields.fault());
    };
    let mut deleted_count = 0;
    for id in ids {
        deleted_count += remove_one(&administrator, id).await?;
    }
    Ok(fresh(&Deleted {
        message: "Users deleted successfully",
        deleted_count,
    }))
}

/// How many were removed: one that is gone already is none.
async fn remove_one(administrator: &Administrator, id: UserId) -> Result<usize, Fault> {
    match administrator.remove(id, None).await {
        Ok(()) => Ok(1),
        Err(AdminError::NoSuchUser) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

fn number(call: &Call, name: &str, usual: u32) -> Result<u32, Fault> {
    let text = call.query(name).filter(|text| !text.is_empty());
    let number = text.map_or(Ok(usual), |text| text.parse());
    number.map_err(|_no_number| Fault::invalid_input(format!("{name}: Expected number")))
}
