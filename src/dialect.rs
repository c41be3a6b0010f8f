//! To come: dialect.
