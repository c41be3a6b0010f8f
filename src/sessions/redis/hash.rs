//! A session as a Redis hash: from fields to values and back.

use std::collections::HashMap;

use crate::id::SessionId;
use crate::session::{Persistence, Session, Subject};
use crate::sessions::stored::{self, Unreadable, roles_text};

/// The fields of a hash as Redis returns them.
pub(super) type Fields = HashMap<String, String>;

/// Fields and values in turn, as `HSET` takes them.
pub(super) fn fields(session: &Session) -> [(&'static str, String); 13] {
    [
        ("user", session.subject.user.to_string()),
        ("email", session.subject.email.as_str().to_owned()),
        ("roles", roles_text(&session.subject.roles)),
        ("kind", session.kind.as_str().to_owned()),
        ("client", session.client.as_str().to_owned()),
        ("persistence", session.persistence.as_str().to_owned()),
        ("generation", session.generation.number().to_string()),
        ("created_at", session.created_at.as_millis().to_string()),
        ("refreshed_at", session.refreshed_at.as_millis().to_string()),
        ("expires_at", session.expires_at.as_millis().to_string()),
        ("ends_at", session.ends_at.as_millis().to_string()),
        ("address", session.address.clone()),
        ("user_agent", session.user_agent.clone()),
    ]
}

/// The session that [`fields`] wrote; `None` where there are no fields, as Redis tells of a key that
/// is not there.
pub(super) fn session(id: SessionId, fields: &Fields) -> Result<Option<Session>, Unreadable> {
    if fields.is_empty() {
        return Ok(None);
    }
    let field = |name: &'static str| {
        let value = fields.get(name).map(String::as_str);
        value.ok_or(Unreadable(name))
    };
    let time = |name: &'static str| stored::time(field(name)?, name);
    let (created_at, expires_at) = (time("created_at")?, time("expires_at")?);
    Ok(Some(Session {
        id,
        subject: Subject {
            user: stored::parsed(field("user")?, "user")?,
            email: stored::parsed(field("email")?, "email")?,
            roles: stored::roles(field("roles")?)?,
        },
        kind: stored::kind(field("kind")?)?,
        client: stored::client(field("client")?)?,
        // Sessions of before these two were kept by every browser, and had no end.
        persistence: match fields.get("persistence") {
            Some(word) => stored::persistence(word)?,
            None => Persistence::Persistent,
        },
        generation: stored::generation(stored::parsed(field("generation")?, "generation")?)?,
        created_at,
        refreshed_at: time("refreshed_at")?,
        expires_at,
        ends_at: match fields.get("ends_at") {
            Some(end) => stored::time(end, "ends_at")?,
            None => Session::usual_end(created_at, expires_at),
        },
        address: field("address")?.to_owned(),
        user_agent: field("user_agent")?.to_owned(),
    }))
}

/// The sessions of a list of ids with their fields; those without fields are gone.
pub(super) fn sessions(found: &[(String, Fields)]) -> Result<Vec<Session>, Unreadable> {
    let read = found.iter().map(|(id, fields)| {
        let id = stored::parsed(id, "id")?;
        session(id, fields)
    });
    read.filter_map(Result::transpose).collect()
}
