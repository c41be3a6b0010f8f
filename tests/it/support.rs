//! What the tests share.

pub(crate) mod canned;
pub(crate) mod core;
pub(crate) mod doorward;
pub(crate) mod frames;
pub(crate) mod front;
pub(crate) mod happenings;
pub(crate) mod key_server;
pub(crate) mod mailbox;
pub(crate) mod postgres;
pub(crate) mod redis;
pub(crate) mod redis_cluster;
pub(crate) mod redis_sentinel;
pub(crate) mod redis_tls;
#[path = "../support/sample.rs"]
pub(crate) mod sample;
pub(crate) mod supabase_project;
pub(crate) mod tls;
pub(crate) mod trail;
pub(crate) mod wall;
