//! `[users]`: where users are kept, and which of them may sign in.

use url::Url;

use super::reader::{Complaint, Read, Section, Value};
use super::reference::tables;
use super::values::{authorities_file, secret, url};
use super::{EmailPolicy, UserStoreConfig, UsersConfig, supabase_project};
use crate::database::postgres;

pub(super) fn users(root: &Section<'_>) -> Read<UsersConfig> {
    let users = root.section("users", &tables::USERS)?;
    let store = users.optional("store", user_store);
    let project = users.optional("supabase", supabase_project::read);
    let verified = users.boolean("require_verified_email");
    let store = match (store?, project?) {
        (Some(_), Some(_)) => {
            let complaint = Complaint::new("found beside users.supabase");
            let hint = "users are kept in one place: leave one of the two out";
            return Err(users.note("store", complaint.hint(hint).wider()));
        }
        (Some(store), None) => store,
        (None, Some(project)) => UserStoreConfig::Supabase(Box::new(project)),
        (None, None) => UserStoreConfig::Embedded,
    };
    Ok(UsersConfig {
        store,
        email: if verified? {
            EmailPolicy::Verified
        } else {
            EmailPolicy::Any
        },
    })
}

fn user_store(value: &Value<'_>) -> Read<UserStoreConfig> {
    let (store, url_value) = match value.table() {
        Some(_) => {
            let store = value.section(&tables::USER_STORE)?;
            (store.clone(), store.value("url"))
        }
        None => (
            Section::empty(value, &tables::USER_STORE),
            Ok(value.clone()),
        ),
    };
    let password = store.optional("password", secret);
    let ca = store.optional("ca", authorities_file);
    let max_connections = store.integer("max_connections");
    let url = postgres_url(&url_value?)?;
    Ok(UserStoreConfig::Postgres(postgres::Config {
        url,
        password: password?,
        ca: ca?,
        max_connections: max_connections?,
    }))
}

fn postgres_url(value: &Value<'_>) -> Read<Url> {
    let expected = "postgres://user@host:port/database";
    let url = url(value, &["postgres", "postgresql"], expected)?;
    if url.password().is_some() {
        let complaint = Complaint::new("found a URL with a password in it").hint(
            "write store = { url = \"postgres://…\", password = { env = \"NAME\" } }, or { file = … }",
        );
        return Err(value.note(complaint));
    }
    // The driver would take a password from there, and turn TLS off.
    if url.query().is_some() {
        let complaint = Complaint::new("found a URL with a query").expected(expected).hint(
            "a password and a `ca` stand beside the URL: store = { url = …, password = …, ca = … }",
        );
        return Err(value.note(complaint));
    }
    if url.path().trim_matches('/').is_empty() {
        let complaint = Complaint::new("found a URL without a database").expected(expected);
        return Err(value.note(complaint));
    }
    Ok(url)
}
