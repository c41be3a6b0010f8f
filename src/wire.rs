//! To come: wire.
