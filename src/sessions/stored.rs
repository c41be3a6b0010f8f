//! The written form of what both stores keep of a session: words, numbers and lists as text.
//!
//! How rows and hashes are laid out is left to each store.

use std::str::FromStr;

use crate::clock::Timestamp;
use crate::session::{ClientKind, Generation, Persistence, SessionKind};
use crate::user::{Role, Roles};

/// What is stored cannot be read: written by a newer release, or by another hand.
///
/// Counts as a store that is away, never as a session that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored {0} of a session cannot be read")]
pub(super) struct Unreadable(pub(super) &'static str);

/// Reads a value that is written as it prints.
pub(super) fn parsed<T: FromStr>(text: &str, name: &'static str) -> Result<T, Unreadable> {
    text.parse().or(Err(Unreadable(name)))
}

/// Reads a time: milliseconds since the Unix epoch.
pub(super) fn time(text: &str, name: &'static str) -> Result<Timestamp, Unreadable> {
    parsed(text, name).map(Timestamp::from_millis)
}

/// Reads a generation.
pub(super) fn generation(number: i64) -> Result<Generation, Unreadable> {
    u32::try_from(number)
        .map(Generation::new)
        .or(Err(Unreadable("generation")))
}

/// Reads what a session was opened for.
pub(super) fn kind(word: &str) -> Result<SessionKind, Unreadable> {
    [SessionKind::User, SessionKind::Admin]
        .into_iter()
        .find(|kind| kind.as_str() == word)
        .ok_or(Unreadable("kind"))
}

/// Reads what kind of client holds a session.
pub(super) fn client(word: &str) -> Result<ClientKind, Unreadable> {
    [ClientKind::Web, ClientKind::Native]
        .into_iter()
        .find(|client| client.as_str() == word)
        .ok_or(Unreadable("client"))
}

/// Reads how long the client keeps a session.
pub(super) fn persistence(word: &str) -> Result<Persistence, Unreadable> {
    [Persistence::Browser, Persistence::Persistent]
        .into_iter()
        .find(|persistence| persistence.as_str() == word)
        .ok_or(Unreadable("persistence"))
}

/// Roles in order with a comma between two; no role holds one.
pub(super) fn roles_text(roles: &Roles) -> String {
    let names: Vec<_> = roles.iter().map(Role::as_str).collect();
    names.join(",")
}

/// Reads what [`roles_text`] wrote.
pub(super) fn roles(text: &str) -> Result<Roles, Unreadable> {
    text.split(',')
        .filter(|name| !name.is_empty())
        .map(|name| parsed::<Role>(name, "roles"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_roles_read_back_what_was_written() {
        for text in ["", "admin", "admin,editor,shop:buyer"] {
            assert_eq!(roles(text).map(|roles| roles_text(&roles)), Ok(text.into()));
        }
        for word in ["user", "admin"] {
            assert_eq!(kind(word).map(SessionKind::as_str), Ok(word));
        }
        for word in ["web", "native"] {
            assert_eq!(client(word).map(ClientKind::as_str), Ok(word));
        }
        for word in ["browser", "persistent"] {
            assert_eq!(persistence(word).map(Persistence::as_str), Ok(word));
        }
    }

    #[test]
    fn what_another_hand_wrote_is_no_session() {
        assert_eq!(roles("Admin"), Err(Unreadable("roles")));
        assert_eq!(kind("root"), Err(Unreadable("kind")));
        assert_eq!(client(""), Err(Unreadable("client")));
        assert_eq!(persistence("ever"), Err(Unreadable("persistence")));
        assert_eq!(generation(-1), Err(Unreadable("generation")));
        assert_eq!(generation(1 << 32), Err(Unreadable("generation")));
        assert_eq!(time("soon", "expiry"), Err(Unreadable("expiry")));
    }
}
