//! `[api_keys]`: how API keys are treated.

use http::HeaderName;

use super::faces::header;
use super::reader::{Complaint, Read, Section};
use super::reference::tables;
use crate::auth::api_keys::Settings;
use crate::proxy::IdentityHeaders;

/// `headers`: those that tell upstreams who is calling, none of which can be a client's.
pub(super) fn api_keys(root: &Section<'_>, headers: &Read<IdentityHeaders>) -> Read<Settings> {
    let keys = root.section("api_keys", &tables::API_KEYS)?;
    let name = keys.optional("header", |value| header(value, &mut Vec::new()));
    let max_staleness = keys.duration("max_staleness");
    let max_per_owner = keys.integer("max_per_owner");
    let name = name?;
    if let (Some(name), Ok(headers)) = (&name, headers)
        && is_one_of(headers, name)
    {
        let complaint = Complaint::new("found a header of [headers]");
        let expected = "another one: clients' copies of those are dropped";
        return Err(keys.note("header", complaint.expected(expected)));
    }
    Ok(Settings {
        header: name,
        max_staleness: max_staleness?,
        max_per_owner: max_per_owner?,
    })
}

/// `_` counts as `-`, as many upstreams read it.
fn is_one_of(headers: &IdentityHeaders, name: &HeaderName) -> bool {
    let IdentityHeaders {
        subject,
        email,
        roles,
        session,
    } = headers;
    let folded = |name: &HeaderName| name.as_str().replace('_', "-");
    [subject, email, roles, session]
        .into_iter()
        .any(|taken| folded(taken) == folded(name))
}
