//! To come: sessions/sqlite.
