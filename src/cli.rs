//! To come: cli.

pub mod check;
pub mod key;
