//! To come: users/sqlite.
