//! To come: cli.

pub mod key;
