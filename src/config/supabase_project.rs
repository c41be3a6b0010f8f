//! `[users.supabase]`: users in a Supabase project.

use url::Url;

use super::claims;
use super::reader::{Complaint, Read, Value};
use super::reference::tables;
use super::values::{authorities, exactly_one, is_loopback, secret, url};
use crate::users::supabase::{AdminRule, Config, RowKey, Table};

pub(super) fn read(value: &Value<'_>) -> Read<Config> {
    let project = value.section(&tables::SUPABASE)?;
    let url = project.read("url", project_url);
    let anon_key = project.read("anon_key", secret);
    let service_key = project.optional("service_key", secret);
    let trust = project.optional("ca", authorities);
    let schema = project.read("schema", name);
    let table = project.read("table", name);
    let admin = project.read("admin", |value| admin(value, (schema, table)));
    let row_key = project.read("row_key", row_key);
    let timeout = project.duration("timeout");
    let max_concurrent = project.integer("max_concurrent");
    let (service_key, row_key) = (service_key?, row_key?);
    if row_key == RowKey::Service && service_key.is_none() {
        let complaint = Complaint::new("found \"service\" without a service_key");
        return Err(project.note("row_key", complaint.wider()));
    }
    Ok(Config {
        url: url?,
        anon_key: anon_key?,
        service_key,
        trust: trust?.unwrap_or_default(),
        admin: admin?,
        row_key,
        timeout: timeout?,
        max_concurrent: max_concurrent? as usize,
    })
}

/// Passwords go there: never in the clear past this machine.
fn project_url(value: &Value<'_>) -> Read<Url> {
    let expected = "an https URL, such as \"https://project.supabase.co\"";
    let url = url(value, &["https", "http"], expected)?;
    let found = match () {
        () if !url.username().is_empty() || url.password().is_some() => {
            "found a URL with a user or password"
        }
        () if url.query().is_some() => "found a URL with a query",
        () if url.fragment().is_some() => "found a URL with a fragment",
        () if url.scheme() == "http" && !is_loopback(&url) => {
            "found a plain http URL of another machine"
        }
        () => return Ok(url),
    };
    Err(value.note(Complaint::new(found).expected(expected)))
}

/// It stands in a URL and in a header, as it is.
fn name(value: &Value<'_>) -> Read<String> {
    let expected = "a name of letters, digits and \"_\"";
    value.parsed(expected, |text| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let good = !text.is_empty() && text.chars().all(plain);
        good.then(|| text.to_owned())
    })
}

fn row_key(value: &Value<'_>) -> Read<RowKey> {
    let choices = [("user", RowKey::User), ("service", RowKey::Service)];
    value.one_of("\"user\" or \"service\"", &choices)
}

fn admin(value: &Value<'_>, (schema, table): (Read<String>, Read<String>)) -> Read<AdminRule> {
    let section = value.section(&tables::SUPABASE_ADMIN)?;
    let of = exactly_one(&section, &["column", "claim"]);
    let test = claims::test(&section);
    Ok(match of? {
        "column" => AdminRule::Column {
            column: section.read("column", name)?,
            table: Table {
                schema: schema?,
                name: table?,
            },
            test: test?,
        },
        _ => AdminRule::Claim {
            claim: section.read("claim", claims::path)?,
            test: test?,
        },
    })
}
