//! Accounts, for people and as JSON. The hash of a password is in neither.

use serde_json::json;

use super::{List, Terminal, UserError};
use crate::cli::table;
use crate::user::{AccountStatus, EmailStatus, Role, Roles, User, Username};
use crate::users::{UserQuery, UserStore};

/// How many accounts are fetched at a time.
const PAGE: u32 = 200;

pub(super) async fn list(
    users: &dyn UserStore,
    list: &List,
    terminal: &mut dyn Terminal,
) -> Result<(), UserError> {
    let mut query = UserQuery {
        search: list.search.clone(),
        limit: PAGE,
        ..UserQuery::default()
    };
    let mut rows = Vec::new();
    loop {
        let page = users.list(&query).await?;
        if page.users.is_empty() {
            break;
        }
        query.offset = query.offset.saturating_add(PAGE);
        if list.json {
            for user in &page.users {
                writeln!(terminal.output(), "{}", as_json(user))?;
            }
        } else {
            rows.extend(page.users.iter().map(row));
        }
    }
    if !list.json {
        table::write(HEAD, &rows, terminal.output())?;
    }
    Ok(())
}

pub(super) fn one(
    user: &User,
    as_json_text: bool,
    terminal: &mut dyn Terminal,
) -> Result<(), UserError> {
    let output = terminal.output();
    if as_json_text {
        writeln!(output, "{:#}", as_json(user))?;
        return Ok(());
    }
    let name = user.username.as_ref().map_or("-", Username::as_str);
    writeln!(output, "id        {}", user.id)?;
    writeln!(output, "email     {} ({})", user.email, proof(user))?;
    writeln!(output, "username  {name}")?;
    writeln!(output, "roles     {}", roles(&user.roles))?;
    writeln!(output, "status    {}", status(user))?;
    writeln!(output, "created   {}", user.created_at)?;
    writeln!(output, "updated   {}", user.updated_at)?;
    writeln!(output, "profile   {}", json!(user.profile))?;
    writeln!(output, "metadata  {}", json!(user.metadata))?;
    Ok(())
}

pub(super) fn roles(roles: &Roles) -> String {
    let words: Vec<_> = roles.iter().map(Role::as_str).collect();
    if words.is_empty() {
        "-".to_owned()
    } else {
        words.join(",")
    }
}

fn as_json(user: &User) -> serde_json::Value {
    let roles: Vec<_> = user.roles.iter().map(Role::as_str).collect();
    json!({
        "id": user.id.to_string(),
        "email": user.email.as_str(),
        "username": user.username.as_ref().map(Username::as_str),
        "roles": roles,
        "email_verified": user.email_status == EmailStatus::Verified,
        "disabled": user.status == AccountStatus::Disabled,
        "profile": user.profile,
        "metadata": user.metadata,
        "created_at": user.created_at.to_string(),
        "updated_at": user.updated_at.to_string(),
    })
}

fn status(user: &User) -> &'static str {
    match user.status {
        AccountStatus::Enabled => "enabled",
        AccountStatus::Disabled => "disabled",
    }
}

fn proof(user: &User) -> &'static str {
    match user.email_status {
        EmailStatus::Verified => "verified",
        EmailStatus::Unverified => "not verified",
    }
}

type Cells = [String; 6];

const HEAD: [&str; 6] = ["EMAIL", "USERNAME", "ROLES", "STATUS", "CREATED", "ID"];

fn row(user: &User) -> Cells {
    let name = user.username.as_ref().map_or("-", Username::as_str);
    [
        user.email.to_string(),
        name.to_owned(),
        roles(&user.roles),
        status(user).to_owned(),
        user.created_at.to_string(),
        user.id.to_string(),
    ]
}
