//! To come: cli.

pub mod check;
pub mod key;
//! The command line.

pub mod user;
