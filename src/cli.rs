//! The command line.

pub mod user;
