//! What the tests share.

pub(crate) mod key_server;
