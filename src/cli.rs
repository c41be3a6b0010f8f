//! To come: cli.

pub mod check;
