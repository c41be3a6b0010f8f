//! The command line.

pub mod check;
pub mod key;
pub mod user;
