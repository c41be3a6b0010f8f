//! What the tests share.

pub(crate) mod key_server;
pub(crate) mod redis;
pub(crate) mod wall;
pub(crate) mod tls;
