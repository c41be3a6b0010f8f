//! Words in the log that end nothing: they say that an account has changed, so that every replica looks at
//! once at what hangs on accounts.
//!
//! A mark is a UUID of version 8 (RFC 9562 §5.8). Sessions and API keys have ids of version 7, so that none of
//! them is ever taken for a mark, and a replica that knows of no marks takes one for the end of a session that
//! nobody has.

use uuid::Builder;

use crate::id::{SessionId, random_bytes};

const VERSION: usize = 8;

/// A new mark.
pub fn new() -> SessionId {
    Builder::from_custom_bytes(random_bytes())
        .into_uuid()
        .into()
}

/// Whether this is one.
pub(super) fn is_one(id: SessionId) -> bool {
    id.as_uuid().get_version_num() == VERSION
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn no_session_is_a_mark() {
        assert!(is_one(new()));
        assert_ne!(new(), new());
        assert!(!is_one(SessionId::new(Timestamp::from_seconds(
            1_800_000_000
        ))));
    }
}
